// SPDX-License-Identifier: BSD-3-Clause
// Each clause: kept, broken, open, without traffic; and the bounds of a latency that is measured
// over all rules.
#include "firewall/policy_limits.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tw::firewall {
namespace {

using testing::HasSubstr;

[[nodiscard]] LimitRow only(const Limits& limits, const Tally& tally,
                            std::span<const Latency> latencies = {}, Trust trust = Trust::good) {
    const auto rows = limit_rows(limits, tally, latencies, trust);
    EXPECT_EQ(rows.size(), 1U);
    return rows.empty() ? LimitRow{} : rows[0];
}

TEST(Limits, setup_success_counts_what_the_firewall_stopped) {
    const Limits limits{.setup_success_min = 0.99};
    EXPECT_EQ(only(limits, {}).result, RowResult::untested);
    EXPECT_EQ(only(limits, {.made = 99, .stopped = 1}).result, RowResult::pass);
    const LimitRow row = only(limits, {.made = 98, .stopped = 2});
    EXPECT_EQ(row.result, RowResult::fail);
    EXPECT_EQ(row.expected, ">= 99 %");
    EXPECT_THAT(row.measured, HasSubstr("98.0 % (98 of 100 attempts)"));
    EXPECT_EQ(only(limits, {.made = 99, .stopped_maybe = 2}).result, RowResult::inconclusive);
    EXPECT_EQ(only(limits, {.made = 999, .stopped_maybe = 2}).result, RowResult::pass);
}

TEST(Limits, loss_is_what_is_proven_of_what_was_offered) {
    const Limits limits{.loss_max = 0.001};
    EXPECT_EQ(only(limits, {}).result, RowResult::untested);
    EXPECT_EQ(only(limits, {.offered = 1000, .lost = 1, .lost_maybe = 1}).result, RowResult::pass);
    EXPECT_EQ(only(limits, {.offered = 1000, .lost = 2, .lost_maybe = 2}).result, RowResult::fail);
    const LimitRow open = only(limits, {.offered = 1000, .lost = 0, .lost_maybe = 2});
    EXPECT_EQ(open.result, RowResult::inconclusive);
    EXPECT_EQ(open.why, "2 more may count and are not proven");
}

TEST(Limits, resets_are_counted_of_the_connections_made) {
    const Limits limits{.unexpected_rst_max = 0.1};
    EXPECT_EQ(only(limits, {}).result, RowResult::untested);
    EXPECT_EQ(only(limits, {.made = 10, .reset = 1}).result, RowResult::pass);
    EXPECT_EQ(only(limits, {.made = 10, .reset = 2}).result, RowResult::fail);
    EXPECT_EQ(only(limits, {.made = 10, .reset_maybe = 2}).result, RowResult::inconclusive);
}

// `fast` packets of 100 us and `slow` of 1 ms, data both.
[[nodiscard]] std::vector<Latency> times(int fast, int slow, int negative = 0) {
    std::vector<Latency> all(1);
    for (int i = 0; i < fast; ++i) {
        all[0].histogram.add(100 * kMicrosecond);
    }
    for (int i = 0; i < slow; ++i) {
        all[0].histogram.add(kMillisecond);
    }
    for (int i = 0; i < negative; ++i) {
        all[0].histogram.add(-kMicrosecond);
    }
    return all;
}

TEST(Limits, latency_of_a_rule_that_has_all_the_traffic_is_exact) {
    const Limits limits{.latency_p99_max = 500 * kMicrosecond};
    const Tally all{.pairs_data = 1000};
    EXPECT_EQ(only(limits, all, times(990, 10)).result, RowResult::pass);
    EXPECT_EQ(only(limits, all, times(989, 11)).result, RowResult::fail);
    EXPECT_EQ(only({.latency_max = 500 * kMicrosecond}, all, times(999, 1)).result,
              RowResult::fail);
    EXPECT_EQ(only({.latency_max = kMillisecond}, all, times(999, 1)).result, RowResult::pass);
    EXPECT_EQ(only({.latency_p50_max = 500 * kMicrosecond}, all, times(500, 500)).result,
              RowResult::pass);
    EXPECT_EQ(only({.latency_p50_max = 500 * kMicrosecond}, all, times(499, 501)).result,
              RowResult::fail);
}

TEST(Limits, latency_of_one_rule_among_others_is_bounded) {
    const Limits limits{.latency_p99_max = 500 * kMicrosecond};
    // Were all slow ones the rule's, it would still keep to it.
    EXPECT_EQ(only(limits, {.pairs_data = 500}, times(995, 5)).result, RowResult::pass);
    // They may be the rule's, or not.
    const LimitRow open = only(limits, {.pairs_data = 500}, times(980, 20));
    EXPECT_EQ(open.result, RowResult::inconclusive);
    EXPECT_THAT(open.measured, HasSubstr("of all traffic"));
    // More slow ones than the others have packets.
    EXPECT_EQ(only(limits, {.pairs_data = 900}, times(880, 120)).result, RowResult::fail);
}

TEST(Limits, a_packet_without_a_time_may_have_been_slow) {
    const Limits limits{.latency_max = 500 * kMicrosecond};
    EXPECT_EQ(only(limits, {.pairs_data = 10}, times(9, 0, 1)).result, RowResult::inconclusive);
}

TEST(Limits, setup_and_data_are_apart) {
    std::vector<Latency> latencies = times(0, 10);
    latencies[0].setup = true;
    const Limits limits{.setup_latency_p99_max = 500 * kMicrosecond};
    EXPECT_EQ(only(limits, {.pairs_setup = 10}, latencies).result, RowResult::fail);
    EXPECT_EQ(only(limits, {.pairs_data = 10}, latencies).result, RowResult::untested);
}

TEST(Limits, an_idle_timeout_passes_only_above_what_was_seen_to_pass) {
    const Limits limits{.idle_timeout_min = 60 * kSecond};
    EXPECT_EQ(only(limits, {.idle_passed = 60 * kSecond}).result, RowResult::pass);
    EXPECT_EQ(only(limits, {.idle_passed = 59 * kSecond}).result, RowResult::untested);
    EXPECT_EQ(only(limits, {.idle_passed = 3 * kSecond, .idle_failed = 4 * kSecond}).result,
              RowResult::fail);
    EXPECT_EQ(only(limits, {.idle_passed = 50 * kSecond, .idle_failed = 70 * kSecond}).result,
              RowResult::inconclusive);
    EXPECT_EQ(only(limits, {.idle_passed = 61 * kSecond, .idle_failed = 70 * kSecond}).result,
              RowResult::pass);
}

TEST(Limits, an_unusable_capture_measures_nothing) {
    const LimitRow row = only({.loss_max = 1}, {.offered = 1}, {}, Trust::unusable);
    EXPECT_EQ(row.result, RowResult::inconclusive);
}

}  // namespace
}  // namespace tw::firewall
