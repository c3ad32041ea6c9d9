// SPDX-License-Identifier: BSD-3-Clause
// Episodes by hand-made conversations: each kind must appear when it should and only then.
#include "core/tcp/episodes.hpp"

#include <gtest/gtest.h>

#include "support/packet_builder.hpp"
#include "support/pipeline_run.hpp"

namespace tw::tcp {
namespace {

using event::Direction;
using event::Event;
using event::EventType;
using event::Resolution;
using stats::Counter;

constexpr std::uint32_t kClientIsn = 1000;
constexpr std::uint32_t kServerIsn = 0xFFFFFF00U;  // so that every conversation wraps

// Numbers are relative to each side's initial sequence number, times are milliseconds.
class Talk {
  public:
    explicit Talk(const PipelineOptions& options = test::read_options()) : run(options) {}

    void open() {
        client(0, 0, "S", 0);
        server(0, 1, "SA", 0);
        client(1, 1, "A", 0);
    }
    Observation client(std::uint32_t seq, std::uint32_t ack, std::string_view flags,
                       std::size_t bytes) {
        return send("10.0.0.5", "203.0.113.10", 51000, 80, kClientIsn + seq,
                    flags.contains('A') ? kServerIsn + ack : 0, flags, bytes, {});
    }
    Observation server(std::uint32_t seq, std::uint32_t ack, std::string_view flags,
                       std::size_t bytes) {
        return send("203.0.113.10", "10.0.0.5", 80, 51000, kServerIsn + seq,
                    flags.contains('A') ? kClientIsn + ack : 0, flags, bytes, {});
    }
    Observation client_sack(std::uint32_t seq, std::uint32_t ack, std::uint32_t left,
                            std::uint32_t right) {
        return send("10.0.0.5", "203.0.113.10", 51000, 80, kClientIsn + seq, kServerIsn + ack, "A",
                    0, {{kServerIsn + left, kServerIsn + right}});
    }
    void wait(Nanos milliseconds) { now += milliseconds * kMillisecond; }

    test::PipelineRun run;
    Nanos now = 1000 * kSecond;
    std::uint8_t tap = 0;

  private:
    Observation send(std::string_view from, std::string_view to, std::uint16_t sport,
                     std::uint16_t dport, std::uint32_t seq, std::uint32_t ack,
                     std::string_view flags, std::size_t bytes,
                     std::initializer_list<test::SackBlock> sack) {
        now += kMillisecond;
        test::PacketBuilder packet;
        packet.ethernet()
            .ipv4(from, to)
            .tcp(sport, dport)
            .seq(seq)
            .ack(ack)
            .flags(flags)
            .window(65000);
        if (sack.size() != 0) {
            packet.option_nop().option_nop().option_sack(sack);
        }
        return run.feed(packet.payload(bytes).build(), now, LinkType::ethernet, tap);
    }
};

struct Expected {
    EventType type;
    Direction direction;
    std::uint32_t begin;  // relative
    std::uint32_t end;
    std::uint64_t bytes;
    Resolution resolution;
};

void expect_events(const Talk& talk, const std::vector<Expected>& expected) {
    const auto& events = talk.run.events();
    ASSERT_EQ(events.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const Event& event = events[i];
        const std::uint32_t isn = expected[i].direction == Direction::c2s ? kClientIsn : kServerIsn;
        EXPECT_EQ(name(event.type), name(expected[i].type)) << i;
        EXPECT_EQ(name(event.direction), name(expected[i].direction)) << i;
        EXPECT_EQ(event.seq_begin - isn, expected[i].begin) << i;
        EXPECT_EQ(event.seq_end - isn, expected[i].end) << i;
        EXPECT_EQ(event.bytes, expected[i].bytes) << i;
        EXPECT_EQ(name(event.resolution), name(expected[i].resolution)) << i;
        EXPECT_EQ(event.flow.client.port, 51000) << i;
        EXPECT_EQ(event.id, i + 1);
    }
}

TEST(Episodes, clean_conversation_has_none) {
    Talk talk;
    talk.open();
    talk.client(1, 1, "PA", 100);
    talk.server(1, 101, "A", 0);
    talk.server(1, 101, "PA", 1000);
    talk.client(101, 1001, "A", 0);
    talk.server(1001, 101, "FA", 0);
    talk.client(101, 1002, "FA", 0);
    talk.server(1002, 102, "A", 0);
    talk.run.finish();
    expect_events(talk, {});
    ASSERT_EQ(talk.run.flows().size(), 1U);
    const auto& flow = talk.run.flows().front();
    EXPECT_EQ(flow.completeness, 31);
    EXPECT_EQ(flow.bytes[0], 100U);
    EXPECT_EQ(flow.bytes[1], 1000U);
    EXPECT_EQ(flow.packets[0], 5U);
    EXPECT_EQ(flow.missing_bytes[0] + flow.missing_bytes[1], 0U);
    EXPECT_TRUE(flow.client_known);
}

TEST(Episodes, hole_filled_in_two_pieces_from_the_left_is_one_episode) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.server(301, 1, "A", 100);
    talk.client(1, 101, "A", 0);
    talk.server(101, 1, "A", 100);
    talk.server(201, 1, "A", 100);
    talk.client(1, 401, "A", 0);
    talk.run.finish();
    expect_events(talk, {{EventType::hole, Direction::s2c, 101, 301, 200, Resolution::filled}});
    const Event& hole = talk.run.events().front();
    EXPECT_EQ(hole.subject[0].frame, 5U);
    EXPECT_EQ(hole.evidence[0].frame, 8U);
    EXPECT_EQ(talk.run.flows().front().missing_bytes[1], 0U);
}

TEST(Episodes, hole_filled_in_the_middle_leaves_two_holes) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.server(401, 1, "A", 100);
    talk.server(201, 1, "A", 100);
    talk.run.finish();
    expect_events(talk, {{EventType::hole, Direction::s2c, 201, 301, 100, Resolution::filled},
                         {EventType::hole, Direction::s2c, 101, 201, 100, Resolution::never},
                         {EventType::hole, Direction::s2c, 301, 401, 100, Resolution::never}});
    EXPECT_EQ(talk.run.flows().front().missing_bytes[1], 200U);
}

