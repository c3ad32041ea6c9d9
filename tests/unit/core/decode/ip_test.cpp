// SPDX-License-Identifier: BSD-3-Clause
// IPv4 and IPv6: where the payload length comes from, fragments, and the addresses that count.
#include <gtest/gtest.h>

#include "samples.hpp"

namespace tw::decode {
namespace {

using stats::Counter;
using test::Bytes;
using test::PacketBuilder;

PacketBuilder ipv4() {
    return PacketBuilder().ethernet().ipv4(kClient4, kServer4);
}
PacketBuilder ipv6() {
    return PacketBuilder().ethernet().ipv6(kClient6, kServer6);
}

PacketBuilder& tcp(PacketBuilder& builder, std::size_t payload_bytes = 100) {
    return builder.tcp(kClientPort, kServerPort).payload(payload_bytes);
}

// --- lengths, as Wireshark takes them

TEST(PayloadLength, total_length_within_the_frame_is_used) {
    auto shorter = ipv4().total_length(20 + 20 + 60);
    const auto decoding = decode_built(tcp(shorter));
    EXPECT_TRUE(decoding->out.segment.payload_known);
    EXPECT_EQ(decoding->out.segment.payload_bytes, 60U);
    EXPECT_EQ(decoding->count(Counter::length_beyond_frame), 0U);
}

TEST(PayloadLength, total_length_zero_takes_the_rest_of_the_wire_with_padding) {
    auto offloaded = ipv4().total_length(0);
    const auto decoding = decode_built(tcp(offloaded, 3000).padding(7));
    EXPECT_EQ(decoding->out.segment.payload_bytes, 3007U);
    EXPECT_EQ(decoding->count(Counter::super_frames), 1U);
    EXPECT_EQ(decoding->count(Counter::length_beyond_frame), 0U);
}

TEST(PayloadLength, total_length_zero_may_exceed_64_kib) {
    auto offloaded = ipv4().total_length(0);
    Bytes bytes = tcp(offloaded, 100'000).build();
    const auto wire_bytes = static_cast<std::uint32_t>(bytes.size());
    bytes.resize(54);
    EXPECT_EQ(decode_bytes(bytes, LinkType::ethernet, wire_bytes)->out.segment.payload_bytes,
              100'000U);
}

TEST(PayloadLength, total_length_beyond_the_frame_takes_the_rest_of_the_wire) {
    auto longer = ipv4().total_length(1500);
    const auto decoding = decode_built(tcp(longer));
    EXPECT_EQ(decoding->out.segment.payload_bytes, 100U);
    EXPECT_EQ(decoding->count(Counter::length_beyond_frame), 1U);
}

TEST(PayloadLength, total_length_below_the_header_is_no_ip) {
    for (const std::uint8_t length : Bytes{1, 19}) {
        auto impossible = ipv4().total_length(length);
        EXPECT_EQ(decode_built(tcp(impossible))->out.outcome, Counter::decode_bad_ip_header);
    }
    auto header_only = ipv4().total_length(20);
    EXPECT_EQ(decode_built(tcp(header_only))->out.outcome, Counter::decode_tcp_cut);
}

TEST(PayloadLength, ipv6_beyond_the_frame_takes_the_rest_of_the_wire) {
    auto longer = ipv6().total_length(1500);
    const auto decoding = decode_built(tcp(longer));
    EXPECT_EQ(decoding->out.segment.payload_bytes, 100U);
    EXPECT_EQ(decoding->count(Counter::length_beyond_frame), 1U);
}

TEST(PayloadLength, ipv6_zero_leaves_nothing_for_tcp) {
    auto zero = ipv6().total_length(0);
    EXPECT_EQ(decode_built(tcp(zero))->out.outcome, Counter::decode_tcp_cut);
}

TEST(PayloadLength, the_jumbo_option_says_it_where_ipv6_cannot) {
    auto jumbo = ipv6().jumbo();
    Bytes bytes = tcp(jumbo, 70'000).build();
    const auto wire_bytes = static_cast<std::uint32_t>(bytes.size());
    bytes.resize(120);
    const auto decoding = decode_bytes(bytes, LinkType::ethernet, wire_bytes);
    EXPECT_EQ(decoding->out.segment.payload_bytes, 70'000U);
    EXPECT_EQ(decoding->count(Counter::super_frames), 1U);
}

TEST(PayloadLength, a_jumbo_option_for_what_ipv6_could_say_is_refused) {
    auto small = ipv6().jumbo(65'535);
    EXPECT_EQ(decode_built(tcp(small))->out.outcome, Counter::decode_bad_ip_header);
    auto absent = ipv6().total_length(0).hop_by_hop();
    EXPECT_EQ(decode_built(tcp(absent))->out.outcome, Counter::decode_bad_ip_header);
    auto beyond = ipv6().jumbo(65'536);
    const auto decoding = decode_built(tcp(beyond));
    EXPECT_EQ(decoding->out.segment.payload_bytes, 100U);
    EXPECT_EQ(decoding->count(Counter::length_beyond_frame), 1U);
}

TEST(PayloadLength, a_claim_of_less_wire_than_was_captured_is_ignored) {
    auto builder = ipv4();
    EXPECT_EQ(decode_bytes(tcp(builder).build(), LinkType::ethernet, 10)->out.segment.payload_bytes,
              100U);
}

// --- IPv4

TEST(Ipv4, a_header_length_below_five_words_is_impossible) {
    for (const std::uint8_t first : Bytes{0x40, 0x44}) {
        auto builder = ipv4().set8(0, first);
        EXPECT_EQ(decode_built(tcp(builder))->out.outcome, Counter::decode_bad_ip_header);
    }
    auto version = ipv4().set8(0, 0x75);
    EXPECT_EQ(decode_built(tcp(version))->out.outcome, Counter::decode_bad_ip_header);
}

TEST(Ipv4, ttl_and_id_are_those_of_the_innermost_header) {
    auto builder = ipv4().ttl(11).ip_id(12).ipv4("10.0.0.3", "10.0.0.4").ttl(21).ip_id(22);
    const auto decoding = decode_built(tcp(builder));
    EXPECT_EQ(decoding->out.ttl, 21);
    EXPECT_EQ(decoding->out.ip_id, 22);
    auto v6 = ipv4().ip_id(12).ipv6(kClient6, kServer6).ttl(9);
    EXPECT_EQ(decode_built(tcp(v6))->out.ttl, 9);
    EXPECT_EQ(decode_built(v6)->out.ip_id, 0);
}

TEST(Ipv4, sixty_bytes_of_options_are_stepped_over) {
    auto builder = ipv4().ip_options(Bytes(40, 1));
    EXPECT_EQ(decode_built(tcp(builder))->out.segment.payload_bytes, 100U);
}

flow::AddressV4 destination_of(PacketBuilder builder) {
    const auto decoding = decode_built(tcp(builder));
    EXPECT_TRUE(decoding->has_segment());
    return decoding->out.key.v4.address[decoding->out.sender ^ 1];
}

TEST(Ipv4, a_source_route_in_use_names_the_real_destination) {
    const flow::AddressV4 last{10, 9, 9, 9};
    EXPECT_EQ(destination_of(ipv4().source_route({"10.9.9.9"})), last);
    EXPECT_EQ(destination_of(ipv4().source_route({"10.9.9.8", "10.9.9.9"}, 8)), last);
    EXPECT_EQ(destination_of(ipv4().source_route({"10.9.9.8", "10.9.9.9"}, 4, 0x89)), last);
}

TEST(Ipv4, a_source_route_used_up_or_malformed_changes_nothing) {
    const flow::AddressV4 header{10, 0, 0, 2};
    EXPECT_EQ(destination_of(ipv4().source_route({"10.9.9.9"}, 8)), header);
    EXPECT_EQ(destination_of(ipv4().ip_options(Bytes{0x83, 3, 4})), header);
    EXPECT_EQ(destination_of(ipv4().ip_options(Bytes{0x83, 8, 4, 1, 2, 3, 4, 5})), header);
    EXPECT_EQ(destination_of(ipv4().ip_options(Bytes{0x83, 200, 4, 1})), header);
    EXPECT_EQ(destination_of(ipv4().ip_options(Bytes{0x83, 0, 4, 1})), header);
    EXPECT_EQ(destination_of(ipv4().ip_options(Bytes{0, 0x83, 7, 4, 9, 9, 9, 9})), header);
    EXPECT_EQ(destination_of(ipv4().ip_options(Bytes{1, 1, 1, 0x83})), header);
    EXPECT_EQ(destination_of(ipv4().ip_options(Bytes{1, 1, 1, 1, 0x83, 11, 4, 0})), header);
}

// --- fragments

TEST(Fragments, the_first_touches_the_connection_without_a_length) {
    auto builder = ipv4().fragment(0, true);
    const auto decoding = decode_built(tcp(builder));
    ASSERT_TRUE(decoding->has_segment());
    EXPECT_TRUE(decoding->out.segment.fragmented);
    EXPECT_FALSE(decoding->out.segment.payload_known);
    EXPECT_EQ(decoding->out.segment.payload_bytes, 0U);
    EXPECT_TRUE(decoding->out.segment.header_complete);
    EXPECT_EQ(decoding->count(Counter::fragmented_segments), 1U);
}

TEST(Fragments, later_ones_carry_no_header) {
    for (const bool more : {false, true}) {
        auto builder = ipv4().fragment(1480, more).next_protocol(6).payload(100);
        EXPECT_EQ(decode_built(builder)->out.outcome, Counter::decode_later_fragment);
        auto v6 = ipv6().fragment_header(1480, more).next_protocol(6).payload(100);
        EXPECT_EQ(decode_built(v6)->out.outcome, Counter::decode_later_fragment);
    }
}

TEST(Fragments, the_first_of_ipv6_likewise_and_an_atomic_one_is_whole) {
    auto first = ipv6().fragment_header(0, true);
    const auto decoding = decode_built(tcp(first));
    EXPECT_TRUE(decoding->out.segment.fragmented);
    EXPECT_FALSE(decoding->out.segment.payload_known);
    auto atomic = ipv6().fragment_header(0, false);
    EXPECT_FALSE(decode_built(tcp(atomic))->out.segment.fragmented);
    EXPECT_EQ(decode_built(atomic)->out.segment.payload_bytes, 100U);
}

TEST(Fragments, an_outer_first_fragment_shows_the_inner_segment_as_far_as_it_goes) {
    auto builder = PacketBuilder().ethernet().ipv4("192.0.2.1", "192.0.2.2").fragment(0, true);
    builder.ipv4(kClient4, kServer4).total_length(1400);
    const auto decoding = decode_built(tcp(builder, 60));
    ASSERT_TRUE(decoding->has_segment());
    EXPECT_FALSE(decoding->out.segment.fragmented);
    EXPECT_EQ(decoding->out.segment.payload_bytes, 60U);
}

TEST(Fragments, ipv6_inside_an_outer_first_fragment_stays_fragmented) {
    auto builder = PacketBuilder().ethernet().ipv4("192.0.2.1", "192.0.2.2").fragment(0, true);
    builder.ipv6(kClient6, kServer6);
    EXPECT_TRUE(decode_built(tcp(builder))->out.segment.fragmented);
}

// --- IPv6 extension headers

struct Addresses {
    flow::AddressV6 source;
    flow::AddressV6 destination;
};

Addresses addresses_of(PacketBuilder builder) {
    const auto decoding = decode_built(tcp(builder));
    EXPECT_TRUE(decoding->has_segment());
    EXPECT_TRUE(decoding->out.v6);
    const auto& address = decoding->out.key.v6_key.address;
    return {address[decoding->out.sender], address[decoding->out.sender ^ 1]};
}

TEST(Ipv6Extension, tcp_behind_every_kind_is_found) {
    auto builder = ipv6()
                       .hop_by_hop()
                       .destination_options(Bytes(30, 0))
                       .routing(0, 0, {"2001:db8::9"})
                       .fragment_header(0, false)
                       .authentication()
                       .destination_options();
    const auto decoding = decode_built(tcp(builder));
    ASSERT_TRUE(decoding->has_segment());
    EXPECT_EQ(decoding->out.segment.payload_bytes, 100U);
    EXPECT_EQ(decoding->out.layers, 8);
}

TEST(Ipv6Extension, a_routing_header_in_use_names_the_real_destination) {
    const auto a = test::ipv6_bytes("2001:db8::a");
    const auto b = test::ipv6_bytes("2001:db8::b");
    const auto header = test::ipv6_bytes(kServer6);
    const auto routed = [](std::uint8_t type, std::uint8_t segments_left) {
        return addresses_of(ipv6().routing(type, segments_left, {"2001:db8::a", "2001:db8::b"}))
            .destination;
    };
    EXPECT_EQ(routed(0, 1), b);  // the last
    EXPECT_EQ(routed(0, 2), b);
    EXPECT_EQ(routed(4, 1), a);  // SRv6 lists backwards
    EXPECT_EQ(routed(2, 1), a);
    for (const std::uint8_t type : Bytes{0, 1, 2, 3, 4, 5}) {
        EXPECT_EQ(routed(type, 0), header) << int{type};
    }
    EXPECT_EQ(routed(1, 1), header);
}

TEST(Ipv6Extension, a_compressed_rpl_route_is_completed_from_the_destination) {
    // Two addresses without the 15 bytes they share: CmprI = CmprE = 15, so one byte each.
    const Bytes fields{0xFF, 0x60, 0, 0, 0x0A, 0x0B, 0, 0, 0, 0, 0, 0};
    EXPECT_EQ(addresses_of(ipv6().routing(3, 1, fields)).destination,
              test::ipv6_bytes("2001:db8::b"));
    // A list shorter than its padding: the header's own destination.
    const Bytes padded{0x00, 0xF0, 0, 0};
    EXPECT_EQ(addresses_of(ipv6().routing(3, 1, padded)).destination, test::ipv6_bytes(kServer6));
}

TEST(Ipv6Extension, an_impossible_routing_list_is_a_bad_header) {
    auto segments = ipv6().routing(4, 1, {"2001:db8::a"}).set8(4, 1);  // last entry 1 of one
    EXPECT_EQ(decode_built(tcp(segments))->out.outcome, Counter::decode_bad_ip_header);
    auto mobility = ipv6().routing(2, 1, Bytes{0, 0, 0, 0});
    EXPECT_EQ(decode_built(tcp(mobility))->out.outcome, Counter::decode_bad_ip_header);
}

TEST(Ipv6Extension, the_home_address_is_the_source) {
    const auto addresses = addresses_of(ipv6().home_address("2001:db8::77"));
    EXPECT_EQ(addresses.source, test::ipv6_bytes("2001:db8::77"));
    EXPECT_EQ(addresses.destination, test::ipv6_bytes(kServer6));
}

TEST(Ipv6Extension, an_option_beyond_the_packet_is_a_bad_header) {
    auto builder = ipv6().destination_options(Bytes{5, 255, 0, 0, 0, 0});
    EXPECT_EQ(decode_built(tcp(builder, 20))->out.outcome, Counter::decode_bad_ip_header);
    // Into what follows the header, but within the packet: the header stands.
    EXPECT_EQ(decode_built(tcp(builder, 300))->out.outcome, Counter::decoded_segments);
}

TEST(Ipv6Extension, is_stepped_over_under_ipv4_without_changing_addresses) {
    const Bytes home_address{6, 2, 1, 2, 0, 0, 0xC9, 16, 0x20, 1, 0xD, 0xB8,
                             0, 0, 0, 0, 0, 0, 0,    0,  0,    0, 0,   9};
    const Bytes route{6, 2, 0, 1, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
    const flow::KeyV4 key{{{10, 0, 0, 1}, {10, 0, 0, 2}}, {kClientPort, kServerPort}, 0};
    for (const auto& [protocol, header] : {std::pair{60, home_address}, std::pair{43, route}}) {
        auto builder = ipv4().next_protocol(static_cast<std::uint8_t>(protocol)).raw(header);
        const auto decoding = decode_built(tcp(builder));
        ASSERT_TRUE(decoding->has_segment()) << protocol;
        EXPECT_EQ(decoding->out.key.v4, key) << protocol;
    }
}

}  // namespace
}  // namespace tw::decode
