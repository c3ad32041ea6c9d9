// SPDX-License-Identifier: BSD-3-Clause
// What one frame at one tap tells about a TCP packet: everything the comparison of two taps needs
// (headers only, payload never), by value, so that it outlives the frame.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.hpp"
#include "core/decode/decoded.hpp"
#include "core/flow/key.hpp"
#include "core/frame.hpp"
#include "core/taps/side.hpp"
#include "core/tcp/options.hpp"

namespace tw::taps {

// TCP options a packet carried, one bit each (RFC 9293 3.2 and the registry of options).
namespace option_bit {
inline constexpr std::uint16_t kMss = 1U << 0;
inline constexpr std::uint16_t kWindowScale = 1U << 1;
inline constexpr std::uint16_t kSackPermitted = 1U << 2;
inline constexpr std::uint16_t kSack = 1U << 3;
inline constexpr std::uint16_t kTimestamps = 1U << 4;
inline constexpr std::uint16_t kFastOpen = 1U << 5;
inline constexpr std::uint16_t kMptcp = 1U << 6;
inline constexpr std::uint16_t kMd5 = 1U << 7;  // or TCP-AO
inline constexpr std::uint16_t kOther = 1U << 8;
}  // namespace option_bit

// What a packet is, beside a TCP segment of a conversation.
enum class PacketKind : std::uint8_t {
    segment,
    icmp_error,      // quotes a segment; the sequence fields are the quoted ones
    first_fragment,  // holds the TCP header, but not the payload's length
    later_fragment,  // no ports: known by addresses and IP identification only
};

struct Packet {
    Nanos time = 0;
    std::uint64_t frame = 0;  // 0 = not numbered (live)
    // Number at its tap in order of arrival, any wrap: live, the packets of a burst share one time.
    std::uint32_t ordinal = 0;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint32_t tsval = 0;  // with option_bit::kTimestamps
    std::uint32_t tsecr = 0;
    std::array<tcp::SackBlock, 3> sack{};  // with kSack; a fourth block is not compared
    std::uint32_t payload_bytes = 0;
    std::uint16_t ip_bytes = 0;  // of the IP packet, header included; 65535 = so much or more
    std::uint16_t window = 0;    // raw
    std::uint16_t ip_id = 0;     // IPv4 only
    std::uint16_t checksum = 0;  // TCP, as captured
    // One's complement sum of the payload, from the checksum and the headers (core/taps/digest).
    std::uint16_t digest = 0;           // with digest_known
    std::uint16_t mss = 0;              // with kMss
    std::uint16_t options = 0;          // option_bit
    std::uint16_t options_order = 0;    // hash of the kinds in their order, NOPs left out
    std::uint16_t fragment_offset = 0;  // bytes; fragments
    std::uint16_t icmp_mtu = 0;         // next-hop MTU of "fragmentation needed" / packet too big
    std::uint8_t flags = 0;             // tcp_flag bits as on the wire (CWR .. FIN)
    std::uint8_t ttl = 0;               // or hop limit
    std::uint8_t tos = 0;               // DSCP and ECN; traffic class of IPv6
    std::int8_t window_scale = -1;      // of a SYN; -1 = absent
    std::uint8_t sack_count = 0;        // blocks on the wire, up to 4
    std::uint8_t icmp_type = 0;         // icmp_error
    std::uint8_t icmp_code = 0;
    PacketKind kind = PacketKind::segment;
    Side tap = Side::outside;
    std::uint8_t sender = 0;  // side of the connection's key at this tap that sent it
    bool v6 : 1 = false;
    bool dont_fragment : 1 = false;
    bool more_fragments : 1 = false;
    bool digest_known : 1 = false;
    bool header_complete : 1 = false;  // options were captured and could be read
    bool quoted_cut : 1 = false;       // icmp_error: only 8 bytes of TCP quoted, seq alone is known
    // Source of an ICMP error: who sent it (not the quoted packet's sender).
    flow::AddressV6 icmp_source{};  // IPv4: the first four bytes

    // Sequence numbers it takes: payload, SYN and FIN.
    [[nodiscard]] std::uint32_t space() const {
        namespace flag = decode::tcp_flag;
        return payload_bytes + ((flags & flag::kSyn) != 0 ? 1U : 0U) +
               ((flags & flag::kFin) != 0 ? 1U : 0U);
    }
    [[nodiscard]] std::uint32_t end() const { return seq + space(); }  // one past the last
    [[nodiscard]] bool has(std::uint8_t bits) const { return (flags & bits) != 0; }
    [[nodiscard]] bool option(std::uint16_t bits) const { return (options & bits) != 0; }
};
static_assert(sizeof(Packet) <= 128, "two cache lines");

// `found` is what decode made of `frame`: a segment, a quoted one, or a fragment.
void read_packet(const Frame& frame, const decode::Decoded& found, Side tap, Packet& out);

}  // namespace tw::taps
