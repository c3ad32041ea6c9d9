// SPDX-License-Identifier: BSD-3-Clause
// What decoding finds in one frame: the key of a TCP connection and the TCP segment, or the counter
// that says why there is none. A frame holds at most one TCP header among the layers we decode.
#pragma once

#include <cstdint>

#include "core/flow/key.hpp"
#include "core/stats/counters.hpp"

namespace tw::decode {

namespace tcp_flag {
inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;
}  // namespace tcp_flag

// Sizes are asserted where the pipeline keeps a burst of these on its stack.
struct Segment {
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    // TCP payload by the IP header, never by the captured length (as tshark does). 0 if unknown.
    std::uint32_t payload_bytes = 0;
    std::uint16_t window = 0;     // raw field
    std::uint16_t checksum = 0;   // 0 if not captured
    std::uint8_t flags = 0;       // tcp_flag bits as on the wire (CWR .. FIN)
    std::uint8_t data_words = 0;  // data offset field, 32-bit words
    // False for the first fragment of a datagram, a header quoted in an ICMP error, or a data
    // offset beyond the IP length: the packet touches the connection but not its sequence state.
    bool payload_known = false;
    bool quoted = false;      // inside an ICMP / ICMPv6 error
    bool fragmented = false;  // first fragment
    // Data offset >= 5, and the checksum, urgent pointer and all options are within the captured
    // bytes and the IP length. Otherwise state moves, but what is reported depends on the options.
    bool header_complete = false;
    // What there is of the options: data_words*4 - 20 bytes where header_complete, else those
    // before the cut. nullptr and 0 if none.
    std::uint8_t options_bytes = 0;
    const std::uint8_t* options = nullptr;
    const std::uint8_t* header = nullptr;  // of TCP
};

[[nodiscard]] inline bool is_bare_syn(const Segment& segment) {
    return (segment.flags & (tcp_flag::kSyn | tcp_flag::kAck)) == tcp_flag::kSyn;
}

// Fragment word of IPv4 (flags and offset in units of 8 bytes), host order. Of IPv6: DF is set,
// since no router fragments, and the rest comes from the fragment header.
namespace fragment_word {
inline constexpr std::uint16_t kDontFragment = 0x4000;
inline constexpr std::uint16_t kMoreFragments = 0x2000;
inline constexpr std::uint16_t kOffsetMask = 0x1FFF;
}  // namespace fragment_word

// The ICMP error around a quoted segment; written for segment.quoted only.
struct IcmpError {
    flow::AddressV6 source{};  // who sent the error; IPv4: the first four bytes
    std::uint16_t mtu = 0;     // of the next hop: "fragmentation needed", "packet too big"
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    bool v6 = false;  // ICMPv6
    // Only 8 bytes of TCP are quoted (RFC 792): ports and seq. The outcome is decode_tcp_cut, and
    // key, sender and segment.seq are filled in all the same.
    bool cut = false;
};

struct Decoded {
    // Counter::decoded_segments if there is a TCP segment, else the reason why there is none.
    stats::Counter outcome = stats::Counter::decode_not_ip;
    bool v6 = false;
    std::uint8_t sender =
        0;                 // side of the key that sent the segment (the quoted sender for a quote)
    std::uint8_t ttl = 0;  // of the innermost IP header, like all up to `layers`
    std::uint8_t tos = 0;  // DSCP and ECN; traffic class
    std::uint8_t layers = 0;     // headers walked before TCP
    std::uint16_t ip_id = 0;     // IPv4 only, else 0
    std::uint16_t ip_bytes = 0;  // by its header, which it includes; 65535 = so much or more
    std::uint16_t fragment = 0;  // fragment_word
    union {
        flow::KeyV4 v4;
        flow::KeyV6 v6_key{};  // of a later fragment: addresses and `sender`, ports 0
    } key;
    Segment segment;
    // Later fragments (decode_later_fragment): what follows the IP header, and the datagram's id.
    std::uint32_t fragment_id = 0;
    std::uint8_t fragment_protocol = 0;
    IcmpError icmp;
};

[[nodiscard]] inline flow::Endpoint endpoint_of(const Decoded& found, std::uint8_t side) {
    return found.v6 ? flow::endpoint_of(found.key.v6_key, side)
                    : flow::endpoint_of(found.key.v4, side);
}

}  // namespace tw::decode
