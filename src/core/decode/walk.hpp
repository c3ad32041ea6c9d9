// SPDX-License-Identifier: BSD-3-Clause
// What one frame's decoding carries from header to header, and which header a number announces.
// Each decode_<layer>(Walk&) checks what it reads, narrows the window and names the next layer, or
// stops with an outcome. No function here or in the layers recurses or loops without a bound.
#pragma once

#include <cstdint>

#include "base/byte_reader.hpp"
#include "core/decode/decoded.hpp"
#include "core/decode/layer.hpp"
#include "core/frame.hpp"
#include "core/options.hpp"
#include "core/stats/counters.hpp"

namespace tw::decode {

using stats::Counter;

// A payload no Ethernet, jumbo frames included (9216 by custom), carries in one piece.
inline constexpr std::uint32_t kWirePayloadMax = 9216;

struct Walk {
    ByteReader reader;
    Decoded* out;
    flow::AddressV6* computed;  // room for an address no header holds as such

    // Innermost IP header: addresses as they count for the key, in the frame or in `computed`.
    const std::uint8_t* source = nullptr;
    const std::uint8_t* destination = nullptr;
    std::uint32_t vlan_id = 0;      // innermost; 0 = none
    std::uint32_t tunnel_id = 0;    // innermost VNI, TEID or GRE key; 0 = none
    std::uint16_t source_port = 0;  // TCP
    std::uint16_t destination_port = 0;
    std::uint8_t layers = 0;  // headers walked
    bool v6 = false;
    bool fragmented = false;       // innermost IP header belongs to a first fragment
    bool quoted = false;           // inside an ICMP error, at any depth
    bool erspan_headless = false;  // ERSPAN type I
    bool jumbo = false;            // the hop-by-hop options must say the payload length
    bool length_beyond_frame = false;
    bool length_absent = false;  // IPv4 total length 0: left to the network card
    bool remarkable = false;     // some property of the frame is to be counted

    Layer stop(Counter outcome) {
        out->outcome = outcome;
        return Layer::none;
    }
    // The frame ended before TCP was found, in a header that exists.
    Layer truncated() { return stop(Counter::decode_truncated); }
    // Something else than IP or TCP follows.
    Layer nothing_more() {
        return stop(source == nullptr ? Counter::decode_not_ip : Counter::decode_not_tcp);
    }
    Layer bad_tunnel() { return stop(Counter::decode_bad_tunnel_header); }
    Layer go_on(Layer next) { return next == Layer::none ? nothing_more() : next; }
};

[[nodiscard]] inline Layer link_layer(LinkType link) {
    switch (link) {
#define LINK(link, id)   \
    case LinkType::link: \
        return Layer::id;
#include "core/decode/layers.def"
        case LinkType::unsupported:
            break;
    }
    return Layer::none;
}

[[nodiscard]] inline Layer ether_type_layer(std::uint16_t type) {
    if (type == 0x0800) [[likely]] {  // asked first: a binary search through the rows costs more
        return Layer::ipv4;
    }
    switch (type) {
#define ETHER_TYPE(number, id) \
    case number:               \
        return Layer::id;
#include "core/decode/layers.def"
        default:
            return Layer::none;
    }
}

[[nodiscard]] inline Layer ip_protocol_layer(std::uint8_t protocol) {
    if (protocol == 6) [[likely]] {  // idem
        return Layer::tcp;
    }
    switch (protocol) {
#define IP_PROTOCOL(number, id) \
    case number:                \
        return Layer::id;
#include "core/decode/layers.def"
        default:
            return Layer::none;
    }
}

[[nodiscard]] inline Layer gre_protocol_layer(std::uint16_t protocol) {
    switch (protocol) {
#define GRE_PROTOCOL(number, id) \
    case number:                 \
        return Layer::id;
#include "core/decode/layers.def"
        default:
            return Layer::none;
    }
}

[[nodiscard]] inline Layer ppp_protocol_layer(std::uint16_t protocol) {
    switch (protocol) {
#define PPP_PROTOCOL(number, id) \
    case number:                 \
        return Layer::id;
#include "core/decode/layers.def"
        default:
            return Layer::none;
    }
}

[[nodiscard]] inline Layer udp_port_layer(std::uint16_t port) {
    switch (port) {
#define UDP_PORT(number, id) \
    case number:             \
        return Layer::id;
#include "core/decode/layers.def"
        default:
            return Layer::none;
    }
}

}  // namespace tw::decode
