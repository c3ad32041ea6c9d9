// SPDX-License-Identifier: BSD-3-Clause
// Where the walk ends: the TCP header becomes a key and a segment; ICMP errors lead to the header
// they quote. Payload is never touched.
#pragma once

#include "core/decode/walk.hpp"

namespace tw::decode {

// Wireshark reads through the window field; with less there is no segment.
inline constexpr std::uint32_t kTcpBytesVisible = 16;
inline constexpr std::uint32_t kTcpBytesMin = 20;

// Length an option must have: tshark does not look into one of these kinds with another length.
[[nodiscard]] inline std::uint8_t fixed_option_bytes(std::uint8_t kind) {
    switch (kind) {
        case 2:  // maximum segment size
            return 4;
        case 3:  // window scale
            return 3;
        case 4:  // SACK permitted
            return 2;
        case 8:  // timestamps
            return 10;
        default:
            return 0;
    }
}

// Whether tshark takes a header whose options are cut for whole, because it never reads beyond the
// cut. It stops at an option of fewer than two bytes; at one that claims more than the header
// declares, if no more than two bytes are missing; and it steps to the end over one of fixed length
// that has another (all measured on 4.0.17).
[[nodiscard]] inline bool options_end_before(const std::uint8_t* options, std::uint32_t available,
                                             std::uint32_t declared) {
    constexpr std::uint8_t kNop = 1;
    bool stepped_over = false;
    std::uint32_t at = 0;
    while (at < available) {
        if (options[at] == kNop) {
            ++at;
            continue;
        }
        if (options[at] == 0 || at + 1 >= available) {
            return false;
        }
        const std::uint8_t length = options[at + 1];
        if (length < 2) {
            return true;
        }
        if (length > declared - at) {
            return declared - available <= 2;
        }
        const std::uint8_t fixed = fixed_option_bytes(options[at]);
        stepped_over = fixed != 0 && length != fixed;
        at += length;
    }
    return stepped_over && at == declared;
}

//  0             2                  4     8     12            13      14       16         18
//  | source port | destination port | seq | ack | data offset | flags | window | checksum | urgent
//  |
[[nodiscard]] inline Layer decode_tcp(Walk& walk) {
    const ByteReader& reader = walk.reader;
    if (!reader.has(kTcpBytesVisible)) {
        return walk.stop(Counter::decode_tcp_cut);
    }
    Segment& segment = walk.out->segment;
    walk.source_port = reader.be16(0);
    walk.destination_port = reader.be16(2);
    segment.seq = reader.be32(4);
    segment.ack = reader.be32(8);
    segment.data_words = reader.u8(12) >> 4;
    segment.flags = reader.u8(13);
    segment.window = reader.be16(14);
    segment.quoted = walk.quoted;
    segment.fragmented = walk.fragmented;
    const std::uint32_t header_bytes = segment.data_words * 4U;
    segment.payload_known = !walk.quoted && !walk.fragmented && header_bytes <= reader.wire_bytes();
    segment.payload_bytes = segment.payload_known ? reader.wire_bytes() - header_bytes : 0;
    segment.header_complete = header_bytes >= kTcpBytesMin && reader.has(header_bytes);
    std::uint32_t options_bytes = segment.header_complete ? header_bytes - kTcpBytesMin : 0;
    if (header_bytes > kTcpBytesMin && !segment.header_complete && reader.has(kTcpBytesMin)) {
        options_bytes = reader.captured_bytes() - kTcpBytesMin;
        segment.header_complete = options_end_before(reader.bytes(kTcpBytesMin, options_bytes),
                                                     options_bytes, header_bytes - kTcpBytesMin);
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
    reader.skip(8);
    walk.quoted = true;
    return Layer::ipv6;
}

}  // namespace tw::decode
