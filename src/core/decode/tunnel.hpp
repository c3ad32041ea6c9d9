// SPDX-License-Identifier: BSD-3-Clause
// Tunnels over IP: GRE with ERSPAN, and the UDP ports that carry VXLAN, GENEVE, GTP-U, Teredo.
#pragma once

#include <algorithm>

#include "core/decode/walk.hpp"

namespace tw::decode {

// The source routes of RFC 1701: address family, offset, length, data; a null one is the last.
[[nodiscard]] inline bool skip_gre_routes(ByteReader& reader) {
    constexpr int kRoutesMax = 16;
    for (int i = 0; i < kRoutesMax; ++i) {
        if (!reader.has(4)) {
            return false;
        }
        const bool last = reader.be16(0) == 0 && reader.u8(3) == 0;
        const std::uint32_t bytes = 4U + reader.u8(3);
        if (!reader.has(bytes)) {
            return false;
        }
        reader.skip(bytes);
        if (last) {
            return true;
        }
    }
    return false;
}

//  0       2          4                      optional, 4 bytes each, in this order
//  | flags | protocol | checksum, offset | key | sequence | ack (PPTP) | source routes |
[[nodiscard]] inline Layer decode_gre(Walk& walk) {
    constexpr std::uint16_t kChecksum = 0x8000;
    constexpr std::uint16_t kRouting = 0x4000;
    constexpr std::uint16_t kKey = 0x2000;
    constexpr std::uint16_t kSequence = 0x1000;
    constexpr std::uint16_t kAck = 0x0080;
    constexpr std::uint16_t kPpp = 0x880B;
    constexpr std::uint16_t kErspan = 0x88BE;
    ByteReader& reader = walk.reader;
    if (!reader.has(4)) {
        return walk.truncated();
    }
    const std::uint16_t flags = reader.be16(0);
    const std::uint16_t protocol = reader.be16(2);
    const std::uint32_t key_at = (flags & (kChecksum | kRouting)) != 0 ? 8 : 4;
    const std::uint32_t header_bytes = key_at + ((flags & kKey) != 0 ? 4U : 0U) +
                                       ((flags & kSequence) != 0 ? 4U : 0U) +
                                       (protocol == kPpp && (flags & kAck) != 0 ? 4U : 0U);
    if (!reader.has(header_bytes)) {
        return walk.truncated();
    }
    if ((flags & kKey) != 0) {
        walk.tunnel_id = reader.be32(key_at);
    }
    walk.erspan_headless = protocol == kErspan && (flags & kSequence) == 0;
    reader.skip(header_bytes);
    if ((flags & kRouting) != 0 && !skip_gre_routes(reader)) {
        return walk.bad_tunnel();
    }
    return walk.go_on(gre_protocol_layer(protocol));
}

// Version 2 puts 4 bytes before the IPv4 header, version 1 none: the first nibble tells.
[[nodiscard]] inline Layer decode_wccp(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (!reader.has(5)) {
        return walk.truncated();
    }
    if (reader.u8(0) >> 4 != 4) {
        reader.skip(4);
    }
    return Layer::ipv4;
}

// draft-foschiano-erspan: type I has no header and is told by the missing GRE sequence number; II
// has 8 bytes; III has 12, and 8 more if the last bit of them is set.
[[nodiscard]] inline Layer decode_erspan(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (walk.erspan_headless) {
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
            const std::uint32_t frame_type = reader.be16(10) >> 10 & 0x1F;
            reader.skip(header_bytes);
            return frame_type == 0 ? Layer::ethernet : walk.nothing_more();
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
    if (length >= kUdpBytes) {
        reader.limit(length);
    } else if (length != 0 || !walk.v6) {  // 0: longer than 65535 bytes (RFC 2675 4)
        return walk.bad_tunnel();
    }
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
    const std::uint32_t header_bytes = 8 + (reader.u8(0) & 0x3FU) * 4;
    if (!reader.has(header_bytes)) {
        return walk.truncated();
    }
    const std::uint16_t protocol = reader.be16(2);
    walk.tunnel_id = reader.be32(4) >> 8;
    reader.skip(header_bytes);
    return walk.go_on(ether_type_layer(protocol));
}

// A T-PDU does not say what it is. IPv4 headers of 60 bytes (0x4F) are left out as in Wireshark: as
// the first byte of PPP that is more likely.
[[nodiscard]] inline Layer after_gtpu(Walk& walk) {
    if (!walk.reader.has(1)) {
        return walk.truncated();
    }
    const std::uint8_t first = walk.reader.u8(0);
    if (first >= 0x45 && first <= 0x4E) {
        return Layer::ipv4;
    }
    return first >> 4 == 6 ? Layer::ipv6 : walk.nothing_more();
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
    constexpr std::uint32_t kVersion0Bytes = 20;  // 3GPP TS 29.060 of 1999: one fixed header
    ByteReader& reader = walk.reader;
    if (!reader.has(8)) {
        return walk.truncated();
    }
    const std::uint8_t flags = reader.u8(0);
    if (flags >> 5 == 0 && reader.u8(1) == kUserData) {
        if (!reader.has(kVersion0Bytes + 1)) {
            return walk.truncated();
        }
        reader.skip(kVersion0Bytes);
        return after_gtpu(walk);
    }
    if (flags >> 4 != 3 || reader.u8(1) != kUserData) {
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
    return after_gtpu(walk);
}

//  0       2          4        6         8        10           optional: length, sequence numbers,
//  offset | flags | [length] | tunnel | session | [Ns, Nr] | [offset] |     (RFC 2661 3.1)
[[nodiscard]] inline Layer decode_l2tp(Walk& walk) {
    constexpr std::uint16_t kControl = 0x8000;
    constexpr std::uint16_t kLength = 0x4000;
    constexpr std::uint16_t kSequence = 0x0800;
    constexpr std::uint16_t kOffset = 0x0200;
    ByteReader& reader = walk.reader;
    if (!reader.has(2)) {
        return walk.truncated();
    }
    const std::uint16_t flags = reader.be16(0);
    if ((flags & kControl) != 0 || (flags & 0xF) != 2) {
        return walk.nothing_more();
    }
    std::uint32_t header_bytes = 6U + ((flags & kLength) != 0 ? 2U : 0U) +
                                 ((flags & kSequence) != 0 ? 4U : 0U) +
                                 ((flags & kOffset) != 0 ? 2U : 0U);
    if (!reader.has(header_bytes)) {
        return walk.truncated();
    }
    if ((flags & kOffset) != 0) {
        header_bytes += reader.be16(header_bytes - 2);
        if (!reader.has(header_bytes)) {
            return walk.truncated();
        }
    }
    reader.skip(header_bytes);
    return Layer::ppp;
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
