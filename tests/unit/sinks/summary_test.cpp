// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/summary.hpp"

#include <gtest/gtest.h>

#include <string>

#include "samples.hpp"

namespace {

using namespace tw;
using namespace tw::test;
using event::Resolution;
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
        summary.add(record(stream, stream % 500, stream));
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

TEST(Summary, mix_of_a_connection_comes_from_its_episodes) {
    Summary summary;
    summary.add(hole(3, 100, Resolution::never, 5));
    summary.add(hole(3, 40, Resolution::acknowledged_unseen, 2));
    summary.add(hole(3, 7, Resolution::filled, 9));
    summary.add(hole(4, 1, Resolution::never, 1));
    summary.add(record(3, 140));
    const auto worst = summary.worst();
    ASSERT_EQ(worst.size(), 1U);
    EXPECT_EQ(worst[0].mix.holes, 3U);
    EXPECT_EQ(worst[0].mix.missing_bytes, 140U);
    EXPECT_EQ(worst[0].mix.acked_bytes, 40U);
    EXPECT_EQ(worst[0].mix.filled_bytes, 7U);
    EXPECT_EQ(worst[0].mix.first_hole, kStart + 2);
    EXPECT_TRUE(worst[0].mix.complete);
}

TEST(Summary, few_episodes_are_all_listed_by_time) {
    Summary summary;
    for (std::uint64_t i = 0; i < Summary::kEpisodesMax; ++i) {
        summary.add(hole(0, i, Resolution::never, 100 - i));
    }
    const auto events = summary.largest(10);
    ASSERT_EQ(events.size(), Summary::kEpisodesMax);
    for (std::size_t i = 1; i < events.size(); ++i) {
        EXPECT_LT(events[i - 1].time, events[i].time);
    }
}

TEST(Summary, of_many_episodes_missing_bytes_weigh_most_then_filled_then_repeats) {
    Summary summary;
    for (std::uint64_t i = 1; i <= 30; ++i) {
        event::Event repeat = story_repeat();
        repeat.id = 1000 + i;
        repeat.bytes = 1'000'000;
        summary.add(repeat);
    }
    for (std::uint64_t i = 1; i <= 5; ++i) {
        summary.add(hole(0, 500'000, Resolution::filled, 100 + i));
        summary.add(hole(0, i, Resolution::never, i));
    }
    const auto events = summary.largest(10);
    ASSERT_EQ(events.size(), 10U);
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(events[i].resolution, Resolution::never);
        EXPECT_EQ(events[i + 5].resolution, Resolution::filled);
    }
}

TEST(Summary, of_equal_episodes_the_first_are_kept) {
    Summary summary;
    for (std::uint64_t id = 1; id <= 100; ++id) {
        summary.add(hole(0, 10, Resolution::never, id));
    }
    const auto events = summary.largest(10);
    ASSERT_EQ(events.size(), 10U);
    EXPECT_EQ(events.front().id, 1U);
    EXPECT_EQ(events.back().id, 10U);
}

TEST(Summary, more_connections_with_holes_than_followed_keep_the_worst_and_say_so) {
    Summary summary;
    // One heavy connection among more than can be followed at one time.
    const auto many = static_cast<std::uint32_t>(Summary::kMixesMax * 2);
    summary.add(hole(many, 1'000'000, Resolution::acknowledged_unseen));
    for (std::uint32_t stream = 0; stream < many; ++stream) {
        summary.add(hole(stream, 10, Resolution::never));
    }
    summary.add(record(many, 1'000'000));
    summary.add(record(many - 1, 10));
    summary.add(record(0, 10));
    const auto worst = summary.worst();
    ASSERT_EQ(worst.size(), 3U);
    EXPECT_EQ(worst[0].record.flow.stream, many);
    EXPECT_TRUE(worst[0].mix.complete);
    EXPECT_EQ(worst[0].mix.acked_bytes, 1'000'000U);
    // Pushed out, or followed only after others were: its mix may be partial.
    EXPECT_FALSE(worst[1].mix.complete);
    EXPECT_FALSE(worst[2].mix.complete);
}

}  // namespace
