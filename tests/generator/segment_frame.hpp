// SPDX-License-Identifier: BSD-3-Clause
// The bytes of one generated frame: Ethernet, IPv4 or IPv6, TCP, with right lengths and checksums.
// The payload is zeros, so only headers are written: fast enough for millions of frames a second.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tw::generator {

// One end of a connection. An IPv6 address carries this number in its last four bytes.
struct Endpoint {
    std::uint32_t address = 0;
    std::uint16_t port = 0;
};

struct SegmentFrame {
    Endpoint source;
    Endpoint destination;
    bool v6 = false;
    std::uint8_t tcp_flags = 0;
    std::uint16_t ip_id = 0;
    std::uint16_t window = 0;
    std::uint16_t payload_bytes = 0;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    bool syn_options = false;  // maximum segment, window scale, SACK permitted
};

// Bytes that write() always overwrites: the headers, then zeros. What follows must be zeros.
inline constexpr std::size_t kHeaderRoom = 96;
// 1518 bytes with the frame check sequence, which is not part of a frame here.
inline constexpr std::size_t kFrameBytesMax = 1514;
// IPv6 without options.
inline constexpr std::size_t kPayloadBytesMax = kFrameBytesMax - 14 - 40 - 20;

// Lays the frame down and gives its length, at least the 60 bytes that Ethernet pads to.
[[nodiscard]] std::uint16_t write(const SegmentFrame& frame, std::uint8_t* at);

}  // namespace tw::generator
