// SPDX-License-Identifier: BSD-3-Clause
// IPv4 and IPv6: payload length, fragments, and the two addresses that count for the key. The
// length comes from the header if the frame holds as much, else from the wire, and never from what
// was captured.
#pragma once

#include "core/decode/walk.hpp"

namespace tw::decode {

inline constexpr std::uint32_t kIpv4BytesMin = 20;
inline constexpr std::uint32_t kIpv6Bytes = 40;

[[nodiscard]] inline std::uint16_t ip_bytes_of(std::uint32_t bytes) {
    return static_cast<std::uint16_t>(bytes < UINT16_MAX ? bytes : UINT16_MAX);
}

// It has no ports: what can be told is whose it is, and of which datagram.
[[nodiscard]] inline Layer later_fragment(Walk& walk, std::uint8_t protocol, std::uint32_t id) {
    walk.out->fragment_protocol = protocol;
    walk.out->fragment_id = id;
    return walk.stop(Counter::decode_later_fragment);
}

// A source route that is not used up hides the real destination: its last hop (RFC 791 3.1).
inline void apply_source_route(Walk& walk, std::uint32_t header_bytes) {
    const ByteReader& reader = walk.reader;
    std::uint32_t at = kIpv4BytesMin;
    while (at < header_bytes) {
        constexpr std::uint8_t kEnd = 0;
        constexpr std::uint8_t kNop = 1;
        constexpr std::uint8_t kLooseRoute = 0x83;
        constexpr std::uint8_t kStrictRoute = 0x89;
        const std::uint8_t kind = reader.u8(at);
        if (kind == kEnd) {
            return;
        }
        if (kind == kNop) {
            ++at;
            continue;
        }
        if (header_bytes - at < 2) {
            return;
        }
        const std::uint32_t length = reader.u8(at + 1);
        if (length < 2 || length > header_bytes - at) {
            return;
        }
        if ((kind == kLooseRoute || kind == kStrictRoute) && length >= 7 && length % 4 == 3) {
            const std::uint8_t pointer = reader.u8(at + 2);
            if (pointer >= 4 && pointer < length) {
                walk.destination = reader.bytes(at + length - 4, 4);
            }
        }
        at += length;
    }
}

//  0      1     2        4    6            8     9          10         12       16       20
//  | V/IHL| TOS | length | id | MF, offset | TTL | protocol | checksum | source | destination |
[[nodiscard]] inline Layer decode_ipv4(Walk& walk) {
    constexpr std::uint16_t kMoreFragments = fragment_word::kMoreFragments;
    constexpr std::uint16_t kOffsetMask = fragment_word::kOffsetMask;
    ByteReader& reader = walk.reader;
    if (!reader.has(kIpv4BytesMin)) {
        return walk.truncated();
    }
    const std::uint8_t first = reader.u8(0);
    const std::uint32_t header_bytes = (first & 0xFU) * 4;
    if (first >> 4 != 4 || header_bytes < kIpv4BytesMin) [[unlikely]] {
        return first >> 4 == 6 ? Layer::ipv6 : walk.stop(Counter::decode_bad_ip_header);
    }
    const std::uint32_t total_bytes = reader.be16(2);
    if (total_bytes < header_bytes && total_bytes != 0) [[unlikely]] {
        return walk.stop(Counter::decode_bad_ip_header);
    }
    if (!reader.has(header_bytes)) {
        return walk.truncated();
    }
    walk.length_absent = total_bytes == 0;
    walk.length_beyond_frame |= total_bytes > reader.wire_bytes() && !walk.quoted;
    walk.remarkable |= walk.length_absent || walk.length_beyond_frame;
    const std::uint16_t fragment = reader.be16(6);
    walk.fragmented = (fragment & kMoreFragments) != 0;
    walk.v6 = false;
    walk.source = reader.bytes(12, 4);
    walk.destination = reader.bytes(16, 4);
    walk.out->ttl = reader.u8(8);
    walk.out->tos = reader.u8(1);
    walk.out->ip_id = reader.be16(4);
    walk.out->ip_bytes = ip_bytes_of(total_bytes != 0 ? total_bytes : reader.wire_bytes());
    walk.out->fragment = fragment;
    const std::uint8_t protocol = reader.u8(9);
    if (header_bytes > kIpv4BytesMin) [[unlikely]] {
        apply_source_route(walk, header_bytes);
    }
    if (total_bytes != 0) {
        reader.limit(total_bytes);
    }
    reader.skip(header_bytes);
    if ((fragment & kOffsetMask) != 0) [[unlikely]] {
        return later_fragment(walk, protocol, walk.out->ip_id);
    }
    return walk.go_on(ip_protocol_layer(protocol));
}

// As in Wireshark, a packet inside the first fragment of an outer one stays `fragmented` if it is
// IPv6, and is judged by its own header if it is IPv4.
//  0       4        6      7           8        24            40
//  | V ... | length | next | hop limit | source | destination |
[[nodiscard]] inline Layer decode_ipv6(Walk& walk) {
    constexpr std::uint8_t kHopByHop = 0;
    ByteReader& reader = walk.reader;
    if (!reader.has(kIpv6Bytes)) {
        return walk.truncated();
    }
    if (reader.u8(0) >> 4 != 6) [[unlikely]] {
        return walk.stop(Counter::decode_bad_ip_header);
    }
    const std::uint32_t payload_bytes = reader.be16(4);
    const std::uint8_t next = reader.u8(6);
    walk.length_absent = false;
    walk.jumbo = payload_bytes == 0 && next == kHopByHop;
    walk.length_beyond_frame |= kIpv6Bytes + payload_bytes > reader.wire_bytes() && !walk.quoted;
    walk.remarkable |= walk.length_beyond_frame;
    walk.v6 = true;
    walk.source = reader.bytes(8, 16);
    walk.destination = reader.bytes(24, 16);
    walk.out->ttl = reader.u8(7);
    walk.out->tos = static_cast<std::uint8_t>(reader.be16(0) >> 4);
    walk.out->ip_id = 0;
    walk.out->ip_bytes = ip_bytes_of(kIpv6Bytes + payload_bytes);
    walk.out->fragment = fragment_word::kDontFragment;
    reader.skip(kIpv6Bytes);
    if (!walk.jumbo) {
        reader.limit(payload_bytes);
    }
    return walk.go_on(ip_protocol_layer(next));
}

[[nodiscard]] inline Layer decode_ip4_in_ip(Walk& walk) {
    return decode_ipv4(walk);
}
[[nodiscard]] inline Layer decode_ip6_in_ip(Walk& walk) {
    return decode_ipv6(walk);
}

[[nodiscard]] inline Layer decode_raw_ip(Walk& walk) {
    if (!walk.reader.has(1)) {
        return walk.truncated();
    }
    switch (walk.reader.u8(0) >> 4) {
        case 4:
            return decode_ipv4(walk);
        case 6:
            return decode_ipv6(walk);
        default:
            return walk.nothing_more();
    }
}

}  // namespace tw::decode
