// SPDX-License-Identifier: BSD-3-Clause
#include "core/decode/decode.hpp"

#include <cstring>

#include "core/decode/ip.hpp"
#include "core/decode/ip_extension.hpp"
#include "core/decode/label.hpp"
#include "core/decode/layer.hpp"
#include "core/decode/link.hpp"
#include "core/decode/plain.hpp"
#include "core/decode/transport.hpp"
#include "core/decode/tunnel.hpp"
#include "core/decode/walk.hpp"

namespace tw::decode {
namespace {

namespace decap_bit {
constexpr std::uint16_t always = 0;
constexpr std::uint16_t vlan = static_cast<std::uint16_t>(Decap::vlan);
constexpr std::uint16_t mpls = static_cast<std::uint16_t>(Decap::mpls);
constexpr std::uint16_t pppoe = static_cast<std::uint16_t>(Decap::pppoe);
constexpr std::uint16_t gre = static_cast<std::uint16_t>(Decap::gre);
constexpr std::uint16_t erspan = static_cast<std::uint16_t>(Decap::erspan);
constexpr std::uint16_t vxlan = static_cast<std::uint16_t>(Decap::vxlan);
constexpr std::uint16_t geneve = static_cast<std::uint16_t>(Decap::geneve);
constexpr std::uint16_t gtpu = static_cast<std::uint16_t>(Decap::gtpu);
constexpr std::uint16_t ipip = static_cast<std::uint16_t>(Decap::ipip);
}  // namespace decap_bit

// One header. Expanded from the rows, so that each call is direct and inlined.
inline Layer step(Layer layer, Walk& walk, std::uint16_t decap) {
    switch (layer) {
#define LAYER(id, decap_entry, help)                                                \
    case Layer::id:                                                                 \
        if (decap_bit::decap_entry != 0 && (decap & decap_bit::decap_entry) == 0) { \
            return walk.stop(Counter::decode_decap_off);                            \
        }                                                                           \
        return decode_##id(walk);
#include "core/decode/layers.def"
        case Layer::none:
            break;
    }
    return Layer::none;
}

// What makes one address pair two connections, where the tap's options say so.
std::uint32_t scope_of(const Walk& walk, KeyScope options) {
    const std::uint32_t vlan = options.vlan ? walk.vlan_id : 0;
    const std::uint32_t tunnel = options.tunnel ? walk.tunnel_id : 0;
    // An odd multiplier spreads the VLAN over all bits, away from the low bits tunnel ids use.
    return vlan * 0x9E37'79B1U ^ tunnel;
}

template <typename Key, typename Address>
std::uint8_t fill_key(const Walk& walk, std::uint32_t scope, Key& key) {
    Address source;
    Address destination;
    std::memcpy(source.data(), walk.source, source.size());
    std::memcpy(destination.data(), walk.destination, destination.size());
    return flow::canonical_key(source, walk.source_port, destination, walk.destination_port, scope,
                               key);
}

void count_properties(const Walk& walk, const Frame& frame, stats::Counters& counters) {
    if (walk.length_beyond_frame) {
        counters.add(Counter::length_beyond_frame);
    }
    if (frame.captured_bytes < frame.wire_bytes) {
        counters.add(Counter::sliced_frames);
    }
    if (walk.out->outcome != Counter::decoded_segments) {
        return;
    }
    const Segment& segment = walk.out->segment;
    if (segment.fragmented) {
        counters.add(Counter::fragmented_segments);
    }
    if (segment.quoted) {
        counters.add(Counter::quoted_segments);
    }
    if (segment.data_words >= 5 && !segment.header_complete) {
        counters.add(Counter::cut_segments);
    }
    if (segment.payload_bytes > kWirePayloadMax || walk.length_absent) {
        counters.add(Counter::super_frames);
    }
}

inline void name_connection(const Walk& walk, const Frame& frame, const DecodeOptions& options,
                            Decoded& out) {
    const KeyScope key_scope = options.key_scope[frame.tap < kTapsMax ? frame.tap : 0];
    const std::uint32_t scope = key_scope.vlan || key_scope.tunnel ? scope_of(walk, key_scope) : 0;
    out.sender = walk.v6 ? fill_key<flow::KeyV6, flow::AddressV6>(walk, scope, out.key.v6_key)
                         : fill_key<flow::KeyV4, flow::AddressV4>(walk, scope, out.key.v4);
}

// The key, the counters: what is left when no header is.
inline void finish(const Walk& walk, const Frame& frame, const DecodeOptions& options,
                   stats::Counters& counters) {
    Decoded& out = *walk.out;
    out.layers = walk.layers;
    out.v6 = walk.v6;
    if (out.outcome == Counter::decoded_segments) [[likely]] {
        out.layers = static_cast<std::uint8_t>(walk.layers - 1);  // without TCP itself
        name_connection(walk, frame, options, out);
    } else if (out.outcome == Counter::decode_later_fragment ||
               (out.outcome == Counter::decode_tcp_cut && walk.quoted && out.icmp.cut)) {
        name_connection(walk, frame, options, out);
    }
    counters.add(out.outcome);
    if (walk.remarkable || frame.captured_bytes < frame.wire_bytes) [[unlikely]] {
        count_properties(walk, frame, counters);
    }
}

// Any headers in any order.
[[gnu::noinline]] void decode_any(const Frame& frame, const DecodeOptions& options,
                                  stats::Counters& counters, Decoded& out) {
    flow::AddressV6 computed;
    Walk walk{.reader = ByteReader(frame.data, frame.captured_bytes, frame.wire_bytes),
              .out = &out,
              .computed = &computed};
    out.outcome = Counter::decode_unsupported_link;
    Layer layer = link_layer(frame.link);
    while (layer != Layer::none) {
        if (walk.layers == kLayersMax) {
            layer = walk.stop(Counter::decode_too_many_layers);
            break;
        }
        ++walk.layers;
        layer = step(layer, walk, options.decap);
    }
    finish(walk, frame, options, counters);
}

// The headers of nearly every other frame, in straight-line code that stays in registers.
[[nodiscard]] inline Layer walk_usual(Walk& walk, std::uint16_t decap) {
    walk.layers = 3;
    Layer layer = decode_ethernet(walk);
    if (layer == Layer::vlan && (decap & decap_bit::vlan) != 0) {
        walk.layers = 4;
        layer = decode_vlan(walk);
    }
    if (layer == Layer::ipv4) {
        layer = decode_ipv4(walk);
    } else if (layer == Layer::ipv6) {
        layer = decode_ipv6(walk);
    }
    return layer == Layer::tcp ? decode_tcp(walk) : layer;
}

}  // namespace

void decode(const Frame& frame, const DecodeOptions& options, stats::Counters& counters,
            Decoded& out) {
    if (frame.link == LinkType::ethernet) [[likely]] {
        if (decode_plain(frame, counters, out)) [[likely]] {
            return;
        }
        Walk walk{.reader = ByteReader(frame.data, frame.captured_bytes, frame.wire_bytes),
                  .out = &out,
                  .computed = nullptr};
        if (walk_usual(walk, options.decap) == Layer::none &&
            out.outcome == Counter::decoded_segments) [[likely]] {
            finish(walk, frame, options, counters);
            return;
        }
    }
    decode_any(frame, options, counters, out);
}

}  // namespace tw::decode
