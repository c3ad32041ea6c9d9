// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/summary.hpp"

#include <gtest/gtest.h>

#include <string>

#include "samples.hpp"

namespace {

using namespace tw;
using namespace tw::test;
using event::Confidence;
using event::Outcome;
using event::Resolution;
using event::Verdict;
using sinks::Summary;

event::Event hole(std::uint32_t stream, std::uint64_t bytes, Resolution resolution,
                  std::uint64_t id = 1) {
    event::Event event = story_hole();
    event.id = id;
    event.flow.stream = stream;
    event.bytes = bytes;
    event.resolution = resolution;
    event.time = kStart + static_cast<Nanos>(id);
    return event;
}

// A hole with a verdict, its id the time it was noticed.
event::Event judged(std::uint64_t id, Verdict verdict, std::uint64_t bytes,
                    Confidence confidence = Confidence::proven) {
    event::Event event = hole(0, bytes, Resolution::never, id);
    event.finding.verdict = verdict;
    event.finding.confidence = confidence;
    return event;
}

event::FlowRecord record(std::uint32_t stream, std::uint64_t missing, std::uint32_t repeats = 0) {
    event::FlowRecord record = story_record();
    record.flow.stream = stream;
    record.missing_bytes = {missing, 0};
    record.flags = {};
    record.flags[1][static_cast<std::size_t>(tcp::Flag::retransmission)] = repeats;
    return record;
}

TEST(Summary, episodes_add_up_by_resolution) {
    Summary summary;
    summary.add(hole(0, 100, Resolution::never));
    summary.add(hole(0, 50, Resolution::never));
    summary.add(hole(0, 7, Resolution::filled));
    event::Event repeat = story_repeat();
    repeat.repeats_count = 3;
    repeat.bytes = 30;
    summary.add(repeat);
    const auto& never = summary.holes()[static_cast<std::size_t>(Resolution::never)];
    EXPECT_EQ(never.episodes, 2U);
    EXPECT_EQ(never.bytes, 150U);
    EXPECT_EQ(summary.holes()[static_cast<std::size_t>(Resolution::filled)].bytes, 7U);
    const auto& again = summary.repeats()[static_cast<std::size_t>(Resolution::acknowledged)];
    EXPECT_EQ(again.segments, 3U);
    EXPECT_EQ(again.bytes, 30U);
    EXPECT_EQ(summary.episodes(), 4U);
}

TEST(Summary, only_unresolved_holes_are_missing) {
    EXPECT_TRUE(sinks::still_missing(Resolution::never));
    EXPECT_TRUE(sinks::still_missing(Resolution::acknowledged_unseen));
    EXPECT_TRUE(sinks::still_missing(Resolution::unknown_limit));
    EXPECT_FALSE(sinks::still_missing(Resolution::filled));
    EXPECT_FALSE(sinks::still_missing(Resolution::filled_after_ack));
}

TEST(Summary, flags_count_frames) {
    Summary summary;
    tcp::FlagSet flags;
    flags.set(tcp::Flag::lost_segment);
    summary.add(flags);
    flags.set(tcp::Flag::zero_window_probe_ack);
    summary.add(flags);
    EXPECT_EQ(summary.flags()[static_cast<std::size_t>(tcp::Flag::lost_segment)], 2U);
    EXPECT_EQ(summary.flags()[static_cast<std::size_t>(tcp::Flag::zero_window_probe_ack)], 1U);
    EXPECT_EQ(summary.flags()[static_cast<std::size_t>(tcp::Flag::retransmission)], 0U);
}

TEST(Summary, connections_are_classed) {
    Summary summary;
    event::FlowRecord plain = record(0, 0);
    event::FlowRecord midstream = record(1, 5);
    midstream.completeness = 12;
    event::FlowRecord unanswered = record(2, 0);
    unanswered.completeness = 1;
    unanswered.packets = {3, 0};
    event::FlowRecord one_sided = record(3, 0, 2);
    one_sided.completeness = 12;
    one_sided.packets = {0, 9};
    event::FlowRecord answered_by_nothing_yet = record(4, 0);
    answered_by_nothing_yet.completeness = 1;
    answered_by_nothing_yet.packets = {1, 1};
    for (const auto& each : {plain, midstream, unanswered, one_sided, answered_by_nothing_yet}) {
        summary.add(each);
    }
    const sinks::ConnectionTotals& totals = summary.connections();
    EXPECT_EQ(totals.connections, 5U);
    EXPECT_EQ(totals.with_missing, 1U);
    EXPECT_EQ(totals.with_repeats, 1U);
    EXPECT_EQ(totals.missing_bytes, 5U);
    EXPECT_EQ(totals.midstream, 2U);
    EXPECT_EQ(totals.unanswered, 1U);
    EXPECT_EQ(totals.one_sided, 1U);
    EXPECT_EQ(totals.payload_bytes, 5U * 78U);
}

TEST(Summary, worst_connections_are_sorted_and_bounded) {
    Summary summary;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const std::uint32_t stream = (i * 7) % 1000;
        event::FlowRecord bad = record(stream, 0, stream);
        bad.outcomes[0][static_cast<std::size_t>(Outcome::lost_before_tap)].bytes = stream % 500;
        summary.add(bad);
    }
    const auto worst = summary.worst();
    ASSERT_EQ(worst.size(), Summary::kWorstMax);
    // 499 bytes: streams 499 and 999; of equals the one with more repeats first.
    EXPECT_EQ(worst[0].record.flow.stream, 999U);
    EXPECT_EQ(worst[1].record.flow.stream, 499U);
    EXPECT_EQ(worst[2].record.flow.stream, 998U);
    EXPECT_EQ(worst[9].record.flow.stream, 495U);
}

