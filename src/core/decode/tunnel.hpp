// SPDX-License-Identifier: BSD-3-Clause
// Tunnels over IP: GRE with ERSPAN, and the UDP ports that carry VXLAN, GENEVE, GTP-U, Teredo.
#pragma once

#include <algorithm>

#include "core/decode/walk.hpp"

namespace tw::decode {

//  0       2          4                      optional, 4 bytes each, in this order
//  | flags | protocol | checksum, offset | key | sequence | ack (version 1) |
[[nodiscard]] inline Layer decode_gre(Walk& walk) {
    constexpr std::uint16_t kChecksum = 0x8000;
    constexpr std::uint16_t kRouting = 0x4000;
    constexpr std::uint16_t kKey = 0x2000;
    constexpr std::uint16_t kSequence = 0x1000;
    constexpr std::uint16_t kAck = 0x0080;
    ByteReader& reader = walk.reader;
    if (!reader.has(4)) {
        return walk.truncated();
    }
    const std::uint16_t flags = reader.be16(0);
    const std::uint16_t protocol = reader.be16(2);
    const bool version_1 = (flags & 7) == 1;
    std::uint32_t header_bytes = 4;
    header_bytes += (flags & (kChecksum | kRouting)) != 0 ? 4 : 0;
    const std::uint32_t key_at = header_bytes;
    header_bytes += (flags & kKey) != 0 ? 4 : 0;
    header_bytes += (flags & kSequence) != 0 ? 4 : 0;
    header_bytes += version_1 && (flags & kAck) != 0 ? 4 : 0;
    if (!reader.has(header_bytes)) {
        return walk.truncated();
    }
    if ((flags & kKey) != 0) {
        walk.tunnel_id = reader.be32(key_at);
    }
    walk.gre_flags = flags;
    reader.skip(header_bytes);
    return walk.go_on(gre_protocol_layer(protocol));
}

// Type I has no header; II (draft-foschiano-erspan) comes with a GRE sequence number and has 8
// bytes; III has 12, and 8 more if the last bit of them is set.
[[nodiscard]] inline Layer decode_erspan(Walk& walk) {
    constexpr std::uint16_t kSequence = 0x1000;
    ByteReader& reader = walk.reader;
    if ((walk.gre_flags & kSequence) == 0) {
        return Layer::ethernet;
    }
    if (!reader.has(8)) {
        return walk.truncated();
    }
    switch (reader.u8(0) >> 4) {
        case 1:
            reader.skip(8);
            return Layer::ethernet;
        case 2: {
            if (!reader.has(12)) {
                return walk.truncated();
            }
            const std::uint32_t header_bytes = (reader.u8(11) & 1) != 0 ? 20 : 12;
            if (!reader.has(header_bytes)) {
                return walk.truncated();
            }
            reader.skip(header_bytes);
            return Layer::ethernet;
        }
        default:
            return walk.bad_tunnel();
    }
}

//  0             2                  4        6          8
//  | source port | destination port | length | checksum |
[[nodiscard]] inline Layer decode_udp(Walk& walk) {
    constexpr std::uint32_t kUdpBytes = 8;
    ByteReader& reader = walk.reader;
    if (!reader.has(kUdpBytes)) {
        return walk.truncated();
    }
    const std::uint16_t source_port = reader.be16(0);
    const std::uint16_t destination_port = reader.be16(2);
    Layer next = udp_port_layer(std::min(source_port, destination_port));
    if (next == Layer::none) {
        next = udp_port_layer(std::max(source_port, destination_port));
        if (next == Layer::none) {
            return walk.nothing_more();
        }
    }
    const std::uint32_t length = reader.be16(4);
    if (length < kUdpBytes) {
        return walk.bad_tunnel();
    }
    reader.limit(length);
    reader.skip(kUdpBytes);
    return next;
}

//  0       1          4     7          8
//  | flags | reserved | VNI | reserved |
[[nodiscard]] inline Layer decode_vxlan(Walk& walk) {
    if (!walk.reader.has(8)) {
        return walk.truncated();
    }
    walk.tunnel_id = walk.reader.be32(4) >> 8;
    walk.reader.skip(8);
    return Layer::ethernet;
}

//  0       1          3      4     7          8
//  | flags | reserved | next | VNI | reserved |
[[nodiscard]] inline Layer decode_vxlan_gpe(Walk& walk) {
    if (!walk.reader.has(8)) {
        return walk.truncated();
    }
    const std::uint8_t next = walk.reader.u8(3);
    walk.tunnel_id = walk.reader.be32(4) >> 8;
    walk.reader.skip(8);
    switch (next) {
        case 1:
            return Layer::ipv4;
        case 2:
            return Layer::ipv6;
        case 3:
            return Layer::ethernet;
        case 5:
            return Layer::mpls;
        default:
            return walk.nothing_more();
    }
}

//  0                       1       2          4     7          8
//  | version, option words | flags | protocol | VNI | reserved | options |
[[nodiscard]] inline Layer decode_geneve(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (!reader.has(8)) {
        return walk.truncated();
    }
    if (reader.u8(0) >> 6 != 0) {
        return walk.bad_tunnel();
    }
    const std::uint32_t header_bytes = 8 + (reader.u8(0) & 0x3FU) * 4;
    if (!reader.has(header_bytes)) {
        return walk.truncated();
    }
    const std::uint16_t protocol = reader.be16(2);
    walk.tunnel_id = reader.be32(4) >> 8;
    reader.skip(header_bytes);
    return walk.go_on(ether_type_layer(protocol));
}

//  0                 1      2        4      8          10      11               12
//  | version, E,S,PN | type | length | TEID | sequence | N-PDU | next extension |    last 4 bytes
//                                                                  if any of E, S, PN is set
// 3GPP TS 29.281 5.1; an extension header is: length in words, content, next extension type.
[[nodiscard]] inline Layer decode_gtpu(Walk& walk) {
    constexpr std::uint8_t kUserData = 0xFF;
    constexpr std::uint8_t kOptionalFields = 0x07;
    constexpr std::uint8_t kExtension = 0x04;
    constexpr int kExtensionsMax = 16;
    ByteReader& reader = walk.reader;
    if (!reader.has(8)) {
        return walk.truncated();
    }
    const std::uint8_t flags = reader.u8(0);
    if (flags >> 5 != 1 || reader.u8(1) != kUserData) {
        return walk.nothing_more();
    }
    walk.tunnel_id = reader.be32(4);
    reader.limit(8U + reader.be16(2));
    reader.skip(8);
    if ((flags & kOptionalFields) != 0) {
        if (!reader.has(4)) {
            return walk.truncated();
        }
        std::uint8_t extension = (flags & kExtension) != 0 ? reader.u8(3) : 0;
        reader.skip(4);
        for (int i = 0; extension != 0; ++i) {
            if (!reader.has(1)) {
                return walk.truncated();
            }
            const std::uint32_t bytes = reader.u8(0) * 4U;
            if (bytes == 0 || i == kExtensionsMax) {
                return walk.bad_tunnel();
            }
            if (!reader.has(bytes)) {
                return walk.truncated();
            }
            extension = reader.u8(bytes - 1);
            reader.skip(bytes);
        }
    }
    return reader.has(1) ? Layer::raw_ip : walk.truncated();
}

// RFC 4380 5.1.1: authentication (00 01) and origin indication (00 00) may come before IPv6.
[[nodiscard]] inline Layer decode_teredo(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (!reader.has(4)) {
        return walk.truncated();
    }
    if (reader.be16(0) == 0x0001) {
        const std::uint32_t bytes = 13U + reader.u8(2) + reader.u8(3);
        if (!reader.has(bytes)) {
            return walk.truncated();
        }
        reader.skip(bytes);
    }
    if (reader.has(8) && reader.be16(0) == 0x0000) {
        reader.skip(8);
    }
    return Layer::ipv6;
}

}  // namespace tw::decode
