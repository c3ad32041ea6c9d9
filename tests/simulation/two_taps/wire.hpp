// SPDX-License-Identifier: BSD-3-Clause
// A packet between two simulated hosts as it is on a wire, with 32-bit numbers and everything that
// a firewall may rewrite; made from a host's Packet and read by the other host as its own counting
// has it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/flow/key.hpp"
#include "simulation/packet.hpp"

namespace tw::sim::two_taps {

namespace flag {
inline constexpr std::uint8_t kFin = 1;
inline constexpr std::uint8_t kSyn = 2;
inline constexpr std::uint8_t kRst = 4;
inline constexpr std::uint8_t kPsh = 8;
inline constexpr std::uint8_t kAck = 16;
}  // namespace flag

enum class WireKind : std::uint8_t { segment, icmp_error };

struct WireOptions {
    std::uint16_t mss = 0;  // 0 = absent, like all of these
    std::int8_t scale = -1;
    bool sack_permitted = false;
    bool timestamps = false;
    std::uint32_t ts_value = 0;
    std::uint32_t ts_echo = 0;
    std::uint8_t sack_count = 0;
    std::array<std::array<std::uint32_t, 2>, Packet::kSackMax> sack{};
    std::uint8_t nops = 0;  // bytes of options that were overwritten, not taken out
};

struct Wire {
    // --- what the simulation knows beside the bytes
    std::uint32_t connection = 0;
    Side from = Side::client;
    bool dsack = false;  // the first SACK block reports a duplicate
    Span span;           // sequence numbers taken, as the sender's host counts
    // --- the bytes
    WireKind kind = WireKind::segment;
    flow::Endpoint source;
    flow::Endpoint destination;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint16_t window = 0;
    std::uint16_t ip_id = 0;
    std::uint8_t flags = 0;
    std::uint8_t ttl = 64;
    std::uint8_t tos = 0;
    bool dont_fragment = true;
    bool bad_checksum = false;
    WireOptions options;
    // Payload: the stream's bytes of `span`, `inserted` more after the first byte, and one of them
    // flipped where `flip` is not 0.
    std::uint16_t inserted = 0;
    std::uint16_t flip_at = 0;
    std::uint8_t flip = 0;
    // --- an ICMP error: all of the above is the quoted packet
    flow::Endpoint icmp_source;
    std::uint8_t icmp_type = 0;
    std::uint8_t icmp_code = 0;
    std::uint16_t icmp_mtu = 0;

    [[nodiscard]] bool has(std::uint8_t bits) const { return (flags & bits) != 0; }
    [[nodiscard]] bool syn() const { return has(flag::kSyn); }
    [[nodiscard]] bool fin() const { return has(flag::kFin); }
    [[nodiscard]] bool rst() const { return has(flag::kRst); }
    [[nodiscard]] std::uint32_t stream_bytes() const {
        return static_cast<std::uint32_t>(span.length()) - (syn() ? 1U : 0U) - (fin() ? 1U : 0U);
    }
    [[nodiscard]] std::uint32_t payload_bytes() const { return stream_bytes() + inserted; }
    [[nodiscard]] std::uint32_t space() const {
        return payload_bytes() + (syn() ? 1U : 0U) + (fin() ? 1U : 0U);
    }
    [[nodiscard]] bool takes_numbers() const { return kind == WireKind::segment && space() != 0; }
    [[nodiscard]] std::uint32_t option_bytes() const;
    [[nodiscard]] std::uint32_t ip_bytes() const;  // header included
};

// How a host counts: its own first number, and its peer's as it was told.
struct Numbering {
    std::uint32_t own_isn = 0;
    std::uint32_t peer_isn = 0;
    bool peer_known = false;
};

[[nodiscard]] Wire to_wire(const Packet& packet, const Numbering& numbering);

// What a host with this numbering takes it for; nothing if its numbers are none that a TCP would
// look at: far from the window, or an ACK of the future (`sent_until`).
[[nodiscard]] std::optional<Packet> from_wire(const Wire& wire, Numbering& numbering,
                                              Position expected, Position sent_until);

}  // namespace tw::sim::two_taps
