// SPDX-License-Identifier: BSD-3-Clause
// Where the walk ends: the TCP header becomes a key and a segment; ICMP errors lead to the header
// they quote. Payload is never touched.
#pragma once

#include <cstring>

#include "core/decode/walk.hpp"

namespace tw::decode {

// Wireshark reads through the window field; with less there is no segment.
inline constexpr std::uint32_t kTcpBytesVisible = 16;
inline constexpr std::uint32_t kTcpBytesMin = 20;

// RFC 792 asks for no more than 8 bytes of what is quoted.
[[nodiscard]] inline Layer quoted_cut(Walk& walk) {
    const ByteReader& reader = walk.reader;
    if (walk.quoted && reader.has(8)) {
        walk.source_port = reader.be16(0);
        walk.destination_port = reader.be16(2);
        walk.out->segment.seq = reader.be32(4);
        walk.out->icmp.cut = true;
    }
    return walk.stop(Counter::decode_tcp_cut);
}

//  0             2                  4     8     12            13      14       16         18
//  | source port | destination port | seq | ack | data offset | flags | window | checksum | urgent
//  |
[[nodiscard]] inline Layer decode_tcp(Walk& walk) {
    const ByteReader& reader = walk.reader;
    if (!reader.has(kTcpBytesVisible)) {
        return quoted_cut(walk);
    }
    Segment& segment = walk.out->segment;
    segment.header = reader.bytes(0, kTcpBytesVisible);
    walk.source_port = reader.be16(0);
    walk.destination_port = reader.be16(2);
    segment.seq = reader.be32(4);
    segment.ack = reader.be32(8);
    segment.data_words = reader.u8(12) >> 4;
    segment.flags = reader.u8(13);
    segment.window = reader.be16(14);
    segment.checksum = reader.has(18) ? reader.be16(16) : std::uint16_t{0};
    segment.quoted = walk.quoted;
    segment.fragmented = walk.fragmented;
    const std::uint32_t header_bytes = segment.data_words * 4U;
    segment.payload_known = !walk.quoted && !walk.fragmented && header_bytes <= reader.wire_bytes();
    segment.payload_bytes = segment.payload_known ? reader.wire_bytes() - header_bytes : 0;
    segment.header_complete = header_bytes >= kTcpBytesMin && reader.has(header_bytes);
    std::uint32_t options_bytes = 0;
    if (header_bytes > kTcpBytesMin && reader.has(kTcpBytesMin)) {
        options_bytes = segment.header_complete ? header_bytes - kTcpBytesMin
                                                : reader.captured_bytes() - kTcpBytesMin;
    }
    segment.options_bytes = static_cast<std::uint8_t>(options_bytes);
    segment.options = options_bytes != 0 ? reader.bytes(kTcpBytesMin, options_bytes) : nullptr;
    walk.remarkable |= !segment.payload_known || !segment.header_complete ||
                       segment.payload_bytes > kWirePayloadMax;
    return walk.stop(Counter::decoded_segments);
}

// Errors quote the packet they are about after 8 bytes of their own (RFC 792, RFC 1191). A redirect
// does too, but Wireshark reads 8 bytes of it only, which never show a TCP header.
[[nodiscard]] inline Layer decode_icmp(Walk& walk) {
    constexpr std::uint8_t kUnreachable = 3;
    constexpr std::uint8_t kSourceQuench = 4;
    constexpr std::uint8_t kTimeExceeded = 11;
    constexpr std::uint8_t kParameterProblem = 12;
    ByteReader& reader = walk.reader;
    if (!reader.has(8)) {
        return walk.truncated();
    }
    const std::uint8_t type = reader.u8(0);
    if (type != kUnreachable && type != kSourceQuench && type != kTimeExceeded &&
        type != kParameterProblem) {
        return walk.nothing_more();
    }
    const std::uint32_t quoted_words = reader.u8(5);
    IcmpError& error = walk.out->icmp;
    error = IcmpError{.mtu = reader.be16(6), .type = type, .code = reader.u8(1)};
    if (walk.source != nullptr) {
        std::memcpy(error.source.data(), walk.source, walk.v6 ? 16 : 4);
    }
    reader.skip(8);
    if (quoted_words != 0 && reader.has(1) && reader.u8(0) >> 4 == 4) {
        // RFC 4884: extensions follow after that many words. Wireshark counts without the IP
        // header.
        reader.limit((reader.u8(0) & 0xFU) * 4 + quoted_words * 4);
    }
    walk.quoted = true;
    return Layer::ipv4;
}

// RFC 4443 3: types 1 to 4 are errors and quote as much as fits.
[[nodiscard]] inline Layer decode_icmpv6(Walk& walk) {
    constexpr std::uint8_t kErrorMax = 4;
    ByteReader& reader = walk.reader;
    if (!reader.has(8)) {
        return walk.truncated();
    }
    const std::uint8_t type = reader.u8(0);
    if (type == 0 || type > kErrorMax) {
        return walk.nothing_more();
    }
    IcmpError& error = walk.out->icmp;
    error = IcmpError{.mtu = static_cast<std::uint16_t>(reader.be32(4) < UINT16_MAX ? reader.be32(4)
                                                                                    : UINT16_MAX),
                      .type = type,
                      .code = reader.u8(1),
                      .v6 = true};
    if (walk.source != nullptr) {
        std::memcpy(error.source.data(), walk.source, walk.v6 ? 16 : 4);
    }
    reader.skip(8);
    walk.quoted = true;
    return Layer::ipv6;
}

}  // namespace tw::decode
