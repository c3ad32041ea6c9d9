// SPDX-License-Identifier: BSD-3-Clause
#include "app/progress.hpp"

#include <gtest/gtest.h>

namespace {

using tw::app::progress_text;

TEST(Progress, share_rate_and_time_left) {
    EXPECT_EQ(progress_text(250'000'000, 1'000'000'000, 2'000'000, 0.5),
              " 25 %  250 MB of 1.00 GB  2,000,000 frames  4.00 Mpps  2 s left");
}

TEST(Progress, unknown_total_has_no_share) {
    EXPECT_EQ(progress_text(1'000'000, 0, 10, 1.0), "1.00 MB  10 frames  0.00 Mpps");
}

TEST(Progress, first_and_last_moment_divide_by_nothing) {
    EXPECT_EQ(progress_text(0, 100, 0, 0.0), "  0 %  0 bytes of 100 bytes  0 frames");
    EXPECT_EQ(progress_text(100, 100, 1, 1.0),
              "100 %  100 bytes of 100 bytes  1 frames  0.00 Mpps");
}

}  // namespace
