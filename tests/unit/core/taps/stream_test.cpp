// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/stream.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string_view>

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;

constexpr std::uint32_t kFirst = 0xFFFF'FFF0U;  // numbers wrap within the stream

std::uint16_t sum_of(std::string_view text) {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<std::uint8_t>(text[i]);
        sum += i % 2 == 0 ? byte << 8 : byte;
    }
    sum = (sum & 0xFFFFU) + (sum >> 16);
    sum = (sum & 0xFFFFU) + (sum >> 16);
    return static_cast<std::uint16_t>(sum == 0xFFFFU ? 0 : sum);
}

Packet syn() {
    Packet packet;
    packet.time = kSecond;
    packet.seq = kFirst - 1;
    packet.flags = flag::kSyn;
    packet.mss = 1460;
    return packet;
}

Packet data(std::uint32_t offset, std::string_view text, std::uint8_t flags = flag::kAck) {
    Packet packet;
    packet.time = 2 * kSecond;
    packet.seq = kFirst + offset;
    packet.flags = flags;
    packet.payload_bytes = static_cast<std::uint32_t>(text.size());
    packet.digest = sum_of(text);
    packet.digest_known = true;
    return packet;
}

Packet ack(std::uint32_t offset) {
    Packet packet;
    packet.ack = kFirst + offset;
    packet.flags = flag::kAck;
    return packet;
}

Stream begun() {
    Stream stream{};
    stream.send(syn());
    return stream;
}

TEST(Stream, sums_do_not_depend_on_where_segments_end) {
    constexpr std::string_view kText = "an odd number of words, cut in odd places, across the wrap";
    for (std::uint32_t cut = 1; cut < kText.size(); ++cut) {
        Stream whole = begun();
        Stream parts = begun();
        EXPECT_TRUE(whole.send(data(0, kText)));
        EXPECT_TRUE(parts.send(data(0, kText.substr(0, cut))));
        EXPECT_TRUE(parts.send(data(cut, kText.substr(cut))));
        EXPECT_EQ(agreement_of(whole, parts).equal, 1U) << cut;
        EXPECT_FALSE(agreement_of(whole, parts).contradicted) << cut;
    }
}

TEST(Stream, other_bytes_contradict_at_the_place_where_both_end) {
    Stream one = begun();
    Stream other = begun();
    one.send(data(0, "hello"));
    other.send(data(0, "hellp"));
    EXPECT_TRUE(agreement_of(one, other).contradicted);
    Stream longer = begun();
    longer.send(data(0, "hello, and more"));
    EXPECT_EQ(agreement_of(one, longer).equal, 0U);
    EXPECT_FALSE(agreement_of(one, longer).contradicted);
}

TEST(Stream, a_gap_ends_the_sum_until_it_is_filled) {
    Stream stream = begun();
    EXPECT_FALSE(stream.send(data(5, "later")));
    EXPECT_EQ(stream.summed, 0U);
    EXPECT_EQ(stream.sent, 10U);
    EXPECT_TRUE(stream.send(data(0, "first")));
    EXPECT_EQ(stream.summed, 5U);
    EXPECT_TRUE(stream.send(data(5, "later")));
    EXPECT_EQ(stream.summed, 10U);
}

TEST(Stream, no_mark_of_a_packet_whose_checksum_was_not_filled_in) {
    Stream stream = begun();
    Packet packet = data(0, "first");
    packet.digest_known = false;
    EXPECT_FALSE(stream.send(packet));
    EXPECT_EQ(stream.sent, 5U);
}

TEST(Stream, acknowledged_bytes_count_no_fin_and_the_syn_of_the_answer_tells_the_first) {
    Stream stream{};
    Packet answer = ack(0);
    answer.flags = flag::kSyn | flag::kAck;
    stream.acknowledge(answer);  // the SYN itself was missed
    stream.send(data(0, "last", flag::kAck | flag::kFin));
    stream.acknowledge(ack(5));
    EXPECT_EQ(stream.acked, 4U);
    EXPECT_EQ(stream.length, 4U);
    stream.acknowledge(ack(0U - 100));  // an old one
    EXPECT_EQ(stream.acked, 4U);
}

TEST(Stream, repeats_of_what_is_not_acknowledged_begin_anew_with_each_progress) {
    Stream stream = begun();
    stream.send(data(0, "first"));
    stream.send(data(5, "later"));
    EXPECT_EQ(stream.repeats, 0U);
    stream.send(data(0, "first"));
    stream.send(data(0, "first"));
    EXPECT_EQ(stream.repeats, 2U);
    stream.acknowledge(ack(5));
    EXPECT_EQ(stream.repeats, 0U);
    stream.send(data(0, "first"));  // needlessly: the receiver has it
    EXPECT_EQ(stream.repeats, 0U);
    stream.send(data(5, "later"));
    EXPECT_EQ(stream.repeats, 1U);
}

TEST(Stream, the_place_of_the_answer_is_a_mark_beyond_the_first_ones) {
    Stream stream = begun();
    EXPECT_FALSE(stream.answered());  // nothing was said yet
    for (std::uint32_t i = 0; i <= Stream::kMarks; ++i) {
        stream.send(data(i * 2, "ab"));
    }
    EXPECT_TRUE(stream.answered());
    EXPECT_EQ(stream.turn.bytes, 2 * (Stream::kMarks + 1));
    EXPECT_FALSE(stream.answered());
}

}  // namespace
}  // namespace tw::taps
