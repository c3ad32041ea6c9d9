// SPDX-License-Identifier: BSD-3-Clause
// The TCP header itself, and headers quoted in ICMP errors.
#include <gtest/gtest.h>

#include "samples.hpp"

namespace tw::decode {
namespace {

using stats::Counter;
using test::Bytes;
using test::PacketBuilder;

PacketBuilder tcp() {
    return PacketBuilder().ethernet().ipv4(kClient4, kServer4).tcp(kClientPort, kServerPort);
}

TEST(Tcp, every_field_is_read_from_its_place) {
    const auto decoding = decode_built(
        tcp().seq(0x01020304).ack(0xF1F2F3F4).flag_bits(0xA5).window(0xBEEF).urgent(7).payload(9));
    const Segment& segment = decoding->out.segment;
    EXPECT_EQ(segment.seq, 0x01020304U);
    EXPECT_EQ(segment.ack, 0xF1F2F3F4U);
    EXPECT_EQ(segment.flags, 0xA5);
    EXPECT_EQ(segment.window, 0xBEEF);
    EXPECT_EQ(segment.payload_bytes, 9U);
    const flow::KeyV4 key{{{10, 0, 0, 1}, {10, 0, 0, 2}}, {kClientPort, kServerPort}, 0};
    EXPECT_EQ(decoding->out.key.v4, key);
}

TEST(Tcp, options_are_pointed_at) {
    const auto decoding = decode_built(tcp().option_mss(1460).option_wscale(7).payload(10));
    const Segment& segment = decoding->out.segment;
    ASSERT_TRUE(segment.header_complete);
    EXPECT_EQ(segment.data_words, 7);
    ASSERT_EQ(segment.options_bytes, 8);
    EXPECT_EQ(Bytes(segment.options, segment.options + 8), (Bytes{2, 4, 5, 0xB4, 3, 3, 7, 0}));
    EXPECT_EQ(segment.payload_bytes, 10U);
}

TEST(Tcp, forty_bytes_of_options_fit) {
    auto builder = tcp();
    for (int i = 0; i < 10; ++i) {
        builder.option_raw({1, 1, 1, 1});
    }
    const auto decoding = decode_built(builder.payload(3));
    EXPECT_EQ(decoding->out.segment.options_bytes, 40);
    EXPECT_EQ(decoding->out.segment.payload_bytes, 3U);
}

TEST(Tcp, cut_inside_the_options_it_keeps_its_length_and_what_stands_before) {
    Bytes bytes = tcp().option_timestamps(1, 2).payload(100).build();
    const auto wire_bytes = static_cast<std::uint32_t>(bytes.size());
    bytes.resize(14 + 20 + 31);
    const auto decoding = decode_bytes(bytes, LinkType::ethernet, wire_bytes);
    const Segment& segment = decoding->out.segment;
    EXPECT_TRUE(segment.payload_known);
    EXPECT_EQ(segment.payload_bytes, 100U);
    EXPECT_FALSE(segment.header_complete);
    // 31 bytes of header are captured, 20 of them before the options; nothing beyond may be read.
    EXPECT_EQ(segment.options_bytes, 11);
    ASSERT_NE(segment.options, nullptr);
    EXPECT_EQ(decoding->count(Counter::cut_segments), 1U);

    bytes.resize(14 + 20 + 20);
    const auto bare = decode_bytes(bytes, LinkType::ethernet, wire_bytes);
    EXPECT_FALSE(bare->out.segment.header_complete);
    EXPECT_EQ(bare->out.segment.options, nullptr);
    EXPECT_EQ(bare->out.segment.options_bytes, 0);
}

TEST(Tcp, a_data_offset_below_five_words_counts_into_the_length) {
    for (std::uint8_t words = 0; words < 5; ++words) {
        const auto decoding = decode_built(tcp().data_offset(words).payload(100));
        const Segment& segment = decoding->out.segment;
        ASSERT_TRUE(decoding->has_segment());
        EXPECT_EQ(segment.data_words, words);
        EXPECT_TRUE(segment.payload_known);
        EXPECT_EQ(segment.payload_bytes, 120U - 4U * words);
        EXPECT_FALSE(segment.header_complete);
        EXPECT_EQ(decoding->count(Counter::cut_segments), 0U);  // wrong, not cut
    }
}

TEST(Tcp, a_data_offset_beyond_the_ip_length_leaves_the_payload_unknown) {
    const auto decoding = decode_built(tcp().data_offset(15).payload(39));
    ASSERT_TRUE(decoding->has_segment());
    EXPECT_FALSE(decoding->out.segment.payload_known);
    EXPECT_EQ(decoding->out.segment.payload_bytes, 0U);
    EXPECT_FALSE(decoding->out.segment.header_complete);
    const auto exact = decode_built(tcp().data_offset(15).payload(40));
    EXPECT_TRUE(exact->out.segment.payload_known);
    EXPECT_EQ(exact->out.segment.payload_bytes, 0U);
    EXPECT_TRUE(exact->out.segment.header_complete);
}

TEST(Tcp, sixteen_bytes_by_ip_length_are_enough_to_be_seen) {
    for (const std::uint16_t tcp_bytes : {std::uint16_t{15}, std::uint16_t{16}}) {
        auto builder = PacketBuilder().ethernet().ipv4(kClient4, kServer4);
        builder.total_length(static_cast<std::uint16_t>(20 + tcp_bytes)).tcp(1, 2).payload(50);
        EXPECT_EQ(decode_built(builder)->out.outcome,
                  tcp_bytes < 16 ? Counter::decode_tcp_cut : Counter::decoded_segments);
    }
}

TEST(Tcp, wrong_checksums_are_of_no_interest) {
    auto builder = PacketBuilder().ethernet().ipv4(kClient4, kServer4).set16(10, 0xDEAD);
    builder.tcp(1, 2).set16(16, 0xDEAD).payload(10);
    EXPECT_EQ(decode_built(builder)->out.outcome, Counter::decoded_segments);
}

TEST(Tcp, equal_addresses_are_told_apart_by_port_and_equal_ports_not_at_all) {
    const auto sender = [](std::uint16_t source, std::uint16_t destination) {
        auto builder = PacketBuilder().ethernet().ipv4(kClient4, kClient4);
        return decode_built(builder.tcp(source, destination))->out.sender;
    };
    EXPECT_EQ(sender(1000, 80), 1);
    EXPECT_EQ(sender(80, 1000), 0);
    EXPECT_EQ(sender(80, 80), 0);
}

// --- ICMP errors

PacketBuilder quoting(std::uint8_t type, std::optional<std::size_t> quoted_bytes = {}) {
    auto builder = PacketBuilder().ethernet().ipv4("192.0.2.1", kClient4);
    builder.icmp_error(type, 0, quoted_bytes).ipv4(kClient4, kServer4);
    return builder.tcp(kClientPort, kServerPort).seq(77).flags("S").payload(1000);
}

TEST(IcmpQuote, errors_show_the_quoted_header_with_its_own_sender) {
    for (const std::uint8_t type : Bytes{3, 4, 11, 12}) {
        const auto decoding = decode_built(quoting(type));
        ASSERT_TRUE(decoding->has_segment()) << int{type};
        const Decoded& out = decoding->out;
        EXPECT_TRUE(out.segment.quoted);
        EXPECT_FALSE(out.segment.payload_known);
        EXPECT_EQ(out.segment.seq, 77U);
        EXPECT_EQ(out.sender, 0);  // the client, though the router sent the frame
        EXPECT_EQ(decoding->count(Counter::quoted_segments), 1U);
        EXPECT_EQ(decoding->count(Counter::length_beyond_frame), 0U);
    }
}

TEST(IcmpQuote, messages_that_are_no_errors_and_redirects_show_nothing) {
    for (const std::uint8_t type : Bytes{0, 5, 8, 13, 255}) {
        EXPECT_EQ(decode_built(quoting(type))->out.outcome, Counter::decode_not_tcp) << int{type};
    }
}

TEST(IcmpQuote, sixteen_quoted_tcp_bytes_are_needed) {
    EXPECT_EQ(decode_built(quoting(3, 20 + 8))->out.outcome, Counter::decode_tcp_cut);
    EXPECT_EQ(decode_built(quoting(3, 20 + 15))->out.outcome, Counter::decode_tcp_cut);
    const auto short_quote = decode_built(quoting(3, 20 + 16));
    EXPECT_TRUE(short_quote->has_segment());
    EXPECT_FALSE(short_quote->out.segment.header_complete);
    EXPECT_TRUE(decode_built(quoting(3, 20 + 20))->out.segment.header_complete);
}

TEST(IcmpQuote, the_rest_of_a_quote_is_not_a_length_beyond_the_frame) {
    const auto decoding = decode_built(quoting(3, 40));
    EXPECT_EQ(decoding->count(Counter::length_beyond_frame), 0U);
}

TEST(IcmpQuote, the_stated_length_of_the_quote_is_respected) {
    // RFC 4884, counted as Wireshark does: words after the IP header.
    auto builder = PacketBuilder().ethernet().ipv4("192.0.2.1", kClient4);
    builder.icmp_error(3, 0).set8(5, 3).ipv4(kClient4, kServer4).tcp(1, 2).payload(100);
    EXPECT_EQ(decode_built(builder)->out.outcome, Counter::decode_tcp_cut);
    auto longer = PacketBuilder().ethernet().ipv4("192.0.2.1", kClient4);
    longer.icmp_error(3, 0).set8(5, 4).ipv4(kClient4, kServer4).tcp(1, 2).payload(100);
    EXPECT_EQ(decode_built(longer)->out.outcome, Counter::decoded_segments);
}

TEST(IcmpQuote, icmpv6_errors_are_types_1_to_4) {
    for (int type = 0; type < 256; ++type) {
        auto builder = PacketBuilder().ethernet().ipv6("2001:db8::99", kClient6);
        builder.icmpv6_error(static_cast<std::uint8_t>(type)).ipv6(kClient6, kServer6);
        builder.tcp(kClientPort, kServerPort).payload(10);
        const bool is_error = type >= 1 && type <= 4;
        EXPECT_EQ(decode_built(builder)->has_segment(), is_error) << type;
    }
}

TEST(IcmpQuote, a_quoted_tunnel_is_followed) {
    auto builder = PacketBuilder().ethernet().ipv4("192.0.2.9", "192.0.2.1").icmp_error();
    builder.ipv4("192.0.2.1", "192.0.2.2").vxlan(5).ethernet();
    const auto decoding = decode_built(with_segment(builder, {}));
    ASSERT_TRUE(decoding->has_segment());
    EXPECT_TRUE(decoding->out.segment.quoted);
}

TEST(IcmpQuote, a_quoted_later_fragment_has_no_header) {
    auto builder = PacketBuilder().ethernet().ipv4("192.0.2.1", kClient4).icmp_error();
    builder.ipv4(kClient4, kServer4).fragment(800, false).next_protocol(6).payload(60);
    EXPECT_EQ(decode_built(builder)->out.outcome, Counter::decode_later_fragment);
}

}  // namespace
}  // namespace tw::decode
