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
};

[[nodiscard]] inline bool is_bare_syn(const Segment& segment) {
    return (segment.flags & (tcp_flag::kSyn | tcp_flag::kAck)) == tcp_flag::kSyn;
}

struct Decoded {
    // Counter::decoded_segments if there is a TCP segment, else the reason why there is none.
    stats::Counter outcome = stats::Counter::decode_not_ip;
    bool v6 = false;
    std::uint8_t sender =
        0;                 // side of the key that sent the segment (the quoted sender for a quote)
    std::uint8_t ttl = 0;  // of the innermost IP header
    std::uint16_t ip_id = 0;  // IPv4 only, else 0
    std::uint8_t layers = 0;  // headers walked before TCP
    union {
        flow::KeyV4 v4;
        flow::KeyV6 v6_key{};
    } key;
    Segment segment;
};

}  // namespace tw::decode
