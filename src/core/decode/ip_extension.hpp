// SPDX-License-Identifier: BSD-3-Clause
// IPv6 extension headers and the authentication header. They may change the addresses of the key:
// a routing header not used up hides the real destination, a home address the real source. Under
// IPv4, where they mean nothing, they are stepped over as Wireshark does.
#pragma once

#include <cstring>

#include "core/decode/ip.hpp"
#include "core/decode/walk.hpp"

namespace tw::decode {

//  0      1        2
//  | next | length | options: kind, length, data |     length in 8-byte units without the first
[[nodiscard]] inline Layer decode_ipv6_options(Walk& walk) {
    constexpr std::uint8_t kPad1 = 0;
    constexpr std::uint8_t kJumboPayload = 0xC2;        // RFC 2675
    constexpr std::uint32_t kPayloadBytesMax = 0xFFFF;  // what the IPv6 header itself can say
    constexpr std::uint8_t kHomeAddress = 0xC9;         // RFC 6275 6.3: the sender's real address
    ByteReader& reader = walk.reader;
    if (!reader.has(8)) {
        return walk.truncated();
    }
    const std::uint8_t next = reader.u8(0);
    const std::uint32_t header_bytes = 8 + 8U * reader.u8(1);
    if (!reader.has(header_bytes)) {
        return walk.truncated();
    }
    const std::uint32_t wire_before = reader.wire_bytes();
    std::uint32_t at = 2;
    std::uint32_t jumbo_bytes = 0;
    while (at < header_bytes) {
        const std::uint8_t kind = reader.u8(at);
        if (kind == kPad1) {
            ++at;
            continue;
        }
        if (!reader.has(at + 2) || !reader.has(at + 2 + reader.u8(at + 1))) {
            return walk.stop(Counter::decode_bad_ip_header);
        }
        const std::uint32_t length = kind == kHomeAddress ? 16 : reader.u8(at + 1);
        at += 2;
        if (at + length > header_bytes) {
            break;  // runs into what follows the header, which stands all the same
        }
        if (kind == kHomeAddress && walk.v6) {
            walk.source = reader.bytes(at, length);
        } else if (kind == kJumboPayload && length == 4) {
            jumbo_bytes = reader.be32(at);
        }
        at += length;
    }
    if (walk.jumbo) {
        walk.jumbo = false;
        walk.length_beyond_frame |= jumbo_bytes > wire_before && !walk.quoted;
        walk.remarkable |= walk.length_beyond_frame;
        if (jumbo_bytes <= kPayloadBytesMax) {
            return walk.stop(Counter::decode_bad_ip_header);
        }
        reader.limit(jumbo_bytes);
    }
    reader.skip(header_bytes);
    return walk.go_on(ip_protocol_layer(next));
}

// The last address of an RPL source route (RFC 6554 3): addresses without the `CmprI` bytes they
// share with the destination, the last one without `CmprE`, then padding.
[[nodiscard]] inline const std::uint8_t* last_rpl_address(Walk& walk, std::uint32_t header_bytes) {
    constexpr std::uint32_t kAddressBytes = 16;
    const ByteReader& reader = walk.reader;
    const std::uint32_t shared_bytes = reader.u8(4) & 0xFU;
    const std::uint32_t entry_bytes = kAddressBytes - (reader.u8(4) >> 4);
    const std::uint32_t last_bytes = kAddressBytes - shared_bytes;
    const std::uint32_t list_bytes = header_bytes - 8;
    const std::uint32_t padding_bytes = reader.u8(5) >> 4;
    if (list_bytes < padding_bytes + last_bytes) {
        return walk.destination;
    }
    const std::uint32_t before_last =
        (list_bytes - padding_bytes - last_bytes) / entry_bytes * entry_bytes;
    flow::AddressV6 address;  // apart: the destination may itself be a computed one
    std::memcpy(address.data(), walk.destination, shared_bytes);
    std::memcpy(address.data() + shared_bytes, reader.bytes(8 + before_last, last_bytes),
                last_bytes);
    *walk.computed = address;
    return walk.computed->data();
}

// The destination a routing header stands for; nullptr if its list is impossible.
[[nodiscard]] inline const std::uint8_t* routed_destination(Walk& walk,
                                                            std::uint32_t header_bytes) {
    constexpr std::uint8_t kSourceRoute = 0;  // RFC 2460 4.4, deprecated
    constexpr std::uint8_t kMobility = 2;     // RFC 6275 6.4
    constexpr std::uint8_t kRpl = 3;
    constexpr std::uint8_t kSegmentRouting = 4;  // RFC 8754: the list runs backwards
    constexpr std::uint32_t kListAt = 8;
    constexpr std::uint32_t kAddressBytes = 16;
    const ByteReader& reader = walk.reader;
    const std::uint8_t type = reader.u8(2);
    const std::uint32_t addresses_count = (header_bytes - kListAt) / kAddressBytes;
    const std::uint8_t last_entry = reader.u8(4);
    if ((type == kMobility && addresses_count == 0) ||
        (type == kSegmentRouting && last_entry >= addresses_count)) {
        return nullptr;
    }
    const std::uint8_t segments_left = reader.u8(3);
    if (segments_left == 0) {
        return walk.destination;
    }
    if (type == kRpl) {
        return last_rpl_address(walk, header_bytes);
    }
    if (addresses_count != 0 && (type == kMobility || type == kSegmentRouting)) {
        return reader.bytes(kListAt, kAddressBytes);
    }
    if (addresses_count != 0 && type == kSourceRoute) {
        return reader.bytes(kListAt + (addresses_count - 1) * kAddressBytes, kAddressBytes);
    }
    return walk.destination;
}

//  0      1        2      3               4          8
//  | next | length | type | segments left | per type | addresses |
[[nodiscard]] inline Layer decode_ipv6_routing(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (!reader.has(8)) {
        return walk.truncated();
    }
    const std::uint8_t next = reader.u8(0);
    const std::uint32_t header_bytes = 8 + 8U * reader.u8(1);
    if (!reader.has(header_bytes)) {
        return walk.truncated();
    }
    if (walk.v6) {
        walk.destination = routed_destination(walk, header_bytes);
        if (walk.destination == nullptr) {
            return walk.stop(Counter::decode_bad_ip_header);
        }
    }
    reader.skip(header_bytes);
    return walk.go_on(ip_protocol_layer(next));
}

//  0      1          2                4    8
//  | next | reserved | offset, more | id |
[[nodiscard]] inline Layer decode_ipv6_fragment(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (!reader.has(8)) {
        return walk.truncated();
    }
    const std::uint8_t next = reader.u8(0);
    const std::uint16_t fragment = reader.be16(2);
    const std::uint32_t id = reader.be32(4);
    reader.skip(8);
    walk.out->fragment = static_cast<std::uint16_t>(
        fragment >> 3 | ((fragment & 1) != 0 ? fragment_word::kMoreFragments : 0));
    if (fragment >> 3 != 0) {
        return later_fragment(walk, next, id);
    }
    walk.out->fragment_id = id;
    // An atomic fragment (RFC 6946) is a whole packet.
    walk.fragmented |= (fragment & 1) != 0;
    return walk.go_on(ip_protocol_layer(next));
}

//  0      1        2          4     8          12
//  | next | length | reserved | SPI | sequence | ICV |     length in words, minus 2 (RFC 4302)
[[nodiscard]] inline Layer decode_authentication(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (!reader.has(12)) {
        return walk.truncated();
    }
    const std::uint8_t next = reader.u8(0);
    const std::uint32_t header_bytes = (reader.u8(1) + 2U) * 4;
    if (!reader.has(header_bytes)) {
        return walk.truncated();
    }
    reader.skip(header_bytes);
    return walk.go_on(ip_protocol_layer(next));
}

}  // namespace tw::decode