TEST(Summary, good_connections_are_never_worst) {
    Summary summary;
    summary.add(record(0, 0, 0));
    EXPECT_TRUE(summary.worst().empty());
    summary.add(record(1, 0, 1));
    ASSERT_EQ(summary.worst().size(), 1U);
}

TEST(Summary, lost_bytes_are_worse_than_unknown_than_missed_than_repeats) {
    Summary summary;
    const auto with = [](std::uint32_t stream, Outcome outcome, std::uint64_t bytes) {
        event::FlowRecord bad = record(stream, 0);
        bad.outcomes[stream % 2][static_cast<std::size_t>(outcome)].bytes = bytes;
        return bad;
    };
    summary.add(record(0, 0, 1000));
    summary.add(with(1, Outcome::missed_by_capture, 1'000'000));
    summary.add(with(2, Outcome::unknown, 3000));
    summary.add(with(3, Outcome::lost_before_tap, 2));
    summary.add(with(4, Outcome::lost_after_tap, 3));
    summary.add(with(5, Outcome::never_recovered, 1));
    summary.add(with(6, Outcome::repeated_needlessly, 9'000'000));
    const auto worst = summary.worst();
    ASSERT_EQ(worst.size(), 6U);
    const std::uint32_t expected[] = {4, 3, 5, 2, 1, 0};
    for (std::size_t i = 0; i < worst.size(); ++i) {
        EXPECT_EQ(worst[i].record.flow.stream, expected[i]) << i;
    }
    EXPECT_EQ(worst[0].lost_bytes, 3U);
    EXPECT_EQ(worst[3].unknown_bytes, 3000U);
    EXPECT_EQ(worst[4].missed_bytes, 1'000'000U);
}

TEST(Summary, verdicts_add_up_with_their_causes) {
    Summary summary;
    summary.add(judged(1, Verdict::never_recovered, 100, Confidence::proven));
    event::Event event = judged(2, Verdict::never_recovered, 50, Confidence::probable);
    event.finding.cause = event::Cause::sender_silent;
    summary.add(event);
    summary.add(hole(0, 7, Resolution::filled));
    const auto& total = summary.verdicts()[static_cast<std::size_t>(Verdict::never_recovered)];
    EXPECT_EQ(total.episodes, 2U);
    EXPECT_EQ(total.bytes, 150U);
    EXPECT_EQ(total.proven, 1U);
    EXPECT_EQ(total.causes[static_cast<std::size_t>(event::Cause::sender_silent)], 1U);
    EXPECT_EQ(summary.not_judged(), 1U);
    EXPECT_EQ(sinks::causes_text(total), "sender silent 1");
}

TEST(Summary, few_episodes_are_all_listed_by_time) {
    Summary summary;
    for (std::uint64_t i = 0; i < Summary::kEpisodesMax; ++i) {
        summary.add(hole(0, i, Resolution::never, 100 - i));
    }
    const auto events = summary.worst_episodes(10);
    ASSERT_EQ(events.size(), Summary::kEpisodesMax);
    for (std::size_t i = 1; i < events.size(); ++i) {
        EXPECT_LT(events[i - 1].time, events[i].time);
    }
}

TEST(Summary, of_many_episodes_those_that_did_most_harm_are_listed) {
    Summary summary;
    for (std::uint64_t i = 1; i <= 30; ++i) {
        summary.add(judged(1000 + i, Verdict::spurious_retransmission, 9'000'000));
        summary.add(judged(2000 + i, Verdict::duplicated_by_mirror, 9'000'000));
    }
    summary.add(judged(900, Verdict::missed_by_capture, 5'000'000));
    summary.add(judged(800, Verdict::unknown, 10));
    for (std::uint64_t i = 1; i <= 7; ++i) {
        summary.add(judged(i, Verdict::lost_after_tap, 1));
    }
    summary.add(judged(700, Verdict::never_recovered, 1));
    const auto events = summary.worst_episodes(10);
    ASSERT_EQ(events.size(), 10U);
    for (std::size_t i = 0; i < 7; ++i) {
        EXPECT_EQ(events[i].finding.verdict, Verdict::lost_after_tap);
    }
    EXPECT_EQ(events[7].id, 700U);
    EXPECT_EQ(events[8].id, 800U);
    EXPECT_EQ(events[9].id, 900U);
    ASSERT_TRUE(summary.worst_episode());
    EXPECT_EQ(summary.worst_episode()->id, 700U);
}

TEST(Summary, of_losses_the_one_that_cost_most_is_spoken_of_first) {
    Summary summary;
    summary.add(judged(1, Verdict::spurious_retransmission, 500));
    EXPECT_FALSE(summary.worst_episode());
    summary.add(judged(2, Verdict::lost_before_tap, 100'000));
    event::Event slow = judged(3, Verdict::lost_before_tap, 10);
    slow.finding.cost = 3 * kSecond;
    summary.add(slow);
    EXPECT_EQ(summary.worst_episode()->id, 3U);
}

TEST(Summary, of_equal_episodes_the_first_are_kept) {
    Summary summary;
    for (std::uint64_t id = 1; id <= 100; ++id) {
        summary.add(hole(0, 10, Resolution::never, id));
    }
    const auto events = summary.worst_episodes(10);
    ASSERT_EQ(events.size(), 10U);
    EXPECT_EQ(events.front().id, 1U);
    EXPECT_EQ(events.back().id, 10U);
}

}  // namespace
