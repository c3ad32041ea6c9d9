// SPDX-License-Identifier: BSD-3-Clause
// Headers between the link and IP that carry sessions or paths: MPLS labels, pseudowires, PPPoE,
// PPP.
#pragma once

#include "core/decode/link.hpp"
#include "core/decode/walk.hpp"

namespace tw::decode {

// True if the two bytes at `offset` are an EtherType that leads on, or the length of a SNAP frame.
[[nodiscard]] inline bool looks_like_type(const ByteReader& reader, std::uint32_t offset) {
    if (!reader.has(offset + 4)) {
        return false;
    }
    const std::uint16_t value = reader.be16(offset);
    return ether_type_layer(value) != Layer::none ||
           (value <= kLengthMax && reader.be16(offset + 2) == 0xAAAA);
}

// A zero nibble under MPLS begins the control word of a pseudowire (RFC 4385 3), or a MAC address
// where the pseudowire has none. Wireshark takes it for an address if both addresses then belong to
// vendors; the rest is a control word. Here: if both are universal unicast addresses (or the source
// is QEMU's), and the EtherType stands where it would without a control word, and only there.
[[nodiscard]] inline Layer after_zero_nibble(Walk& walk) {
    constexpr std::uint32_t kControlWordBytes = 4;
    constexpr std::uint32_t kTypeOffset = 12;
    constexpr std::uint8_t kLocalOrGroup = 0x03;
    constexpr std::uint32_t kQemu = 0x52'54'00;
    ByteReader& reader = walk.reader;
    if (!reader.has(kEthernetBytes)) {
        return walk.truncated();
    }
    const bool source_of_vendor =
        (reader.u8(6) & kLocalOrGroup) == 0 || reader.be32(6) >> 8 == kQemu;
    const bool plain_ethernet = (reader.u8(0) & kLocalOrGroup) == 0 && source_of_vendor &&
                                looks_like_type(reader, kTypeOffset) &&
                                !looks_like_type(reader, kControlWordBytes + kTypeOffset);
    if (!plain_ethernet) {
        reader.skip(kControlWordBytes);
    }
    return Layer::ethernet;
}

//  0       20   23  24  32
//  | label | TC | S | TTL |     one label per call; S marks the bottom of the stack (RFC 3032)
//
// Nothing says what follows the bottom but its first nibble (RFC 4928).
[[nodiscard]] inline Layer decode_mpls(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (!reader.has(5)) {
        return walk.truncated();
    }
    constexpr std::uint32_t kAssociatedChannel = 13;  // RFC 5586: no user packet follows
    const std::uint32_t label = reader.be32(0) >> 12;
    const bool bottom = (reader.u8(2) & 1) != 0;
    reader.skip(4);
    if (!bottom) {
        return Layer::mpls;
    }
    if (label == kAssociatedChannel) {
        return walk.nothing_more();
    }
    switch (reader.u8(0) >> 4) {
        case 4:
            return Layer::ipv4;
        case 6:
            return Layer::ipv6;
        case 0:
            return after_zero_nibble(walk);
        default:  // 1 is the associated channel of a pseudowire
            return walk.nothing_more();
    }
}

// Protocol field of 16 bits, or 8 where compressed: only the last byte is odd (RFC 1661 2).
[[nodiscard]] inline Layer after_ppp_framing(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (!reader.has(2)) {
        return walk.truncated();
    }
    const bool compressed = (reader.u8(0) & 1) != 0;
    const std::uint16_t protocol = compressed ? reader.u8(0) : reader.be16(0);
    reader.skip(compressed ? 1 : 2);
    return walk.go_on(ppp_protocol_layer(protocol));
}

//  0              1      2         4        6
//  | version/type | code | session | length | PPP protocol
[[nodiscard]] inline Layer decode_pppoe(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (!reader.has(6)) {
        return walk.truncated();
    }
    const std::uint16_t length = reader.be16(4);
    reader.skip(6);
    reader.limit(length);
    return after_ppp_framing(walk);
}

// With or without the HDLC address and control bytes FF 03 (RFC 1662 3.2).
[[nodiscard]] inline Layer decode_ppp(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (reader.has(2) && reader.be16(0) == 0xFF03) {
        reader.skip(2);
    }
    return after_ppp_framing(walk);
}

}  // namespace tw::decode
