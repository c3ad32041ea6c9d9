// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/marked_times.hpp"

#include <gtest/gtest.h>

namespace tw::verdict {
namespace {

TEST(MarkedTimes, ten_seconds_around_a_stretch_are_near_it) {
    MarkedTimes times;
    times.add(0, 100 * kSecond, 101 * kSecond);
    EXPECT_TRUE(times.near(0, 90 * kSecond, 90 * kSecond));
    EXPECT_TRUE(times.near(0, 111 * kSecond, 111 * kSecond));
    EXPECT_TRUE(times.near(0, 0, 500 * kSecond));
    EXPECT_FALSE(times.near(0, 0, 90 * kSecond - 1));
    EXPECT_FALSE(times.near(0, 111 * kSecond + 1, 500 * kSecond));
    EXPECT_FALSE(times.near(1, 100 * kSecond, 101 * kSecond));
}

TEST(MarkedTimes, a_tap_that_does_not_exist_is_never_clean) {
    MarkedTimes times;
    times.add(kTapsMax, 0, 1);
    EXPECT_TRUE(times.near(kTapsMax, 0, 1));
}

TEST(MarkedTimes, too_many_stretches_mark_too_much_but_never_too_little) {
    MarkedTimes times;
    constexpr Nanos kStretches = 3 * MarkedTimes::kStretchesMax;
    // Odd ones first, so that the others come in between.
    for (const Nanos first : {1, 0}) {
        for (Nanos i = first; i < kStretches; i += 2) {
            times.add(0, (i * 100 + i) * kSecond, (i * 100 + i + 1) * kSecond);
        }
    }
    for (Nanos i = 0; i < kStretches; ++i) {
        EXPECT_TRUE(times.near(0, (i * 100 + i) * kSecond, (i * 100 + i) * kSecond)) << i;
    }
    EXPECT_FALSE(times.near(0, -100 * kSecond, -50 * kSecond));
}

}  // namespace
}  // namespace tw::verdict