TEST(Episodes, acknowledged_hole_was_missed_and_a_late_copy_is_no_repeat) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.server(201, 1, "A", 100);
    talk.client(1, 301, "A", 0);
    talk.wait(60);
    talk.server(301, 1, "A", 100);
    talk.server(101, 1, "A", 100);  // captured for the first time, long after its ACK
    talk.client(1, 401, "A", 0);
    talk.run.finish();
    expect_events(
        talk, {{EventType::hole, Direction::s2c, 101, 201, 100, Resolution::acknowledged_unseen}});
    EXPECT_EQ(talk.run.flows().front().missing_bytes[1], 100U);
}

TEST(Episodes, partial_ack_splits_a_hole) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.server(301, 1, "A", 100);
    talk.client(1, 201, "A", 0);
    talk.wait(60);
    talk.server(201, 1, "A", 100);
    talk.client(1, 401, "A", 0);
    talk.run.finish();
    expect_events(
        talk, {{EventType::hole, Direction::s2c, 101, 201, 100, Resolution::acknowledged_unseen},
               {EventType::hole, Direction::s2c, 201, 301, 100, Resolution::filled}});
}

TEST(Episodes, sack_block_over_a_hole_acknowledges_it) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.server(401, 1, "A", 100);
    talk.client_sack(1, 101, 201, 501);
    talk.wait(60);
    talk.server(501, 1, "A", 100);
    talk.run.finish();
    expect_events(
        talk, {{EventType::hole, Direction::s2c, 201, 401, 200, Resolution::acknowledged_unseen},
               {EventType::hole, Direction::s2c, 101, 201, 100, Resolution::never}});
}

TEST(Episodes, ack_captured_before_its_data_is_nothing_missing) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.client(1, 201, "A", 0);
    talk.server(101, 1, "A", 100);
    talk.client(1, 201, "A", 0);
    talk.run.finish();
    expect_events(talk,
                  {{EventType::hole, Direction::s2c, 101, 201, 100, Resolution::filled_after_ack}});
    EXPECT_EQ(talk.run.flows().front().missing_bytes[1], 0U);
}

TEST(Episodes, direction_captured_late_is_one_episode) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    constexpr std::uint32_t kSegments = 40;  // within direction_skew
    for (std::uint32_t i = 1; i <= kSegments; ++i) {
        talk.client(1, 101 + i * 100, "A", 0);
    }
    for (std::uint32_t i = 1; i <= kSegments; ++i) {
        talk.server(1 + i * 100, 1, "A", 100);
    }
    talk.run.finish();
    expect_events(talk, {{EventType::hole, Direction::s2c, 101, 101 + kSegments * 100,
                          kSegments * 100, Resolution::filled_after_ack}});
    EXPECT_EQ(talk.run.events().at(0).finding.verdict, event::Verdict::reordered_in_capture);
}

TEST(Episodes, unseen_number_at_the_end_may_be_the_fin_unless_data_follows) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.client(1, 102, "A", 0);
    talk.run.finish();
    ASSERT_EQ(talk.run.events().size(), 1U);
    EXPECT_TRUE(talk.run.events()[0].fin_possible);

    Talk goes_on;
    goes_on.open();
    goes_on.server(1, 1, "A", 100);
    goes_on.client(1, 102, "A", 0);
    goes_on.server(102, 1, "A", 100);
    goes_on.run.finish();
    ASSERT_EQ(goes_on.run.events().size(), 1U);
    EXPECT_FALSE(goes_on.run.events()[0].fin_possible);
}

