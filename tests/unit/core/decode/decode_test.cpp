// SPDX-License-Identifier: BSD-3-Clause
// The walk as a whole: its bound, the outcomes without TCP, the counters, the scope of the key.
#include "core/decode/decode.hpp"

#include <gtest/gtest.h>

#include "core/decode/layer.hpp"
#include "samples.hpp"

namespace tw::decode {
namespace {

using stats::Counter;
using test::Bytes;
using test::PacketBuilder;

Counter outcome_of(PacketBuilder builder, LinkType link = LinkType::ethernet) {
    return decode_built(builder, link)->out.outcome;
}

PacketBuilder tags(int count) {
    auto builder = PacketBuilder().ethernet();
    for (int i = 0; i < count; ++i) {
        builder.vlan(1);
    }
    with_segment(builder, {});
    return builder;
}

TEST(Decode, as_many_headers_as_the_limit_are_walked_and_one_more_is_not) {
    // Ethernet, tags, IPv4, TCP.
    const auto fits = decode_built(tags(kLayersMax - 3));
    EXPECT_EQ(fits->out.outcome, Counter::decoded_segments);
    EXPECT_EQ(fits->out.layers, kLayersMax - 1);
    EXPECT_EQ(outcome_of(tags(kLayersMax - 2)), Counter::decode_too_many_layers);
}

TEST(Decode, endless_nesting_of_any_kind_ends) {
    auto labels = PacketBuilder().ethernet();
    auto datagrams = PacketBuilder().ethernet();
    auto options = PacketBuilder().ethernet().ipv6(kClient6, kServer6);
    for (int i = 0; i < 200; ++i) {
        labels.mpls(16);
        datagrams.ipv4(kClient4, kServer4);
        options.hop_by_hop();
    }
    for (auto* builder : {&labels, &datagrams, &options}) {
        builder->ipv4(kClient4, kServer4).tcp(1, 2);
        EXPECT_EQ(outcome_of(*builder), Counter::decode_too_many_layers);
    }
}

TEST(Decode, layers_counts_the_headers_before_tcp) {
    EXPECT_EQ(decode_built(tags(0))->out.layers, 2);
    EXPECT_EQ(decode_built(tags(1))->out.layers, 3);
    EXPECT_EQ(decode_built(tags(2))->out.layers, 4);
    auto tunnel = outer_ipv4().vxlan(1).ethernet();
    EXPECT_EQ(decode_built(with_segment(tunnel, {}))->out.layers, 6);
}

TEST(Decode, a_frame_without_ip_says_so) {
    EXPECT_EQ(outcome_of(PacketBuilder().ethernet().set16(12, 0x0806).raw(Bytes(28, 0))),
              Counter::decode_not_ip);  // ARP
    EXPECT_EQ(outcome_of(PacketBuilder().ethernet().set16(12, 0x88CC).raw(Bytes(60, 0))),
              Counter::decode_not_ip);  // LLDP
    const Bytes spanning_tree{0x42, 0x42, 0x03, 0, 0, 0, 0};
    EXPECT_EQ(outcome_of(PacketBuilder().ethernet().set16(12, 7).raw(spanning_tree)),
              Counter::decode_not_ip);
}

TEST(Decode, ip_without_tcp_says_so) {
    EXPECT_EQ(outcome_of(outer_ipv4().udp(53, 40000).payload(30)), Counter::decode_not_tcp);
    EXPECT_EQ(outcome_of(outer_ipv6().udp(53, 40000).payload(30)), Counter::decode_not_tcp);
    EXPECT_EQ(outcome_of(outer_ipv4().next_protocol(50).payload(40)), Counter::decode_not_tcp);
    // ARP inside a tunnel: there was IP.
    EXPECT_EQ(outcome_of(outer_ipv4().vxlan(1).ethernet().set16(12, 0x0806).raw(Bytes(28, 0))),
              Counter::decode_not_tcp);
}

TEST(Decode, a_link_type_not_supported_is_not_touched) {
    const auto decoding = decode_bytes(Bytes(60, 0x45), LinkType::unsupported);
    EXPECT_EQ(decoding->out.outcome, Counter::decode_unsupported_link);
    EXPECT_EQ(decoding->out.layers, 0);
    EXPECT_EQ(outcomes(decoding->counters), 1U);
}

TEST(Decode, an_empty_frame_is_truncated_on_every_link) {
    for (const LinkType link : {LinkType::ethernet, LinkType::raw_ip, LinkType::linux_sll,
                                LinkType::linux_sll2, LinkType::bsd_null, LinkType::bsd_loop}) {
        EXPECT_EQ(decode_bytes({}, link)->out.outcome, Counter::decode_truncated);
        EXPECT_EQ(decode_bytes({}, link, 1500)->out.outcome, Counter::decode_truncated);
    }
}

TEST(Decode, slices_and_super_frames_are_counted_as_properties) {
    auto builder = PacketBuilder().ethernet().ipv4(kClient4, kServer4).tcp(1, 2).payload(9217);
    const auto large = decode_built(builder);
    EXPECT_EQ(large->out.outcome, Counter::decoded_segments);
    EXPECT_EQ(large->count(Counter::super_frames), 1U);
    EXPECT_EQ(large->count(Counter::sliced_frames), 0U);
    EXPECT_EQ(decode_built(builder.payload(9216))->count(Counter::super_frames), 0U);

    Bytes sliced = builder.payload(1000).build();
    const auto wire_bytes = static_cast<std::uint32_t>(sliced.size());
    sliced.resize(96);
    const auto decoding = decode_bytes(sliced, LinkType::ethernet, wire_bytes);
    EXPECT_EQ(decoding->count(Counter::sliced_frames), 1U);
    EXPECT_EQ(decoding->out.segment.payload_bytes, 1000U);
}

TEST(Decode, properties_of_frames_without_tcp_are_counted_too) {
    Bytes udp = outer_ipv4().udp(53, 40000).payload(300).build();
    udp.resize(60);
    const auto decoding = decode_bytes(udp, LinkType::ethernet, 342);
    EXPECT_EQ(decoding->out.outcome, Counter::decode_not_tcp);
    EXPECT_EQ(decoding->count(Counter::sliced_frames), 1U);
}

DecodeOptions scope_options(KeyScope scope) {
    DecodeOptions options;
    options.key_scope[3] = scope;
    return options;
}

std::uint32_t scope_of(PacketBuilder outer, KeyScope scope, std::uint8_t tap = 3, bool v6 = false) {
    const auto bytes = with_segment(outer, {.v6 = v6}).build();
    const auto decoding = decode_bytes(bytes, LinkType::ethernet, 0, scope_options(scope), tap);
    EXPECT_TRUE(decoding->has_segment());
    return v6 ? decoding->out.key.v6_key.scope : decoding->out.key.v4.scope;
}

PacketBuilder in_vlan(std::uint16_t id) {
    return PacketBuilder().ethernet().vlan(id);
}
PacketBuilder in_vxlan(std::uint32_t vni) {
    return outer_ipv4().vxlan(vni).ethernet();
}

TEST(KeyScope, vlan_and_tunnel_are_no_part_of_the_key_by_default) {
    EXPECT_EQ(scope_of(in_vlan(5), {}), 0U);
    EXPECT_EQ(scope_of(in_vxlan(5), {}), 0U);
    EXPECT_EQ(scope_of(in_vlan(5), {.tunnel = true}), 0U);
    EXPECT_EQ(scope_of(in_vxlan(5), {.vlan = true}), 0U);
}

TEST(KeyScope, counts_only_on_the_tap_it_was_asked_for) {
    EXPECT_NE(scope_of(in_vlan(5), {.vlan = true}, 3), 0U);
    EXPECT_EQ(scope_of(in_vlan(5), {.vlan = true}, 2), 0U);
}

TEST(KeyScope, the_innermost_vlan_counts_and_a_priority_tag_is_none) {
    const KeyScope scope{.vlan = true};
    EXPECT_NE(scope_of(in_vlan(5), scope), scope_of(in_vlan(6), scope));
    EXPECT_EQ(scope_of(in_vlan(5), scope), scope_of(in_vlan(5), scope, 3, true));
    EXPECT_EQ(scope_of(in_vlan(9).vlan(5), scope), scope_of(in_vlan(5), scope));
    EXPECT_EQ(scope_of(in_vlan(5).vlan(0), scope), scope_of(in_vlan(5), scope));
    EXPECT_EQ(scope_of(in_vlan(0), scope), 0U);
    EXPECT_EQ(scope_of(in_vxlan(1).vlan(5), scope), scope_of(in_vlan(5), scope));
}

TEST(KeyScope, tunnel_ids_are_told_apart_and_the_innermost_counts) {
    const KeyScope scope{.tunnel = true};
    EXPECT_EQ(scope_of(in_vxlan(77), scope), 77U);
    EXPECT_EQ(scope_of(outer_ipv4().geneve(78), scope), 78U);
    EXPECT_EQ(scope_of(outer_ipv4().gtpu(0xFEDC'BA98), scope), 0xFEDC'BA98U);
    EXPECT_EQ(scope_of(outer_ipv4().gre({.key = 79, .checksum = true}), scope), 79U);
    EXPECT_EQ(scope_of(in_vxlan(1).ipv4("192.0.2.3", "192.0.2.4").gtpu(80), scope), 80U);
    EXPECT_EQ(scope_of(outer_ipv4().gre(), scope), 0U);
}

TEST(KeyScope, vlan_and_tunnel_together_tell_all_four_apart) {
    const KeyScope scope{.vlan = true, .tunnel = true};
    std::vector<std::uint32_t> scopes;
    for (const std::uint32_t vni : {1U, 2U}) {
        for (const std::uint16_t vlan : {std::uint16_t{1}, std::uint16_t{2}}) {
            scopes.push_back(scope_of(in_vxlan(vni).vlan(vlan), scope));
        }
    }
    std::ranges::sort(scopes);
    EXPECT_EQ(std::ranges::adjacent_find(scopes), scopes.end());
}

TEST(LayerTable, names_and_helps_every_layer_once) {
    const auto rows = layer_table();
    ASSERT_EQ(rows.size(), kLayers);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(rows[i].id, static_cast<Layer>(i));
        EXPECT_FALSE(rows[i].help.empty()) << rows[i].name;
        for (std::size_t j = 0; j < i; ++j) {
            EXPECT_NE(rows[i].name, rows[j].name);
        }
    }
}

}  // namespace
}  // namespace tw::decode
