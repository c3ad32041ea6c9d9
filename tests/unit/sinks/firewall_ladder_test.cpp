// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_ladder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "firewall_report_sample.hpp"

namespace {

using namespace tw;
using namespace tw::test;
using sinks::Crossing;
using taps::Side;
using taps::Way;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kAck = 0x10;

// Adds a packet as a tap saw it; returns its place.
std::uint8_t add(firewall::Evidence& evidence, Side tap, Way way, Nanos after_start,
                 const taps::Packet& packet) {
    taps::Excerpt& excerpt = evidence.excerpt;
    const std::uint8_t at = excerpt.count++;
    excerpt.packets[at] = packet;
    excerpt.packets[at].tap = tap;
    excerpt.packets[at].time = kStart + after_start;
    excerpt.packets[at].frame = 10U + at;
    excerpt.way[at] = way;
    excerpt.twin[at] = at;
    return at;
}

void join(firewall::Evidence& evidence, std::uint8_t one, std::uint8_t other) {
    evidence.excerpt.twin[one] = other;
    evidence.excerpt.twin[other] = one;
}

// A segment that crosses inward in 20 us, one that does not leave, and an ACK in between whose twin
// the excerpt does not hold.
firewall::Evidence one_lost() {
    firewall::Evidence evidence;
    evidence.fact.kind = taps::FactKind::lost_between;
    evidence.fact.proof = taps::Proof::left_later;
    const taps::Packet first{.seq = 5000, .ack = 900, .payload_bytes = 100, .flags = kAck};
    taps::Packet shifted = first;
    shifted.seq = 77000;  // numbers are rewritten on the way
    const taps::Packet ack{.seq = 900, .ack = 5100, .flags = kAck};
    const taps::Packet lost{.seq = 5100, .ack = 900, .payload_bytes = 50, .flags = kAck};
    const auto entered = add(evidence, Side::outside, Way::inward, 0, first);
    const auto left = add(evidence, Side::inside, Way::inward, 20 * kMicrosecond, shifted);
    join(evidence, entered, left);
    add(evidence, Side::outside, Way::outward, 30 * kMicrosecond, ack);
    const auto subject = add(evidence, Side::outside, Way::inward, 40 * kMicrosecond, lost);
    evidence.fact.packet = evidence.excerpt.packets[subject];
    return evidence;
}

TEST(FirewallLadder, a_pair_is_one_step_and_numbers_count_from_the_first_shown) {
    const auto ladder = sinks::tap_ladder(one_lost());
    ASSERT_EQ(ladder.steps.size(), 3U);
    EXPECT_EQ(ladder.steps[0].crossing, Crossing::passed);
    EXPECT_EQ(ladder.steps[0].entered, 0U);
    EXPECT_EQ(ladder.steps[0].left, 1U);
    EXPECT_EQ(ladder.steps[0].words, "seq 0 len 100");
    EXPECT_EQ(ladder.steps[0].acknowledges, "ack 0");
    EXPECT_EQ(ladder.steps[1].words, "ack 100");
    EXPECT_EQ(ladder.steps[2].words, "seq 100 len 50");
}

TEST(FirewallLadder, only_what_the_fact_is_about_is_called_not_seen_to_leave) {
    const auto ladder = sinks::tap_ladder(one_lost());
    EXPECT_EQ(ladder.steps[1].crossing, Crossing::untold);
    EXPECT_EQ(ladder.steps[1].part, "");
    EXPECT_EQ(ladder.steps[2].crossing, Crossing::not_left);
    EXPECT_EQ(ladder.steps[2].part, "not seen to leave");
    EXPECT_TRUE(ladder.steps[2].subject);
}

TEST(FirewallLadder, what_left_without_entering_says_so) {
    firewall::Evidence evidence;
    evidence.fact.kind = taps::FactKind::injected;
    const auto at = add(evidence, Side::inside, Way::inward, 0, {.seq = 1, .flags = 0x04});
    evidence.fact.packet = evidence.excerpt.packets[at];
    const auto ladder = sinks::tap_ladder(evidence);
    ASSERT_EQ(ladder.steps.size(), 1U);
    EXPECT_EQ(ladder.steps[0].crossing, Crossing::not_entered);
    EXPECT_EQ(ladder.steps[0].words, "RST seq 1");
    EXPECT_EQ(ladder.steps[0].part, "not seen to enter");
}

TEST(FirewallLadder, repeats_are_lost_too_where_no_copy_leaves) {
    firewall::Evidence evidence;
    evidence.fact.kind = taps::FactKind::lost_between;
    const taps::Packet syn{.seq = 7, .flags = kSyn};
    for (int i = 0; i < 2; ++i) {
        add(evidence, Side::outside, Way::inward, i * kSecond, syn);
    }
    evidence.fact.packet = evidence.excerpt.packets[0];
    evidence.fact.cites[0] = {11, kStart + kSecond, Side::outside, taps::Part::repeat};
    evidence.fact.cites_count = 1;
    evidence.fact.proof = taps::Proof::left_later;
    EXPECT_EQ(sinks::tap_ladder(evidence).steps[1].crossing, Crossing::untold);
    evidence.fact.proof = taps::Proof::no_copy_leaves;
    EXPECT_EQ(sinks::tap_ladder(evidence).steps[1].crossing, Crossing::not_left);
    EXPECT_EQ(sinks::tap_ladder(evidence).steps[1].part, "entered again, not seen to leave");
}

TEST(FirewallLadder, an_icmp_error_goes_back_to_the_sender_of_what_it_quotes) {
    firewall::Evidence evidence;
    evidence.fact.kind = taps::FactKind::icmp_error;
    const auto at = add(
        evidence, Side::outside, Way::inward, 0,
        {.icmp_mtu = 1400, .icmp_type = 3, .icmp_code = 4, .kind = taps::PacketKind::icmp_error});
    evidence.fact.packet = evidence.excerpt.packets[at];
    const auto ladder = sinks::tap_ladder(evidence);
    EXPECT_EQ(ladder.steps[0].way, Way::outward);
    EXPECT_EQ(ladder.steps[0].crossing, Crossing::not_entered);
    EXPECT_EQ(ladder.steps[0].words, "ICMP type 3 code 4, MTU 1400");
}

TEST(FirewallLadder, what_the_way_changed_is_said) {
    firewall::Evidence evidence = one_lost();
    evidence.excerpt.packets[1].payload_bytes = 90;
    evidence.excerpt.packets[1].tos = 0xb8;
    EXPECT_EQ(sinks::tap_ladder(evidence).steps[0].changed, "left with len 90, TOS 0xb8 for 0x00");
}

TEST(FirewallLadder, lines_show_both_taps_with_the_transit) {
    const auto lines = sinks::ladder_lines(one_lost(), 90);
    ASSERT_EQ(lines.size(), 5U);
    EXPECT_THAT(lines[0], HasSubstr("outside"));
    EXPECT_THAT(lines[1], HasSubstr("1 more packet"));
    EXPECT_THAT(lines[2], HasSubstr("?"));
    EXPECT_THAT(lines[3], testing::StartsWith("*   0.000040    13 |-- seq 100 len 50 ack 0 "));
    EXPECT_THAT(lines[3], testing::HasSubstr("->X"));
    EXPECT_THAT(lines[4], HasSubstr("^ not seen to leave"));
    firewall::Evidence paired = one_lost();
    paired.fact.packet = paired.excerpt.packets[0];
    paired.fact.kind = taps::FactKind::reordered;
    EXPECT_THAT(sinks::ladder_lines(paired, 90)[1], testing::EndsWith("->| 11    20.0 us"));
}

TEST(FirewallLadder, lines_keep_to_the_width_and_are_ascii) {
    firewall::Evidence evidence = one_lost();
    for (const std::size_t width : {73U, 93U, 120U}) {
        for (const std::string& line : sinks::ladder_lines(evidence, width)) {
            EXPECT_LE(line.size(), width) << line;
            EXPECT_TRUE(
                std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c <= '~'; }));
        }
    }
}

TEST(FirewallLadder, without_an_excerpt_there_is_nothing) {
    EXPECT_TRUE(sinks::ladder_lines({}, 80).empty());
    EXPECT_TRUE(sinks::tap_ladder({}).steps.empty());
}

}  // namespace
