// SPDX-License-Identifier: BSD-3-Clause
#include "base/sequence.hpp"

#include <gtest/gtest.h>

namespace tw {
namespace {

TEST(Sequence, orders_across_the_wrap) {
    EXPECT_TRUE(after(5, 0xFFFFFFF0U));
    EXPECT_FALSE(after(0xFFFFFFF0U, 5));
    EXPECT_TRUE(after(1, 0));
    EXPECT_FALSE(after(7, 7));
}

TEST(Sequence, half_the_circle_is_after_both_ways) {
    EXPECT_TRUE(after(0x80000000U, 0));
    EXPECT_TRUE(after(0, 0x80000000U));
    EXPECT_TRUE(after(0x7FFFFFFFU, 0));
    EXPECT_FALSE(after(0, 0x7FFFFFFFU));
}

TEST(Sequence, at_or_before_includes_equality_and_distance_wraps) {
    EXPECT_TRUE(at_or_before(7, 7));
    EXPECT_TRUE(at_or_before(0xFFFFFFFFU, 0));
    EXPECT_FALSE(at_or_before(1, 0));
    EXPECT_EQ(distance(0xFFFFFFFEU, 3), 5U);
    EXPECT_EQ(distance(3, 3), 0U);
}

}  // namespace
}  // namespace tw
