// SPDX-License-Identifier: BSD-3-Clause
// Headers between the link and IP that carry sessions or paths: MPLS labels, pseudowires, PPPoE,
// PPP.
#pragma once

#include "core/decode/walk.hpp"

namespace tw::decode {

//  0       20   23  24  32
//  | label | TC | S | TTL |     one label per call; S marks the bottom of the stack (RFC 3032)
//
// Nothing says what follows the bottom: the first nibble does (RFC 4928), 4 and 6 for IP, 0 for the
// control word of a pseudowire (RFC 4385), else an Ethernet frame.
[[nodiscard]] inline Layer decode_mpls(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (!reader.has(5)) {
        return walk.truncated();
    }
    const bool bottom = (reader.u8(2) & 1) != 0;
    reader.skip(4);
    if (!bottom) {
        return Layer::mpls;
    }
    switch (reader.u8(0) >> 4) {
        case 4:
            return Layer::ipv4;
        case 6:
            return Layer::ipv6;
        default:
            return walk.nothing_more();
    }
}

//  0              1      2         4        6
//  | version/type | code | session | length |
[[nodiscard]] inline Layer decode_pppoe(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (!reader.has(6)) {
        return walk.truncated();
    }
    const std::uint16_t length = reader.be16(4);
    reader.skip(6);
    reader.limit(length);
    return Layer::ppp;
}

// Protocol field of 16 bits, or 8 where compressed: only the last byte is odd (RFC 1661 2). The
// HDLC address and control bytes FF 03 may come before it.
[[nodiscard]] inline Layer decode_ppp(Walk& walk) {
    ByteReader& reader = walk.reader;
    if (reader.has(2) && reader.be16(0) == 0xFF03) {
        reader.skip(2);
    }
    if (!reader.has(2)) {
        return walk.truncated();
    }
    const bool compressed = (reader.u8(0) & 1) != 0;
    const std::uint16_t protocol = compressed ? reader.u8(0) : reader.be16(0);
    reader.skip(compressed ? 1 : 2);
    return walk.go_on(ppp_protocol_layer(protocol));
}

}  // namespace tw::decode