TEST(Episodes, skew_zero_judges_at_the_ack) {
    PipelineOptions options = test::read_options();
    options.analysis.direction_skew = of_every_tap(0);
    Talk talk(options);
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.client(1, 201, "A", 0);
    ASSERT_EQ(talk.run.events().size(), 1U);
    EXPECT_EQ(talk.run.events()[0].resolution, Resolution::acknowledged_unseen);
}

TEST(Episodes, each_tap_waits_its_own_direction_skew) {
    PipelineOptions options = test::read_options();
    options.analysis.direction_skew = of_every_tap(0);
    options.analysis.direction_skew[1] = 20 * kMillisecond;
    options.analysis.direction_skew[2] = 200 * kMillisecond;
    const auto late_after_ack = [&options](std::uint8_t tap, Nanos milliseconds) {
        Talk talk(options);
        talk.tap = tap;
        talk.open();
        talk.server(1, 1, "A", 100);
        talk.client(1, 201, "A", 0);
        talk.wait(milliseconds);
        talk.server(101, 1, "A", 100);
        talk.run.finish();
        EXPECT_EQ(talk.run.events().size(), 1U);
        return talk.run.events().at(0).resolution;
    };
    EXPECT_EQ(late_after_ack(0, 0), Resolution::acknowledged_unseen);
    EXPECT_EQ(late_after_ack(1, 10), Resolution::filled_after_ack);
    EXPECT_EQ(late_after_ack(1, 100), Resolution::acknowledged_unseen);
    EXPECT_EQ(late_after_ack(2, 100), Resolution::filled_after_ack);
}

TEST(Episodes, repeat_run_ends_with_the_ack_that_covers_it) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.server(101, 1, "A", 100);
    talk.wait(300);
    talk.server(1, 1, "A", 100);
    talk.server(101, 1, "A", 100);
    talk.client(1, 201, "A", 0);
    talk.run.finish();
    expect_events(talk,
                  {{EventType::repeat, Direction::s2c, 1, 201, 200, Resolution::acknowledged}});
    EXPECT_EQ(talk.run.events()[0].repeats_count, 2U);
    EXPECT_EQ(talk.run.events()[0].subject[0].frame, 6U);
    EXPECT_EQ(talk.run.events()[0].subject[1].frame, 7U);
    EXPECT_EQ(talk.run.events()[0].evidence[0].frame, 8U);
}

TEST(Episodes, repeat_of_acknowledged_bytes_says_so) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.client(1, 101, "A", 0);
    talk.server(1, 1, "A", 100);
    talk.server(101, 1, "A", 50);
    talk.run.finish();
    expect_events(
        talk, {{EventType::repeat, Direction::s2c, 1, 101, 100, Resolution::acknowledged_before}});
}

TEST(Episodes, repeat_never_acknowledged_ends_with_the_flow) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.server(1, 1, "A", 100);
    talk.run.finish();
    expect_events(talk, {{EventType::repeat, Direction::s2c, 1, 101, 100, Resolution::never}});
}

TEST(Episodes, keep_alives_and_window_probes_are_no_repeats_and_no_holes) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.client(1, 101, "A", 0);
    talk.server(100, 1, "A", 1);  // keep-alive with the garbage byte
    talk.client(1, 101, "A", 0);
    talk.run.feed(test::PacketBuilder()
                      .ethernet()
                      .ipv4("10.0.0.5", "203.0.113.10")
                      .tcp(51000, 80)
                      .seq(kClientIsn + 1)
                      .ack(kServerIsn + 101)
                      .flags("A")
                      .window(0)
                      .build(),
                  talk.now);
    talk.server(101, 1, "A", 1);  // probe of the closed window
    talk.server(101, 1, "A", 1);
    talk.client(1, 102, "A", 0);
    talk.server(102, 1, "A", 50);
    talk.client(1, 152, "A", 0);
    talk.run.finish();
    expect_events(talk, {});
}

TEST(Episodes, midstream_start_opens_nothing_for_what_came_before) {
    Talk talk;
    talk.server(5001, 1, "A", 100);
    talk.server(4901, 1, "A", 100);  // older, captured later: below the first byte, no repeat
    talk.client(1, 5101, "A", 0);
    talk.server(5101, 1, "A", 100);
    talk.run.finish();
    expect_events(talk, {});
    EXPECT_FALSE(talk.run.flows().front().client_known);
}

