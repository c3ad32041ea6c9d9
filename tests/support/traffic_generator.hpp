// SPDX-License-Identifier: BSD-3-Clause
// Hostile traffic as frames: many hostile connections interleaved, each in plain Ethernet or below
// VLANs, labels and tunnels, with what goes wrong under TCP: quotes in ICMP errors, fragments,
// wrong lengths, short captures, reused tuples. The same seed gives the same frames everywhere.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "support/hostile_connection.hpp"
#include "support/packet_builder.hpp"
#include "support/random.hpp"

namespace tw::test {

struct GeneratedFrame {
    Nanos time = 0;
    Bytes bytes{};                 // as captured
    std::uint32_t wire_bytes = 0;  // as sent
};

struct HostileOptions {
    std::uint64_t seed = 1;
    std::uint32_t connections = 48;               // at one time
    std::uint32_t segments_per_connection = 120;  // on average
    bool layers = true;      // VLANs, tunnels, IPv6 extension headers, ICMP quotes
    bool faults = true;      // fragments, wrong lengths, short captures
    bool multipath = false;  // Multipath TCP options
    // One connection of this many segments without any acknowledgement; 0 = none.
    std::uint32_t flood_segments = 0;
};

class HostileTraffic {
  public:
    explicit HostileTraffic(const HostileOptions& options);

    [[nodiscard]] GeneratedFrame next();

  private:
    struct Tuple {
        bool v6 = false;
        std::array<Ipv4Bytes, 2> v4{};
        std::array<Ipv6Bytes, 2> ipv6{};
        std::array<std::uint16_t, 2> port{};
    };
    struct Connection {
        Tuple tuple;
        HostileConnection script;
        std::uint32_t envelope;
        std::uint32_t left;
    };

    [[nodiscard]] Connection new_connection();
    [[nodiscard]] Tuple new_tuple();
    [[nodiscard]] GeneratedFrame noise();
    [[nodiscard]] GeneratedFrame whole(PacketBuilder& builder, const SegmentPlan& plan);
    void add_ip(PacketBuilder& builder, const Connection& connection, const SegmentPlan& plan);
    void add_ipv4(PacketBuilder& builder, const Tuple& tuple, const SegmentPlan& plan, bool quoted);
    void add_ipv6(PacketBuilder& builder, const Tuple& tuple, const SegmentPlan& plan, bool quoted);
    void add_extensions(PacketBuilder& builder);
    void add_length_fault(PacketBuilder& builder, bool v6);
    void add_tcp(PacketBuilder& builder, const Connection& connection, const SegmentPlan& plan);
    void cut(GeneratedFrame& frame, const SegmentPlan& plan);

    HostileOptions options_;
    Random random_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<Tuple> used_;  // tuples of earlier connections, for reuse
    std::uint32_t created_ = 0;
};

// The layers below the inner IP header, from Ethernet on. Those from `gre` on have an outer IP.
enum class Envelope : std::uint8_t {
    plain,
    vlan,
    two_vlans,
    snap,
    mpls,
    pseudowire,
    pppoe,
    gre,
    gre_ethernet,
    erspan1,
    erspan2,
    erspan3,
    ip_in_ip,
    vxlan,
    vxlan_gpe,
    geneve,
    gtpu,
};
inline constexpr std::uint32_t kEnvelopes = 17;

void add_envelope(PacketBuilder& builder, Envelope envelope, Random& random);

}  // namespace tw::test
