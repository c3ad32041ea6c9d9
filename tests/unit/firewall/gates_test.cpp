// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/gates.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/taps/pair.hpp"
#include "unit/firewall/fact_sample.hpp"

namespace tw::firewall {
namespace {

using namespace sample;

// Two good taps: 100 packets each way at both, a router between, 1 ms of transit.
struct Taps {
    Confidence confidence;
    taps::Passage passage{Backing::lazy};
    std::vector<taps::Conversation> conversations{conversation()};
    Policy policy;
    Totals totals;

    Taps() { pass(100, kMillisecond, 1); }

    void pass(int count, Nanos transit, int fall) {
        taps::TapHealth& health = confidence.health;
        for (const Way way : {Way::inward, Way::outward}) {
            for (int i = 0; i < count; ++i) {
                taps::Packet entered = data();
                entered.time = at(i * 0.1);
                taps::Packet left = entered;
                left.time += transit;
                left.ttl = static_cast<std::uint8_t>(entered.ttl - fall);
                health.pair(way, entered, left);
                passage.passed({.entered = entered, .left = left, .way = way}, 0);
            }
            for (const Side side : {Side::outside, Side::inside}) {
                taps::TapWay& tap = health.taps[taps::index(side)][taps::index(way)];
                tap.packets += static_cast<std::uint64_t>(count);
                tap.first = at(0);
                tap.last = at(60);
            }
        }
        health.conversations_at_both = 1;
    }
    taps::TapWay& at_tap(Side side, Way way) {
        return confidence.health.taps[taps::index(side)][taps::index(way)];
    }
    void judge() { judge_capture({passage, conversations, policy, totals}, confidence); }
    [[nodiscard]] std::vector<std::string> doubts() {
        judge();
        std::vector<std::string> names;
        for (const Doubt& doubt : confidence.doubts) {
            names.push_back(doubt.name);
        }
        return names;
    }
};

using Names = std::vector<std::string>;

TEST(Gates, two_good_taps_raise_no_doubt) {
    Taps taps;
    EXPECT_EQ(taps.doubts(), Names{});
    EXPECT_EQ(taps.confidence.trust, Trust::good);
}

TEST(Gates, a_tap_without_packets) {
    Taps taps;
    taps.confidence.health.taps[1] = {};
    EXPECT_EQ(taps.doubts(), Names{"no_packets"});
    EXPECT_EQ(taps.confidence.trust, Trust::unusable);
    EXPECT_NE(taps.confidence.doubts[0].sentence.find("inside"), std::string::npos);
}

TEST(Gates, taps_that_do_not_overlap_in_time) {
    Taps taps;
    for (const Way way : {Way::inward, Way::outward}) {
        taps.at_tap(Side::inside, way).first = at(100);
        taps.at_tap(Side::inside, way).last = at(160);
    }
    EXPECT_EQ(taps.doubts(), Names{"no_overlap"});
    EXPECT_EQ(taps.confidence.trust, Trust::unusable);
    EXPECT_NE(taps.confidence.doubts[0].sentence.find("40.0 s"), std::string::npos);
}

TEST(Gates, the_same_capture_twice) {
    Taps taps;
    taps.confidence = {};
    taps.passage = taps::Passage(Backing::lazy);
    taps.pass(100, 0, 0);
    EXPECT_EQ(taps.doubts(), Names{"same_capture"});
}

TEST(Gates, a_bridge_that_takes_a_nanosecond_is_no_copy) {
    Taps taps;
    taps.confidence = {};
    taps.passage = taps::Passage(Backing::lazy);
    taps.pass(100, 1, 0);
    EXPECT_EQ(taps.doubts(), Names{});
}

TEST(Gates, no_connection_in_common) {
    Taps taps;
    taps.confidence.health.conversations_at_both = 0;
    taps.confidence.health.conversations_at_one = {7, 9};
    EXPECT_EQ(taps.doubts(), Names{"no_pairs"});
    EXPECT_EQ(taps.confidence.trust, Trust::unusable);
}

TEST(Gates, a_tap_that_lacks_a_direction_its_receivers_acknowledge) {
    Taps taps;
    taps.at_tap(Side::inside, Way::inward).packets = 0;
    taps.at_tap(Side::inside, Way::inward).missed_packets = 95;
    const Names names = taps.doubts();
    EXPECT_EQ(std::ranges::count(names, "one_direction"), 1);
    EXPECT_EQ(taps.confidence.trust, Trust::unusable);
}

TEST(Gates, a_direction_that_is_dropped_and_never_acknowledged_is_no_wiring) {
    Taps taps;
    taps.at_tap(Side::inside, Way::inward).packets = 0;
    EXPECT_EQ(std::ranges::count(taps.doubts(), "one_direction"), 0);
}

TEST(Gates, a_server_that_sends_data_was_asked_though_its_tap_lacks_the_question) {
    Taps taps;
    taps.at_tap(Side::inside, Way::inward).packets = 0;
    taps.conversations[0].ways[taps::index(Way::inward)].passed = 0;
    taps.conversations[0].ways[taps::index(Way::outward)].entered_bytes = 5000;
    EXPECT_EQ(taps.doubts(), Names{"one_direction"});
}

TEST(Gates, packets_that_leave_and_never_enter_are_wiring) {
    Taps taps;
    taps.at_tap(Side::inside, Way::outward).packets = 2;
    EXPECT_EQ(taps.doubts(), Names{"one_direction"});
}

TEST(Gates, most_packets_leaving_before_they_enter_both_ways) {
    Taps taps;
    taps.confidence = {};
    taps.passage = taps::Passage(Backing::lazy);
    taps.pass(100, -kMillisecond, 1);
    const Names names = taps.doubts();
    EXPECT_EQ(std::ranges::count(names, "taps_swapped"), 1);
    EXPECT_EQ(taps.confidence.trust, Trust::unusable);
}

TEST(Gates, connections_that_fit_the_policy_only_with_the_taps_exchanged) {
    Taps taps;
    taps.policy.networks = {{"web", {{{10, 0, 0, 0}, 24, false}}}};
    taps.policy.rules = {{.name = "web", .destinations = {0}}};
    taps.conversations = {conversation(1), conversation(2), conversation(3)};
    EXPECT_EQ(taps.doubts(), Names{});
    for (taps::Conversation& one : taps.conversations) {
        one.client_side = Side::inside;
    }
    EXPECT_EQ(taps.doubts(), Names{"taps_swapped"});
    taps.confidence.doubts.clear();
    taps.policy.networks[0].prefixes[0].bits = 0;  // a rule for anybody fits either way round
    EXPECT_EQ(taps.doubts(), Names{});
}

TEST(Gates, mirrors_that_turn_round_every_other_packet_are_not_exchanged_taps) {
    Taps taps;
    taps.pass(200, -kMillisecond, 1);
    const std::vector<std::string> names = taps.doubts();
    EXPECT_EQ(std::ranges::count(names, "taps_swapped"), 0);
    EXPECT_EQ(std::ranges::count(names, "mirror_skew"), 1);
}

TEST(Gates, clocks_that_differ_and_were_corrected) {
    Taps taps;
    taps.confidence.clock_offset = -3 * kSecond;
    taps.confidence.clock_estimated = true;
    EXPECT_EQ(taps.doubts(), Names{"clock_offset"});
    EXPECT_EQ(taps.confidence.trust, Trust::reduced);
    EXPECT_NE(taps.confidence.doubts[0].sentence.find("3.00 s behind"), std::string::npos);
}

TEST(Gates, times_that_contradict_each_other_are_skew) {
    Taps taps;
    taps.confidence.health.least_transit = {-4 * kMillisecond, kMillisecond};
    EXPECT_EQ(taps.doubts(), Names{"mirror_skew"});
    EXPECT_EQ(taps.confidence.skew, 3 * kMillisecond);
    EXPECT_EQ(taps.confidence.trust, Trust::good);  // sequence numbers and ACKs prove as before
    taps = Taps();
    taps.confidence.health.least_transit = {-40 * kMillisecond, kMillisecond};
    EXPECT_EQ(taps.doubts(), Names{"mirror_skew"});
    EXPECT_EQ(taps.confidence.trust, Trust::reduced);
}

TEST(Gates, a_ttl_that_falls_by_no_constant) {
    Taps taps;
    taps.pass(50, kMillisecond, 0);
    EXPECT_EQ(taps.doubts(), (Names{"ttl_falls_oddly", "ttl_falls_oddly"}));
    taps = Taps();
    taps.pass(4, kMillisecond, 0);  // of 104: not worth a word
    EXPECT_EQ(taps.doubts(), Names{});
}

TEST(Gates, capture_loss_weighs_by_its_rate) {
    Taps taps;
    taps.totals.ways[0].missed_at_exit = 10;
    EXPECT_EQ(taps.doubts(), Names{"capture_loss"});
    EXPECT_EQ(taps.confidence.trust, Trust::reduced);
    EXPECT_NEAR(taps.confidence.miss_rate[1], 10.0 / 210, 1e-9);
    EXPECT_EQ(taps.confidence.miss_rate[0], 0);
    taps = Taps();
    taps.at_tap(Side::inside, Way::inward).packets = 1'000'000;
    taps.at_tap(Side::outside, Way::inward).packets = 1'000'000;
    taps.totals.ways[0].missed_at_exit = 10;
    EXPECT_EQ(taps.doubts(), Names{"capture_loss"});
    EXPECT_EQ(taps.confidence.trust, Trust::good);
}

TEST(Gates, what_the_sources_counted_themselves) {
    Taps taps;
    taps.confidence.taps[0].drops_known = true;
    taps.confidence.taps[0].dropped = 5;
    EXPECT_EQ(taps.doubts(), Names{"drops_counted"});
    taps.confidence.doubts.clear();
    taps.confidence.taps[0].ledger_faults = 2;  // they have times
    EXPECT_EQ(taps.doubts(), Names{"ledger_marks"});
}

TEST(Gates, checksums_left_to_the_card_and_copies_of_a_mirror) {
    Taps taps;
    taps.confidence.health.checksum_unset = 200;
    taps.at_tap(Side::outside, Way::inward).copies = 50;
    EXPECT_EQ(taps.doubts(), (Names{"mirror_copies", "no_digest"}));
}

TEST(Gates, limits_make_counts_lower_bounds) {
    Taps taps;
    taps.totals.limits_reached = {{"taps.in_flight_full", 7}};
    EXPECT_EQ(taps.doubts(), Names{"limits_reached"});
    EXPECT_NE(taps.confidence.doubts[0].sentence.find("taps.in_flight_full: 7"), std::string::npos);
}

TEST(Gates, connections_that_pass_by_one_tap) {
    Taps taps;
    for (std::uint64_t id = 2; id < 8; ++id) {
        taps.conversations.push_back(conversation(id));
        taps.conversations.back().seen = {true, false};
        taps.conversations.back().outcome = taps::Outcome::syn_dropped;
    }
    EXPECT_EQ(taps.doubts(), Names{});  // they were dropped
    for (taps::Conversation& one : taps.conversations) {
        one.outcome = taps::Outcome::established;
    }
    EXPECT_EQ(taps.doubts(), Names{"few_in_common"});
}

}  // namespace
}  // namespace tw::firewall
