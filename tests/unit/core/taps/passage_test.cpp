// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/passage.hpp"

#include <gtest/gtest.h>

#include "core/taps/health.hpp"
#include "unit/core/taps/pair_samples.hpp"

namespace tw::taps {
namespace {

using test::kT0;
using test::leaving;
using test::segment;

void pass(Passage& passage, const Packet& in, RewriteSet changed = 0, Nanos idle = 0,
          Way way = Way::inward) {
    const Packet out = leaving(in);
    passage.passed({.entered = in, .left = out, .way = way, .idle = idle}, changed);
}

TEST(Passage, lengths_load_and_transit_of_what_passed_are_kept) {
    Passage passage(Backing::lazy);
    pass(passage, segment(0, 1, 948));
    pass(passage, segment(5 * kMillisecond, 949, 948));
    pass(passage, segment(15 * kMillisecond, 1897, 20'000));
    EXPECT_EQ(passage.way(Way::inward).pairs(), 3U);
    EXPECT_EQ(passage.way(Way::outward).pairs(), 0U);
    EXPECT_EQ(passage.of_length(Way::inward, 1000), 2U);
    EXPECT_EQ(passage.of_length(Way::inward, Passage::kLengthMax), 1U);
    const std::int64_t slot = kT0 / Passage::kSlotTime;
    EXPECT_EQ(passage.slot(Way::inward, slot).passed_bytes, 2000U);
    EXPECT_EQ(passage.slot(Way::inward, slot).slowest_us, 100U);
    EXPECT_EQ(passage.slot(Way::inward, slot + 1).passed_packets, 1U);
    EXPECT_EQ(passage.slot(Way::inward, slot + 2).passed_packets, 0U);
    EXPECT_EQ(passage.packets_in_second(Way::inward, kT0 / kSecond), 3U);
    EXPECT_EQ(passage.way(Way::inward).data.count(), 3U);
    EXPECT_EQ(passage.way(Way::inward).setup.count(), 0U);
}

TEST(Passage, a_syn_counts_as_setup) {
    Passage passage(Backing::lazy);
    Packet syn = segment(0, 1, 0);
    syn.flags = decode::tcp_flag::kSyn;
    syn.options = option_bit::kMss;
    pass(passage, syn, bit(Rewrite::mss));
    EXPECT_EQ(passage.way(Way::inward).setup.count(), 1U);
    EXPECT_EQ(passage.way(Way::inward).rewrite(Rewrite::mss).of, 1U);
    EXPECT_EQ(passage.way(Way::inward).rewrite(Rewrite::window_scale_removed).of, 0U);
}

TEST(Passage, old_slots_give_way_to_new_ones_and_are_not_filled_again) {
    Passage passage(Backing::lazy);
    pass(passage, segment(0, 1));
    pass(passage, segment(Passage::kSlots * Passage::kSlotTime, 1));
    const std::int64_t slot = kT0 / Passage::kSlotTime;
    EXPECT_EQ(passage.slot(Way::inward, slot).passed_packets, 0U);
    EXPECT_EQ(passage.slot(Way::inward, slot + Passage::kSlots).passed_packets, 1U);
    pass(passage, segment(0, 1));
    EXPECT_EQ(passage.slot(Way::inward, slot + Passage::kSlots).passed_packets, 1U);
}

TEST(Passage, losses_stand_beside_what_passed) {
    Passage passage(Backing::lazy);
    passage.lost(Way::inward, segment(0, 1, 948));
    EXPECT_EQ(passage.slot(Way::inward, kT0 / Passage::kSlotTime).lost_bytes, 1000U);
    EXPECT_EQ(passage.slot(Way::inward, kT0 / Passage::kSlotTime).lost_packets, 1U);
    EXPECT_EQ(passage.packets_in_second(Way::inward, kT0 / kSecond), 0U);
}

TEST(Passage, long_silences_are_counted_from_a_threshold_on) {
    Passage passage(Backing::lazy);
    for (const Nanos idle : {kMillisecond, kSecond, 3 * kSecond, 100 * kSecond, 7400 * kSecond}) {
        pass(passage, segment(0, 1), 0, idle);
    }
    EXPECT_EQ(passage.passed_after_idle(Way::inward, 0), 4U);
    EXPECT_EQ(passage.passed_after_idle(Way::inward, 2 * kSecond), 3U);
    EXPECT_EQ(passage.passed_after_idle(Way::inward, 200 * kSecond), 1U);
    EXPECT_EQ(passage.passed_after_idle(Way::inward, 8000 * kSecond), 0U);
}

TEST(Passage, the_commonest_change_is_found_behind_a_rare_first_one) {
    Passage passage(Backing::lazy);
    Packet in = segment(0, 1);
    in.ttl = 200;
    pass(passage, in, bit(Rewrite::ttl));
    for (int i = 0; i < 10; ++i) {
        pass(passage, segment(0, 1), bit(Rewrite::ttl));
    }
    const RewriteCount count = passage.way(Way::inward).rewrite(Rewrite::ttl);
    EXPECT_EQ(count.of, 11U);
    EXPECT_EQ(count.changed, 11U);
    EXPECT_EQ(count.before, 64U);
    EXPECT_EQ(count.entered.ttl, 200);  // the first one seen is the example
}

TEST(Passage, what_two_workers_saw_adds_up) {
    Passage a(Backing::lazy);
    Passage b(Backing::lazy);
    pass(a, segment(0, 1), bit(Rewrite::ttl));
    pass(b, segment(0, 1), bit(Rewrite::ttl), 5 * kSecond);
    pass(b, segment(kSecond, 1), bit(Rewrite::window), 0, Way::outward);
    b.lost(Way::inward, segment(0, 1));
    Passage sum(Backing::lazy);
    sum.add(a);
    sum.add(b);
    EXPECT_EQ(sum.way(Way::inward).pairs(), 2U);
    EXPECT_EQ(sum.way(Way::inward).rewrite(Rewrite::ttl).same_values, 2U);
    EXPECT_EQ(sum.way(Way::outward).rewrite(Rewrite::window).changed, 1U);
    EXPECT_EQ(sum.slot(Way::inward, kT0 / Passage::kSlotTime).passed_packets, 2U);
    EXPECT_EQ(sum.slot(Way::inward, kT0 / Passage::kSlotTime).lost_packets, 1U);
    EXPECT_EQ(sum.packets_in_second(Way::inward, kT0 / kSecond), 2U);
    EXPECT_EQ(sum.passed_after_idle(Way::inward, kSecond), 1U);
    EXPECT_EQ(sum.of_length(Way::inward, 1052), 2U);
}

TEST(Passage, a_worker_keeps_less_than_five_megabytes) {
    EXPECT_LT(Passage(Backing::lazy).memory_bytes(), 5U << 20U);
}

TEST(TapHealth, skew_is_what_one_clock_cannot_show) {
    TapHealth health;
    const Packet in = segment(0, 1);
    health.pair(Way::inward, in, leaving(in, -7 * kMillisecond));
    EXPECT_EQ(health.skew(), 7 * kMillisecond);
    // A mirror that is 7 ms late shows the other way 7 ms slower: no contradiction.
    health.pair(Way::outward, in, leaving(in, 8 * kMillisecond));
    EXPECT_EQ(health.skew(), 0);
    health.pair(Way::outward, in, leaving(in, 5 * kMillisecond));
    EXPECT_EQ(health.skew(), 2 * kMillisecond);
    EXPECT_EQ(health.negative_transits[index(Way::inward)], 1U);
}

TEST(TapHealth, what_a_box_makes_in_a_hosts_name_says_nothing_of_the_taps) {
    TapHealth health;
    Packet made = segment(0, 1);
    Packet left = leaving(made, -kMillisecond);
    left.ttl = 255;
    made.payload_bytes = 0;
    health.pair(Way::inward, made, left);
    made.flags = decode::tcp_flag::kSyn;
    health.pair(Way::inward, made, left);
    EXPECT_EQ(health.compared(Way::inward), 0U);
    EXPECT_EQ(health.skew(), 0);
    EXPECT_EQ(health.taps[index(Side::inside)][index(Way::inward)].paired, 2U);
}

TEST(TapHealth, workers_add_up_whichever_has_seen_a_way) {
    TapHealth a;
    TapHealth b;
    const Packet in = segment(0, 1);
    Packet routed = leaving(in, 40);
    routed.ttl = 63;
    b.pair(Way::inward, in, routed);
    a.add(b);
    a.add(TapHealth{});
    EXPECT_EQ(a.least_transit[index(Way::inward)], 40);
    EXPECT_EQ(a.ttl_fall[index(Way::inward)][2], 1U);
    EXPECT_EQ(a.taps[index(Side::inside)][index(Way::inward)].paired, 1U);
    EXPECT_EQ(a.taps[index(Side::outside)][index(Way::inward)].paired, 1U);
}

}  // namespace
}  // namespace tw::taps
