// SPDX-License-Identifier: BSD-3-Clause
// What a frame at a tap tells, and the sum of its payload that the checksum gives away.
#include "core/taps/packet.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <span>

#include "core/decode/decode.hpp"
#include "support/packet_builder.hpp"
#include "support/random.hpp"

namespace tw::taps {
namespace {

using test::Bytes;
using test::PacketBuilder;

Packet packet_of(const Bytes& bytes, Side tap = Side::outside) {
    auto counters = std::make_unique<stats::Counters>();
    decode::Decoded found;
    const Frame frame = test::frame_of(bytes, 5, 7);
    decode::decode(frame, DecodeOptions{}, *counters, found);
    Packet packet;
    read_packet(frame, found, tap, packet);
    return packet;
}

// RFC 1071 with its 0xffff told as 0; shares nothing with the code it checks.
std::uint16_t sum_of(std::span<const std::uint8_t> bytes) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        sum += i % 2 == 0 ? std::uint32_t{bytes[i]} << 8 : std::uint32_t{bytes[i]};
    }
    return static_cast<std::uint16_t>(sum % 0xFFFF);
}

PacketBuilder any_header(test::Random& random) {
    PacketBuilder builder;
    builder.ethernet();
    if (random.chance(50)) {
        builder.ipv4(test::Ipv4Bytes{10, 0, 1, static_cast<std::uint8_t>(random.word())},
                     test::Ipv4Bytes{192, 0, 2, static_cast<std::uint8_t>(random.word())});
    } else {
        test::Ipv6Bytes client{0x20, 0x01};
        client[15] = static_cast<std::uint8_t>(random.word());
        builder.ipv6(client, test::Ipv6Bytes{0x20, 0x01, 0xFF});
    }
    builder.tcp(static_cast<std::uint16_t>(random.word()), 443)
        .seq(random.word())
        .ack(random.word())
        .flags("PA")
        .window(static_cast<std::uint16_t>(random.word()));
    if (random.chance(50)) {
        builder.option_nop().option_nop().option_timestamps(random.word(), random.word());
    }
    if (random.chance(30)) {
        builder.urgent(static_cast<std::uint16_t>(random.word()));
    }
    return builder;
}

