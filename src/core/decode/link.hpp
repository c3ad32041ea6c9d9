// SPDX-License-Identifier: BSD-3-Clause
// Headers below IP that name what follows by an EtherType: Ethernet, LLC/SNAP, tags, cooked capture
// and loopback headers.
#pragma once

#include <algorithm>

#include "core/decode/walk.hpp"

namespace tw::decode {

inline constexpr std::uint32_t kEthernetBytes = 14;
// IEEE 802.3 3.2.6: up to this the type field is a length, and LLC follows.
inline constexpr std::uint16_t kLengthMax = 1500;

// Continues after a field that is an EtherType or an IEEE 802.3 length.
[[nodiscard]] inline Layer after_type_or_length(Walk& walk, std::uint16_t value) {
    const Layer next = ether_type_layer(value);
    if (next == Layer::none && value <= kLengthMax && value != 0) {
        walk.reader.limit(value);
        return Layer::llc;
    }
    return walk.go_on(next);
}

//  0         6       12     14
//  | dst MAC | src MAC | type |
[[nodiscard]] inline Layer decode_ethernet(Walk& walk) {
    if (!walk.reader.has(kEthernetBytes)) {
        return walk.truncated();
    }
    const std::uint16_t type = walk.reader.be16(12);
    walk.reader.skip(kEthernetBytes);
    return after_type_or_length(walk, type);
}

//  0      1      2         3     6      8
//  | DSAP | SSAP | control | OUI | type |      OUI and type with SNAP (AA AA 03) only; the control
//                                              field of an information frame has one byte more
[[nodiscard]] inline Layer decode_llc(Walk& walk) {
    constexpr std::uint8_t kSnapSap = 0xAA;
    constexpr std::uint8_t kIpSap = 0x06;
    constexpr std::uint8_t kUnnumberedInformation = 0x03;
    ByteReader& reader = walk.reader;
    if (!reader.has(3)) {
        return walk.truncated();
    }
    const std::uint8_t dsap = reader.u8(0);
    const bool numbered = (reader.u8(2) & 1) == 0;
    const std::uint32_t llc_bytes = numbered ? 4 : 3;
    if ((!numbered && reader.u8(2) != kUnnumberedInformation) ||
        (dsap != kIpSap && (dsap != kSnapSap || reader.u8(1) != kSnapSap))) {
        return walk.nothing_more();
    }
    if (!reader.has(dsap == kIpSap ? llc_bytes : llc_bytes + 5)) {
        return walk.truncated();
    }
    reader.skip(llc_bytes);
    if (dsap == kIpSap) {
        return Layer::ipv4;
    }
    const std::uint32_t oui = reader.be32(0) >> 8;
    const std::uint16_t type = reader.be16(3);
    reader.skip(5);
    switch (oui) {
        case 0x000000:  // encapsulated Ethernet (RFC 1042)
        case 0x0000F8:  // bridge tunnel (IEEE 802.1H)
            return walk.go_on(ether_type_layer(type));
        case 0x0080C2:  // IEEE 802.1 bridged frame (RFC 2684), with or without FCS
            return type == 0x0001 || type == 0x0007 ? Layer::ethernet : walk.nothing_more();
        default:
            return walk.nothing_more();
    }
}

//  0     2      4
//  | TCI | type |
inline std::uint16_t read_tag(Walk& walk) {
    const std::uint16_t id = walk.reader.be16(0) & 0xFFF;
    const std::uint16_t type = walk.reader.be16(2);
    if (id != 0) {  // 0 is a priority tag: no VLAN
        walk.vlan_id = id;
    }
    walk.reader.skip(4);
    return type;
}

[[nodiscard]] inline Layer decode_vlan(Walk& walk) {
    if (!walk.reader.has(4)) {
        return walk.truncated();
    }
    return after_type_or_length(walk, read_tag(walk));
}

// Unlike after 802.1Q, Wireshark knows no LLC after this tag.
[[nodiscard]] inline Layer decode_service_vlan(Walk& walk) {
    if (!walk.reader.has(4)) {
        return walk.truncated();
    }
    return walk.go_on(ether_type_layer(read_tag(walk)));
}

//  0       4        10       16     18
//  | I-TAG | C-DA   | C-SA   | type |
[[nodiscard]] inline Layer decode_backbone(Walk& walk) {
    if (!walk.reader.has(18)) {
        return walk.truncated();
    }
    const std::uint16_t type = walk.reader.be16(16);
    walk.reader.skip(18);
    return after_type_or_length(walk, type);
}

//  0         1        2        4     6      8
//  | version | length | option | SGT | type |
[[nodiscard]] inline Layer decode_cisco_metadata(Walk& walk) {
    if (!walk.reader.has(8)) {
        return walk.truncated();
    }
    const std::uint16_t type = walk.reader.be16(6);
    walk.reader.skip(8);
    return walk.go_on(ether_type_layer(type));
}

//  0     4      6
//  | tag | type |
[[nodiscard]] inline Layer decode_vn_tag(Walk& walk) {
    if (!walk.reader.has(6)) {
        return walk.truncated();
    }
    const std::uint16_t type = walk.reader.be16(4);
    walk.reader.skip(6);
    return walk.go_on(ether_type_layer(type));
}

// What the protocol field of a Linux cooked header announces (linux/if_ether.h).
[[nodiscard]] inline Layer after_cooked(Walk& walk, std::uint16_t protocol) {
    constexpr std::uint16_t kEthernetFrame = 0x0003;
    constexpr std::uint16_t kLlc = 0x0004;
    if (protocol == kEthernetFrame) {
        return Layer::ethernet;
    }
    return protocol == kLlc ? Layer::llc : walk.go_on(ether_type_layer(protocol));
}

//  0      2          4              6         14         16
//  | type | ARPHRD_  | address size | address | protocol |
[[nodiscard]] inline Layer decode_linux_sll(Walk& walk) {
    if (!walk.reader.has(16)) {
        return walk.truncated();
    }
    const std::uint16_t protocol = walk.reader.be16(14);
    walk.reader.skip(16);
    return after_cooked(walk, protocol);
}

//  0          2          4           8         10     11             12        20
//  | protocol | reserved | interface | ARPHRD_ | type | address size | address |
[[nodiscard]] inline Layer decode_linux_sll2(Walk& walk) {
    if (!walk.reader.has(20)) {
        return walk.truncated();
    }
    const std::uint16_t protocol = walk.reader.be16(0);
    walk.reader.skip(20);
    return after_cooked(walk, protocol);
}

// AF_INET6 differs between systems: 24 NetBSD and OpenBSD, 28 FreeBSD, 30 macOS.
[[nodiscard]] inline Layer after_family(Walk& walk, std::uint32_t family) {
    switch (family) {
        case 2:
            return Layer::ipv4;
        case 24:
        case 28:
        case 30:
            return Layer::ipv6;
        default:
            return walk.nothing_more();
    }
}

[[nodiscard]] inline Layer decode_bsd_null(Walk& walk) {
    if (!walk.reader.has(4)) {
        return walk.truncated();
    }
    // Families are small: the half with the zero bytes tells the byte order of the capturing host.
    constexpr std::uint32_t kFamilyMax = 0xFFFF;
    const std::uint32_t value = walk.reader.be32(0);
    const std::uint32_t swapped = __builtin_bswap32(value);
    walk.reader.skip(4);
    const bool is_family = value <= kFamilyMax || swapped <= kFamilyMax;
    const std::uint32_t family = is_family ? std::min(value, swapped) : value & kFamilyMax;
    // Some systems write 16 bits: the family in the other byte order, or an EtherType.
    switch (family) {
        case 0x0200:
        case 0x0800:
            return Layer::ipv4;
        case 0x86DD:
            return Layer::ipv6;
        default:
            return is_family ? after_family(walk, family) : walk.nothing_more();
    }
}

[[nodiscard]] inline Layer decode_bsd_loop(Walk& walk) {
    if (!walk.reader.has(4)) {
        return walk.truncated();
    }
    const std::uint32_t family = walk.reader.be32(0);
    walk.reader.skip(4);
    return after_family(walk, family);
}

}  // namespace tw::decode
