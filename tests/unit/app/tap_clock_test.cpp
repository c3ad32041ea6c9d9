// SPDX-License-Identifier: BSD-3-Clause
#include "app/tap_clock.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace {

using namespace tw;
using app::CommonPacket;
using app::estimate;

// Requests go inward and answers outward, each through the middle in `transit`; the inside clock
// shows `lead` more, and `drift` nanoseconds more in each second.
std::vector<CommonPacket> crossing(int count, Nanos transit, Nanos lead, Nanos drift = 0) {
    std::vector<CommonPacket> common;
    for (int i = 0; i < count; ++i) {
        const Nanos outside = 1'000 * kSecond + i * kSecond / 10;
        const bool inward = i % 2 == 0;
        common.push_back({.outside = outside,
                          .difference = lead + drift * i / 10 + (inward ? transit : -transit),
                          .from_lower = inward});
    }
    return common;
}

TEST(TapClock, one_clock_needs_no_correction) {
    const auto found = estimate(crossing(100, 300'000, 0));
    EXPECT_FALSE(found.differs);
    EXPECT_EQ(found.correction.of(1'005 * kSecond), 0);
}

TEST(TapClock, a_lead_of_the_inside_clock_is_found_to_the_microsecond) {
    for (const Nanos lead : {3'600 * kSecond, 5 * kMillisecond, -700 * kSecond}) {
        const auto found = estimate(crossing(100, 300'000, lead));
        EXPECT_TRUE(found.differs);
        EXPECT_NEAR(static_cast<double>(found.correction.of(1'005 * kSecond + lead)),
                    static_cast<double>(lead), 1'000);
    }
}

TEST(TapClock, a_lead_shorter_than_the_transit_changes_nothing) {
    EXPECT_FALSE(estimate(crossing(100, 3 * kMillisecond, 2 * kMillisecond)).differs);
}

TEST(TapClock, a_clock_that_runs_fast_is_followed) {
    const Nanos lead = 20 * kMillisecond;
    const Nanos drift = 100'000;  // 100 ppm
    const auto found = estimate(crossing(10'000, 300'000, lead, drift));
    EXPECT_TRUE(found.differs);
    const Nanos outside = 1'900 * kSecond;
    const Nanos truth = lead + 900 * drift;
    EXPECT_NEAR(static_cast<double>(found.correction.of(outside + truth)),
                static_cast<double>(truth), 1e6);
}

TEST(TapClock, one_direction_alone_never_moves_a_clock) {
    std::vector<CommonPacket> common;
    for (int i = 0; i < 100; ++i) {
        common.push_back({.outside = i * kSecond, .difference = kSecond, .from_lower = true});
    }
    const auto found = estimate(common);
    EXPECT_FALSE(found.differs);
    EXPECT_FALSE(found.both_directions);
}

TEST(TapClock, a_mirror_that_queues_now_and_then_is_no_other_clock) {
    auto common = crossing(100, 300'000, 0);
    for (std::size_t i = 0; i < common.size(); i += 5) {
        common[i].difference += 10 * kMillisecond;
    }
    EXPECT_FALSE(estimate(common).differs);
}

TEST(TapClock, too_few_packets_tell_nothing) {
    EXPECT_FALSE(estimate(crossing(3, 300'000, kSecond)).differs);
    EXPECT_FALSE(estimate({}).differs);
}

}  // namespace
