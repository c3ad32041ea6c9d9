// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/ladder_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ladder_sample.hpp"
#include "sinks/ladder_plan.hpp"

namespace {

using namespace tw;
using namespace tw::test;
using event::Verdict;
using testing::HasSubstr;

TEST(LadderLog, memory_is_bounded_and_totals_stay_right) {
    Ladder ladder({.rows_max = 256});
    ladder.handshake();
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        const bool strange = i % 50 == 0;
        ladder.send({.from_client = false,
                     .seq = 1 + i * 100,
                     .ack = 1,
                     .payload = 100,
                     .at = 11'000'000 + Nanos{i} * 1000,
                     .marks = strange ? marked(tcp::Flag::lost_segment) : tcp::FlagSet{}});
    }
    ASSERT_LE(ladder.log.rows().size(), 256U);
    EXPECT_EQ(ladder.log.rows().front().frame, 1U);
    EXPECT_EQ(ladder.log.rows().back().frame, 20'003U);
    const sinks::LadderPlan plan = sinks::plan_ladder(ladder.log, {.all = true});
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;
    for (const sinks::LadderItem& item : plan.items) {
        if (item.kind == sinks::LadderItem::Kind::segment) {
            ++segments;
            bytes += ladder.log.rows()[item.index].payload_bytes;
        }
    }
    for (const sinks::LadderFold& fold : plan.folds) {
        segments += fold.count();
        bytes += fold.bytes[0] + fold.bytes[1];
    }
    EXPECT_EQ(segments, 20'003U);
    EXPECT_EQ(bytes, 2'000'000U);
    EXPECT_THAT(ladder.text({.all = true}), HasSubstr("Kept of a connection: 256 segments"));
}

TEST(LadderLog, of_many_episodes_the_gravest_are_shown_and_all_are_counted) {
    Ladder ladder;
    ladder.handshake();
    for (std::uint32_t i = 0; i < 100; ++i) {
        ladder.send({.seq = 1, .ack = 1, .at = 11'000'000 + Nanos{i}});
    }
    for (std::uint64_t id = 1; id <= 20'000; ++id) {
        event::Event event = hole(4 + id % 100, 1, 101);
        event.id = id;
        event.finding.verdict =
            id == 777 ? Verdict::never_recovered : Verdict::reordered_before_tap;
        ladder.log.add(event);
    }
    const sinks::LadderPlan plan = sinks::plan_ladder(ladder.log, {});
    EXPECT_EQ(plan.shown.size(), 10U);
    EXPECT_EQ(plan.hidden, 19'990U);
    EXPECT_TRUE(std::any_of(plan.shown.begin(), plan.shown.end(),
                            [](const event::Event& event) { return event.id == 777; }));
    EXPECT_THAT(ladder.text(), HasSubstr("reordered_before_tap: 19,999 holes"));
}

TEST(LadderLog, the_episode_asked_for_is_kept_among_any_number) {
    Ladder ladder({.episode = 3});
    ladder.handshake();
    for (std::uint64_t id = 1; id <= 20'000; ++id) {
        event::Event event = hole(3, 1, 101);
        event.id = id;
        event.finding.verdict = id == 3 ? Verdict::reordered_in_capture : Verdict::never_recovered;
        ladder.log.add(event);
    }
    const sinks::LadderPlan plan = sinks::plan_ladder(ladder.log, {.episode = 3});
    ASSERT_EQ(plan.shown.size(), 1U);
    EXPECT_EQ(plan.shown[0].id, 3U);
    EXPECT_EQ(plan.hidden, 19'999U);
}

TEST(LadderLog, numbers_are_relative_as_in_wireshark_without_a_syn_too) {
    Ladder ladder;
    ladder.send({.seq = 5000, .ack = 9000, .payload = 10});
    ladder.send({.from_client = false, .seq = 9000, .ack = 5010, .payload = 20});
    const std::string text = ladder.text();
    EXPECT_THAT(text, HasSubstr("| seq 1 len 10 ack 1 -"));
    EXPECT_THAT(text, HasSubstr("- seq 1 len 20 ack 11 |"));
    EXPECT_THAT(text, HasSubstr("not captured: the connection is older than the capture"));
}

TEST(LadderLog, a_duplicate_sack_is_told_from_a_selective_one) {
    Ladder ladder;
    ladder.handshake();
    const auto block = [](std::uint32_t left, std::uint32_t right) {
        std::vector<std::uint8_t> bytes{1, 1, 5, 10};
        for (const std::uint32_t edge : {left + 5000, right + 5000}) {
            for (int shift = 24; shift >= 0; shift -= 8) {
                bytes.push_back(static_cast<std::uint8_t>(edge >> shift));
            }
        }
        return bytes;
    };
    ladder.send({.seq = 1, .ack = 1001, .options = block(2001, 3001)});
    ladder.send({.seq = 1, .ack = 3001, .options = block(1, 1001)});
    const std::string text = ladder.text();
    EXPECT_THAT(text, HasSubstr("|   SACK [2001..3001) "));
    EXPECT_THAT(text, HasSubstr("|   DSACK [1..1001) "));
}

TEST(LadderLog, broken_options_end_the_list) {
    for (const std::vector<std::uint8_t>& options :
         {std::vector<std::uint8_t>{2}, {2, 0, 2, 0}, {2, 40, 0, 0}, {5, 2, 5, 3, 0}, {8, 10, 1}}) {
        Ladder ladder;
        ladder.send({.flags = kSynBit, .options = options});
        EXPECT_THAT(ladder.text(), HasSubstr("|   no options; win 500"));
    }
}

}  // namespace
