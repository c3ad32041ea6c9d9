// SPDX-License-Identifier: BSD-3-Clause
// Shut windows: what is the receiver's, and what only looks like it.
#include "unit/core/tcp/life_talk.hpp"

namespace tw::tcp {
namespace {

TEST(LifeStall, zero_window_with_probes_is_the_receivers) {
    Conversation talk;
    talk.handshake().server("PA", {.bytes = 1000}).client("A", {.window = 0});
    talk.wait(300 * kMillisecond).server("A", {.seq = 1000});  // Linux: one below
    talk.client("A");
    talk.wait(600 * kMillisecond).client("A", {.window = 500});
    talk.server("PA", {.bytes = 1000}).client("A");
    const auto events = events_of(talk, EventType::stall);
    expect_one(events, Verdict::receiver_limited, Rule::zero_window, Confidence::proven,
               Direction::s2c);
    EXPECT_EQ(events[0].finding.place, Place::inside_receiver);
    EXPECT_EQ(events[0].finding.lag, 901 * kMillisecond);
    EXPECT_EQ(events[0].finding.cost, 901 * kMillisecond);
    EXPECT_EQ(events[0].subject[0].frame, 5U);
    ASSERT_EQ(events[0].evidence_count, 2U);
    EXPECT_EQ(events[0].evidence[0].frame, 6U);
    EXPECT_EQ(events[0].evidence[1].frame, 8U);
}

TEST(LifeStall, zero_window_is_one_too_if_data_follows_at_once_when_it_opens) {
    Conversation talk;
    talk.handshake().server("PA", {.bytes = 1000}).client("A", {.window = 0});
    talk.wait(250 * kMillisecond).client("A", {.window = 500});
    talk.server("PA", {.bytes = 1000}).client("A");
    expect_one(events_of(talk, EventType::stall), Verdict::receiver_limited, Rule::zero_window,
               Confidence::proven, Direction::s2c);
}

TEST(LifeStall, short_zero_window_is_none) {
    Conversation talk;
    talk.handshake().server("PA", {.bytes = 1000}).client("A", {.window = 0});
    talk.wait(50 * kMillisecond).client("A", {.window = 500}).server("PA", {.bytes = 1000});
    EXPECT_TRUE(events_of(talk, EventType::stall).empty());
}

TEST(LifeStall, shut_window_without_data_waiting_is_none) {
    Conversation talk;
    talk.handshake().server("PA", {.bytes = 1000}).client("A", {.window = 0});
    talk.wait(10 * kSecond).client("A", {.window = 500});
    talk.wait(10 * kSecond).server("PA", {.bytes = 10}).client("A");
    EXPECT_TRUE(events_of(talk, EventType::stall).empty());
    // A closing host announces no window any more.
    Conversation closing;
    closing.handshake().server("PA", {.bytes = 1000}).server("FA").client("A", {.window = 0});
    closing.wait(10 * kSecond).client("FA").server("A");
    EXPECT_TRUE(events_of(closing, EventType::stall).empty());
}

TEST(LifeStall, keep_alives_are_none) {
    Conversation talk;
    talk.handshake().server("PA", {.bytes = 1000}).client("A");
    for (int i = 0; i < 3; ++i) {
        talk.wait(30 * kSecond).server("A", {.seq = 1000}).client("A");
    }
    EXPECT_TRUE(events_of(talk, EventType::stall).empty());
    // Not even while the window is shut: nothing waited, or a probe had come sooner.
    Conversation shut;
    shut.handshake().server("PA", {.bytes = 1000}).client("A", {.window = 0});
    shut.wait(30 * kSecond).server("A", {.seq = 1000}).client("A");
    shut.wait(30 * kSecond).client("A", {.window = 500});
    EXPECT_TRUE(events_of(shut, EventType::stall).empty());
}

TEST(LifeStall, window_that_does_not_move_with_the_acks_is_the_receivers) {
    ConversationOptions options;
    options.window = {64'000, 65'160};
    Conversation talk(options);
    talk.handshake();
    talk.server("PA", {.bytes = 32'000}).server("PA", {.bytes = 32'000});  // full: 500 << 7
    talk.client("A", {.ack = 32'001, .window = 250});
    talk.wait(400 * kMillisecond).client("A", {.window = 500});
    talk.server("PA", {.bytes = 1000}).client("A");
    const auto events = events_of(talk, EventType::stall);
    expect_one(events, Verdict::receiver_limited, Rule::window_full, Confidence::probable,
               Direction::s2c);
    EXPECT_EQ(events[0].bytes, 64'000U);
}

TEST(LifeStall, window_filled_over_a_long_round_trip_is_none) {
    ConversationOptions options;
    options.window = {64'000, 65'160};
    Conversation talk(options);
    talk.handshake();
    talk.server("PA", {.bytes = 32'000}).server("PA", {.bytes = 32'000});
    talk.wait(400 * kMillisecond).client("A").server("PA", {.bytes = 1000}).client("A");
    EXPECT_TRUE(events_of(talk, EventType::stall).empty());
}

TEST(LifeStall, a_direction_tells_of_eight_and_counts_the_rest) {
    Conversation talk;
    talk.handshake();
    for (int i = 0; i < 11; ++i) {
        talk.server("PA", {.bytes = 1000}).client("A", {.window = 0});
        talk.wait(300 * kMillisecond).client("A", {.window = 500});
    }
    talk.server("PA", {.bytes = 1000}).client("A");
    PipelineRun run;
    tell(run, talk);
    run.finish();
    const auto stalls = std::ranges::count_if(
        run.events(), [](const Event& event) { return event.type == EventType::stall; });
    EXPECT_EQ(stalls, 8);
    EXPECT_EQ(run.count(Counter::events_withheld_stall), 3U);
}

}  // namespace
}  // namespace tw::tcp
