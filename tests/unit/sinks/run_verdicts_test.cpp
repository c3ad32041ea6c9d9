// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/run_verdicts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "samples.hpp"

namespace {

using namespace tw;
using namespace tw::test;
using event::Verdict;
using testing::ElementsAre;

TEST(RunVerdicts, losses_are_told_by_side_with_their_share) {
    verdict::PathSum paths;
    EXPECT_EQ(sinks::lost_text(paths), "");
    paths.client_side.bytes_offered = 2'000'000;
    paths.server_side = {.bytes_offered = 1'337'405, .bytes_lost = 17'520, .segments_lost = 12};
    EXPECT_EQ(sinks::lost_text(paths),
              "lost: client side 0 %, server side 1.3 % (17,520 bytes in 12 segments)");
    paths.client_side.acks_lost = 3;
    EXPECT_EQ(sinks::lost_text(paths),
              "lost: client side 0 %, server side 1.3 % (17,520 bytes in 12 segments); 3 ACKs "
              "lost");
    paths.server_side = {};
    EXPECT_EQ(sinks::lost_text(paths), "no data lost; 3 ACKs lost");
    paths.server_side.segments_lost = 1;
    EXPECT_EQ(sinks::lost_text(paths), "lost: 1 segment without data; 3 ACKs lost");
}

TEST(RunVerdicts, what_the_capture_missed_is_no_loss) {
    verdict::CaptureSum capture;
    capture.bytes_delivered = 1000;
    EXPECT_EQ(sinks::missed_text(capture), "");
    capture.bytes_missed = 2;
    EXPECT_EQ(sinks::missed_text(capture),
              "missed 0.20 %: 2 bytes in 1 segment that the receivers have");
}

TEST(RunVerdicts, a_live_run_ends_with_its_sums) {
    std::array<std::uint64_t, event::kVerdicts> counts{};
    EXPECT_THAT(sinks::verdict_lines({}, counts),
                ElementsAre("verdicts: none, no episode was seen",
                            "capture: nothing that was acknowledged is missing",
                            "network: no loss on either side of the taps is known"));
    counts[static_cast<std::size_t>(Verdict::never_recovered)] = 1;
    counts[static_cast<std::size_t>(Verdict::unknown)] = 1200;
    sinks::RunVerdicts verdicts;
    verdicts.paths.server_side = {.bytes_offered = 2020, .bytes_lost = 1010, .segments_lost = 1};
    verdicts.services = {{.server = v4(203, 0, 113, 10, 80), .conversations = 2, .hung = 1}};
    EXPECT_THAT(sinks::verdict_lines(verdicts, counts),
                ElementsAre("verdicts: never recovered 1, unknown 1,200",
                            "capture: nothing that was acknowledged is missing",
                            "network: lost: client side 0 %, server side 50.0 % (1,010 bytes in 1 "
                            "segment)",
                            "service: 1 of 2 conversations with 203.0.113.10:80 hung"));
}

}  // namespace