TEST(Episodes, jump_no_window_can_hold_is_counted_and_no_hole) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.server(0x50000000U, 1, "A", 100);
    talk.run.finish();
    expect_events(talk, {});
    EXPECT_EQ(talk.run.count(Counter::sequence_jumps), 1U);
}

TEST(Episodes, rst_numbers_are_not_believed) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.server(90001, 1, "R", 0);
    talk.run.finish();
    expect_events(talk, {});
}

TEST(Episodes, reset_of_the_port_ends_the_old_connection) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.server(201, 1, "A", 100);
    talk.client(700000, 0, "S", 0);
    expect_events(talk, {{EventType::hole, Direction::s2c, 101, 201, 100, Resolution::never}});
    ASSERT_EQ(talk.run.flows().size(), 1U);
    EXPECT_EQ(talk.run.flows()[0].flow.stream, 0U);
    talk.run.finish();
    ASSERT_EQ(talk.run.flows().size(), 2U);
    EXPECT_EQ(talk.run.flows()[1].flow.stream, 1U);
    EXPECT_EQ(talk.run.flows()[1].packets[0], 1U);
}

TEST(Episodes, more_holes_than_the_limit_are_given_up_lowest_first_and_counted) {
    Talk talk;
    talk.open();
    const std::uint32_t holes = Episodes::kHolesPerHalf + 10;
    for (std::uint32_t i = 0; i < holes; ++i) {
        talk.server(101 + i * 200, 1, "A", 100);
    }
    talk.run.finish();
    const auto& events = talk.run.events();
    ASSERT_EQ(events.size(), holes);
    for (std::uint32_t i = 0; i < holes; ++i) {
        EXPECT_EQ(name(events[i].resolution), i < 10 ? "unknown_limit" : "never") << i;
    }
    EXPECT_EQ(talk.run.count(Counter::holes_exhausted), 10U);
    EXPECT_TRUE(talk.run.flows()[0].details_lost);
}

TEST(Episodes, pools_run_dry_without_losing_flags) {
    PipelineOptions options = test::read_options();
    options.flows.details_divisor = 1'000'000;  // the floor of every pool
    Talk talk(options);
    talk.open();
    // One connection cannot exhaust a floor of 4096 records, so flags must all be counted.
    for (std::uint32_t i = 0; i < 50; ++i) {
        talk.server(101 + i * 200, 1, "A", 100);
    }
    talk.run.finish();
    const auto lost = static_cast<std::size_t>(Flag::lost_segment);
    EXPECT_EQ(talk.run.flows()[0].flags[1][lost], 50U);
}

// What the ledger is asked about begins where all was well, not at the first sign: the tail of a
// conversation may be noticed long after it was lost.
TEST(Episodes, a_hole_could_be_lost_since_the_byte_before_it) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    const Nanos before = talk.now;
    talk.wait(10'000);
    talk.client(1, 101, "A", 0);
    talk.wait(10'000);
    talk.server(201, 1, "FA", 0);
    talk.run.finish();
    ASSERT_EQ(talk.run.events().size(), 1U);
    const Event& event = talk.run.events().front();
    EXPECT_LE(event.since, before);
    EXPECT_GT(event.since, before - kMillisecond);
    EXPECT_EQ(event.time, talk.now);
}

TEST(Episodes, a_repeat_may_rest_on_an_ack_lost_since_the_receiver_spoke) {
    Talk talk;
    talk.open();
    talk.server(1, 1, "A", 100);
    talk.client(1, 101, "A", 0);
    const Nanos spoke = talk.now;
    talk.server(101, 1, "A", 100);
    talk.wait(300);
    talk.server(101, 1, "A", 100);
    talk.run.finish();
    ASSERT_EQ(talk.run.events().size(), 1U);
    EXPECT_LE(talk.run.events().front().since, spoke);
    EXPECT_GT(talk.run.events().front().since, spoke - kMillisecond);
}

TEST(Lead, is_never_late_and_never_more_than_a_step_early) {
    for (const Nanos apart : {Nanos{0}, Nanos{1}, Nanos{16'384}, kSecond, 3600 * kSecond}) {
        const Nanos moment = 1'700'000'000 * kSecond;
        const Nanos told = Lead(moment - apart, moment).before(moment);
        EXPECT_LE(told, moment - apart);
        EXPECT_GE(told, moment - apart - 16'384);
    }
}

TEST(Lead, survives_any_time) {
    EXPECT_EQ(Lead(INT64_MIN, INT64_MAX).before(0), INT64_MIN);
    EXPECT_EQ(Lead(INT64_MAX, INT64_MIN).before(5), 5);
    EXPECT_EQ(Lead(0, kSecond).before(INT64_MIN + 5), INT64_MIN);
}

}  // namespace
}  // namespace tw::tcp