TEST(PayloadDigest, is_the_sum_of_the_payload_for_any_header_and_length) {
    test::Random random(1);
    std::uint32_t known = 0;
    for (int i = 0; i < 20'000; ++i) {
        Bytes payload(random.below(200));
        for (std::uint8_t& byte : payload) {
            byte =
                random.chance(20) ? std::uint8_t{0xFF} : static_cast<std::uint8_t>(random.word());
        }
        const Packet packet = packet_of(any_header(random).payload(payload).build());
        known += packet.digest_known ? 1 : 0;
        if (packet.digest_known) {
            ASSERT_EQ(packet.digest, sum_of(payload)) << "packet " << i;
        }
    }
    EXPECT_GT(known, 19'980U);  // one checksum in 2^15 looks unfinished
}

TEST(PayloadDigest, of_zeros_and_of_ones_is_zero) {
    for (const std::uint8_t byte : {std::uint8_t{0x00}, std::uint8_t{0xFF}}) {
        const Bytes payload(8, byte);
        const Packet packet = packet_of(PacketBuilder()
                                            .ethernet()
                                            .ipv4("10.0.0.1", "10.0.0.2")
                                            .tcp(1, 2)
                                            .payload(payload)
                                            .build());
        ASSERT_TRUE(packet.digest_known);
        EXPECT_EQ(packet.digest, 0);
    }
}

TEST(PayloadDigest, survives_translation_and_rewritten_numbers_and_options) {
    const std::string_view text = "the same eleven words, whatever the headers say of them, here";
    const auto packet = packet_of(PacketBuilder()
                                      .ethernet()
                                      .ipv4("10.0.0.1", "192.0.2.80")
                                      .tcp(40'000, 443)
                                      .seq(1)
                                      .flags("PA")
                                      .option_nop()
                                      .option_nop()
                                      .option_timestamps(5, 6)
                                      .payload(text)
                                      .build());
    const auto rewritten = packet_of(PacketBuilder()
                                         .ethernet()
                                         .vlan(7)
                                         .ipv4("198.51.100.9", "10.20.0.10")
                                         .tcp(1024, 8443)
                                         .seq(4'000'000'000)
                                         .flags("PA")
                                         .payload(text)
                                         .build());
    ASSERT_TRUE(packet.digest_known && rewritten.digest_known);
    EXPECT_EQ(packet.digest, rewritten.digest);
}

TEST(PayloadDigest, is_unknown_where_the_card_was_to_fill_in_the_checksum) {
    // Pseudo header: 10.0.0.1, 10.0.0.2, protocol 6, with or without the length of 20 + 4 bytes.
    constexpr std::uint16_t kAddresses = 0x0A00 + 0x0001 + 0x0A00 + 0x0002;
    for (const std::uint16_t checksum :
         {std::uint16_t{kAddresses + 6 + 24}, std::uint16_t{kAddresses + 6}, std::uint16_t{0}}) {
        const Packet packet = packet_of(PacketBuilder()
                                            .ethernet()
                                            .ipv4("10.0.0.1", "10.0.0.2")
                                            .tcp(1, 2)
                                            .set16(16, checksum)
                                            .payload("abcd")
                                            .build());
        EXPECT_FALSE(packet.digest_known) << checksum;
    }
}

TEST(Packet, options_are_read_and_their_order_told_apart) {
    const auto syn = [](bool swapped) {
        PacketBuilder builder;
        builder.ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).flags("S").option_mss(1460);
        swapped ? builder.option_wscale(7).option_sack_permitted()
                : builder.option_sack_permitted().option_wscale(7);
        return packet_of(builder.option_timestamps(11, 12).build());
    };
    const Packet packet = syn(false);
    EXPECT_EQ(packet.mss, 1460);
    EXPECT_EQ(packet.window_scale, 7);
    EXPECT_EQ(packet.tsval, 11U);
    EXPECT_EQ(packet.tsecr, 12U);
    EXPECT_EQ(packet.options, option_bit::kMss | option_bit::kSackPermitted |
                                  option_bit::kWindowScale | option_bit::kTimestamps);
    EXPECT_NE(packet.options_order, syn(true).options_order);
    EXPECT_TRUE(packet.header_complete);
}

TEST(Packet, padding_between_options_is_no_difference) {
    const auto ack = [](bool padded) {
        PacketBuilder builder;
        builder.ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2);
        if (padded) {
            builder.option_nop().option_nop();
        }
        return packet_of(builder.option_timestamps(11, 12).build());
    };
    EXPECT_EQ(ack(true).options_order, ack(false).options_order);
    EXPECT_EQ(ack(true).options, ack(false).options);
}

TEST(Packet, three_sack_blocks_are_kept_and_a_fourth_counted) {
    const Packet packet = packet_of(PacketBuilder()
                                        .ethernet()
                                        .ipv4("10.0.0.1", "10.0.0.2")
                                        .tcp(1, 2)
                                        .option_sack({{1, 2}, {3, 4}, {5, 6}, {7, 8}})
                                        .build());
    EXPECT_EQ(packet.sack_count, 4);
    EXPECT_EQ(packet.sack[2].left, 5U);
    EXPECT_EQ(packet.sack[2].right, 6U);
}

TEST(Packet, what_ip_says_is_kept) {
    const Packet packet = packet_of(PacketBuilder()
                                        .ethernet()
                                        .ipv4("10.0.0.1", "10.0.0.2")
                                        .ttl(63)
                                        .ip_id(513)
                                        .set8(1, 0xB9)
                                        .set16(6, 0x4000)
                                        .tcp(1, 2)
                                        .payload("abc")
                                        .build(),
                                    Side::inside);
    EXPECT_EQ(packet.ttl, 63);
    EXPECT_EQ(packet.ip_id, 513);
    EXPECT_EQ(packet.tos, 0xB9);
    EXPECT_TRUE(packet.dont_fragment);
    EXPECT_FALSE(packet.more_fragments);
    EXPECT_EQ(packet.ip_bytes, 43);
    EXPECT_EQ(packet.tap, Side::inside);
    EXPECT_EQ(packet.frame, 7U);
}

TEST(Packet, the_traffic_class_of_ipv6_is_its_tos) {
    const Packet packet = packet_of(PacketBuilder()
                                        .ethernet()
                                        .ipv6("2001:db8::1", "2001:db8::2")
                                        .set32(0, 0x6B90'0000)
                                        .tcp(1, 2)
                                        .build());
    EXPECT_EQ(packet.tos, 0xB9);
    EXPECT_TRUE(packet.v6);
    EXPECT_EQ(packet.ip_bytes, 60);
}

TEST(Packet, an_icmp_error_tells_who_sent_it_and_of_which_segment) {
    const Packet packet = packet_of(PacketBuilder()
                                        .ethernet()
                                        .ipv4("10.9.9.9", "10.0.0.1")
                                        .icmp_error(3, 4)
                                        .set16(6, 1400)
                                        .ipv4("10.0.0.1", "10.0.0.2")
                                        .tcp(1111, 80)
                                        .seq(77)
                                        .build());
    EXPECT_EQ(packet.kind, PacketKind::icmp_error);
    EXPECT_EQ(packet.icmp_type, 3);
    EXPECT_EQ(packet.icmp_code, 4);
    EXPECT_EQ(packet.icmp_mtu, 1400);
    EXPECT_EQ(packet.icmp_source[0], 10);
    EXPECT_EQ(packet.icmp_source[3], 9);
    EXPECT_EQ(packet.seq, 77U);
    EXPECT_FALSE(packet.quoted_cut);
}

TEST(Packet, eight_quoted_bytes_are_enough_for_ports_and_number) {
    const Packet packet = packet_of(PacketBuilder()
                                        .ethernet()
                                        .ipv4("10.9.9.9", "10.0.0.1")
                                        .icmp_error(3, 13, 28)
                                        .ipv4("10.0.0.1", "10.0.0.2")
                                        .tcp(1111, 80)
                                        .seq(78)
                                        .build());
    EXPECT_EQ(packet.kind, PacketKind::icmp_error);
    EXPECT_TRUE(packet.quoted_cut);
    EXPECT_EQ(packet.seq, 78U);
    EXPECT_EQ(packet.sender, 0);
}

TEST(Packet, later_fragments_have_addresses_only) {
    const Packet packet = packet_of(PacketBuilder()
                                        .ethernet()
                                        .ipv4("10.0.0.1", "10.0.0.2")
                                        .ip_id(99)
                                        .fragment(1480, false)
                                        .next_protocol(6)
                                        .payload(100)
                                        .build());
    EXPECT_EQ(packet.kind, PacketKind::later_fragment);
    EXPECT_EQ(packet.fragment_offset, 1480);
    EXPECT_EQ(packet.ip_id, 99);
    EXPECT_FALSE(packet.more_fragments);
}

}  // namespace
}  // namespace tw::taps
