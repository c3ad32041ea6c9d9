// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/settler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "unit/core/verdict/sample_events.hpp"

namespace tw::verdict {
namespace {

using event::CaptureFault;
using event::Cause;
using event::Confidence;
using event::Event;
using event::FlowRecord;
using event::Outcome;
using event::Rule;
using event::Verdict;
using stats::Counter;
using test::episode;
using test::kT0;
using test::lost_before;
using test::missed;
using test::pop_events;
using test::pop_records;
using test::record_of;
using testing::ElementsAre;

constexpr Nanos kWait = 13 * kSecond + 200 * kMillisecond;  // from an episode's time

std::vector<std::uint64_t> ids_of(const std::vector<Event>& events) {
    std::vector<std::uint64_t> ids;
    std::transform(events.begin(), events.end(), std::back_inserter(ids),
                   [](const Event& event) { return event.id; });
    return ids;
}

const event::OutcomeSum& sum_of(const FlowRecord& record, event::Direction direction,
                                Outcome outcome) {
    return record.outcomes[static_cast<std::size_t>(direction)][static_cast<std::size_t>(outcome)];
}

class SettlerTest : public testing::Test {
  protected:
    void advance(Nanos at) { settler_.advance(kT0 + at); }

    stats::Counters counters_;
    Settler settler_{SettlerOptions{}, counters_};
};

// ---- waiting ----------------------------------------------------------------------------------

TEST_F(SettlerTest, what_depends_on_a_clean_capture_waits_and_stays_proven) {
    settler_.add(lost_before(1, 0, 0));
    advance(kWait - 1);
    EXPECT_TRUE(pop_events(settler_).empty());
    advance(kWait);
    const auto events = pop_events(settler_);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].finding.verdict, Verdict::lost_before_tap);
    EXPECT_EQ(events[0].finding.confidence, Confidence::proven);
}

TEST_F(SettlerTest, what_depends_on_nothing_leaves_at_once) {
    settler_.add(episode({1, 0, 0, Verdict::lost_after_tap, Rule::receiver_lacked}));
    Event probable = lost_before(2, 0, 0);
    probable.finding.confidence = Confidence::probable;
    settler_.add(probable);
    EXPECT_THAT(ids_of(pop_events(settler_)), ElementsAre(1, 2));
}

TEST_F(SettlerTest, a_miss_within_ten_seconds_makes_probable_of_proven) {
    for (const Nanos apart : {-9 * kSecond, 9 * kSecond}) {
        stats::Counters counters;
        Settler settler{SettlerOptions{}, counters};
        settler.add(lost_before(1, 0, 20 * kSecond));
        settler.add(missed(2, 1, 20 * kSecond + apart));
        settler.finish();
        const auto events = pop_events(settler);
        const auto found = std::find_if(events.begin(), events.end(),
                                        [](const Event& event) { return event.id == 1; });
        ASSERT_NE(found, events.end());
        EXPECT_EQ(found->finding.confidence, Confidence::probable);
        EXPECT_TRUE(found->finding.possible.has(Verdict::missed_by_capture));
        EXPECT_FALSE(found->finding.if_capture_clean);
    }
}

TEST_F(SettlerTest, a_miss_farther_away_or_at_another_tap_changes_nothing) {
    settler_.add(lost_before(1, 0, 20 * kSecond));
    settler_.add(missed(2, 1, 9 * kSecond));
    settler_.add(missed(3, 1, 31 * kSecond));
    Event elsewhere = missed(4, 2, 20 * kSecond);
    elsewhere.tap = 1;
    settler_.add(elsewhere);
    settler_.finish();
    for (const Event& event : pop_events(settler_)) {
        if (event.id == 1) {
            EXPECT_EQ(event.finding.confidence, Confidence::proven);
        }
    }
}

TEST_F(SettlerTest, a_full_room_lets_the_oldest_leave_as_probable) {
    Settler small{SettlerOptions{.events_max = 2}, counters_};
    small.advance(kT0);
    small.add(lost_before(1, 0, 0));
    small.add(lost_before(2, 0, kSecond));
    EXPECT_TRUE(pop_events(small).empty());
    small.add(lost_before(3, 0, 2 * kSecond));
    const auto events = pop_events(small);
    ASSERT_THAT(ids_of(events), ElementsAre(1));
    EXPECT_EQ(events[0].finding.confidence, Confidence::probable);
    EXPECT_EQ(counters_.get(Counter::verdict_not_awaited), 1U);
}

TEST_F(SettlerTest, held_events_that_waited_long_enough_stay_proven_when_their_room_is_needed) {
    Settler small{SettlerOptions{.events_max = 2, .hold = true}, counters_};
    small.add(lost_before(1, 0, 0));
    small.add(lost_before(2, 0, kSecond));
    small.advance(kT0 + kWait);
    small.add(lost_before(3, 0, kWait));
    const auto events = pop_events(small);
    ASSERT_THAT(ids_of(events), ElementsAre(1));
    EXPECT_EQ(events[0].finding.confidence, Confidence::proven);
    EXPECT_EQ(counters_.get(Counter::verdict_not_awaited), 0U);
}

TEST_F(SettlerTest, a_miss_told_too_late_is_counted) {
    settler_.add(lost_before(1, 0, 0));
    advance(kWait);
    EXPECT_EQ(pop_events(settler_).size(), 1U);
    settler_.add(missed(2, 1, 60 * kSecond));
    EXPECT_EQ(counters_.get(Counter::verdict_late_misses), 0U);
    settler_.add(missed(3, 1, kSecond));
    EXPECT_EQ(counters_.get(Counter::verdict_late_misses), 1U);
}

TEST_F(SettlerTest, held_events_leave_in_order_of_time) {
    Settler held{SettlerOptions{.hold = true}, counters_};
    held.add(missed(1, 0, 30 * kSecond));
    held.add(lost_before(2, 1, 10 * kSecond));
    held.add(episode({3, 2, 20 * kSecond, Verdict::lost_after_tap, Rule::dsack}));
    held.add(episode({4, 2, 10 * kSecond, Verdict::lost_after_tap, Rule::dsack}));
    held.advance(kT0 + 100 * kSecond);
    EXPECT_TRUE(pop_events(held).empty());
    held.finish();
    EXPECT_THAT(ids_of(pop_events(held)), ElementsAre(2, 4, 3, 1));
}

TEST_F(SettlerTest, times_at_the_ends_of_the_scale_do_no_harm) {
    for (const Nanos time : {INT64_MIN, INT64_MAX}) {
        Event event = lost_before(1, 0, 0);
        event.since = event.time = event.time_end = time;
        settler_.add(event);
        event = missed(2, 0, 0);
        event.since = event.time = event.time_end = time;
        settler_.add(event);
    }
    advance(0);
    settler_.finish();
    EXPECT_EQ(pop_events(settler_).size(), 4U);
}

// ---- the ledger -------------------------------------------------------------------------------

Event under(Event event, event::CaptureFaults faults) {
    event.capture_known = true;
    event.capture = faults;
    return event;
}

TEST_F(SettlerTest, no_hole_is_blamed_on_the_network_while_the_ledger_counts_losses) {
    settler_.add(under(lost_before(1, 0, 0), CaptureFault::loss));
    settler_.add(under(episode({2, 0, 0, Verdict::never_recovered, Rule::asked_in_vain}),
                       CaptureFault::unknown));
    settler_.add(
        under(episode({3, 0, 0, Verdict::lost_after_tap, Rule::ack_jump}), CaptureFault::link));
    const auto events = pop_events(settler_);
    ASSERT_EQ(events.size(), 3U);
    for (const Event& event : events) {
        EXPECT_EQ(event.finding.verdict, Verdict::unknown) << event.id;
        EXPECT_EQ(event.finding.cause, Cause::capture_loss_interval);
        EXPECT_EQ(event.finding.rule, Rule::capture_faults);
        EXPECT_EQ(event.finding.confidence, Confidence::none);
    }
    EXPECT_TRUE(events[0].finding.possible.has(Verdict::lost_before_tap));
}

TEST_F(SettlerTest, while_the_ledger_counts_losses_no_network_loss_is_told) {
    settler_.add(under(episode({1, 0, 0, Verdict::spurious_retransmission, Rule::dsack}),
                       CaptureFault::loss));
    settler_.add(
        under(episode({2, 0, 0, Verdict::ack_lost, Rule::ack_long_before}), CaptureFault::loss));
    settler_.add(under(episode({3, 0, 0, Verdict::lost_after_tap, Rule::receiver_lacked}),
                       CaptureFault::loss));
    const auto events = pop_events(settler_);
    ASSERT_EQ(events.size(), 3U);
    // What was captured stays true where it accuses nobody.
    EXPECT_EQ(events[0].finding.confidence, Confidence::proven);
    for (const std::size_t i : {1U, 2U}) {
        EXPECT_EQ(events[i].finding.verdict, Verdict::unknown) << i;
        EXPECT_EQ(events[i].finding.cause, Cause::capture_loss_interval) << i;
    }
    EXPECT_TRUE(events[2].finding.possible.has(Verdict::lost_after_tap));
}

TEST_F(SettlerTest, a_miss_is_the_monitors_own_where_its_ledger_counts_losses) {
    settler_.add(under(missed(1, 0, 0), CaptureFault::loss));
    const auto events = pop_events(settler_);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].finding.verdict, Verdict::missed_by_capture);
    EXPECT_EQ(events[0].finding.cause, Cause::monitor);
}

TEST_F(SettlerTest, times_prove_nothing_while_the_poller_was_away) {
    settler_.add(
        under(episode({1, 0, 0, Verdict::ack_lost, Rule::ack_long_before}), CaptureFault::stall));
    settler_.add(under(episode({2, 0, 0, Verdict::spurious_retransmission, Rule::dsack}),
                       CaptureFault::stall));
    const auto events = pop_events(settler_);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].finding.verdict, Verdict::unknown);
    EXPECT_EQ(events[1].finding.confidence, Confidence::proven);
}

TEST_F(SettlerTest, a_driver_that_does_not_count_leaves_verdicts_probable) {
    settler_.add(under(lost_before(1, 0, 0), CaptureFault::uncounted));
    const auto events = pop_events(settler_);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].finding.verdict, Verdict::lost_before_tap);
    EXPECT_EQ(events[0].finding.confidence, Confidence::probable);
}

TEST_F(SettlerTest, what_the_monitor_did_not_send_on_was_not_lost_behind_the_tap) {
    settler_.add(under(episode({1, 0, 0, Verdict::lost_after_tap, Rule::receiver_lacked}),
                       CaptureFault::forward));
    settler_.add(under(lost_before(2, 0, 0), CaptureFault::forward));
    settler_.finish();
    const auto events = pop_events(settler_);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].finding.verdict, Verdict::unknown);
    EXPECT_EQ(events[0].finding.cause, Cause::monitor);
    EXPECT_EQ(events[1].finding.verdict, Verdict::lost_before_tap);
    EXPECT_EQ(events[1].finding.confidence, Confidence::proven);
}

TEST_F(SettlerTest, a_mark_of_the_ledger_nearby_makes_probable_of_proven) {
    event::CaptureMark mark;
    mark.from = kT0 + 5 * kSecond;
    mark.until = kT0 + 5 * kSecond + 250 * kMillisecond;
    mark.faults[0] = CaptureFault::loss;
    settler_.add(lost_before(1, 0, 0));
    settler_.add(lost_before(2, 0, 20 * kSecond));
    settler_.add(mark);
    settler_.finish();
    const auto events = pop_events(settler_);
    ASSERT_THAT(ids_of(events), ElementsAre(1, 2));
    EXPECT_EQ(events[0].finding.confidence, Confidence::probable);
    EXPECT_EQ(events[1].finding.confidence, Confidence::proven);
}

// ---- sums -------------------------------------------------------------------------------------

TEST_F(SettlerTest, a_record_leaves_after_its_episodes_with_their_sums) {
    settler_.add(lost_before(1, 7, 0));
    settler_.add(episode({2, 7, 0, Verdict::lost_after_tap, Rule::receiver_lacked}));
    settler_.add(missed(3, 7, 30 * kSecond));
    settler_.add(record_of(7, -kSecond, 40 * kSecond));
    settler_.add(record_of(8, -kSecond, 40 * kSecond));
    auto records = pop_records(settler_);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(records[0].flow.stream, 8U);
    EXPECT_TRUE(records[0].outcomes_complete);
    advance(30 * kSecond + kWait);
    records = pop_records(settler_);
    ASSERT_EQ(records.size(), 1U);
    const FlowRecord& record = records[0];
    const auto s2c = event::Direction::s2c;
    EXPECT_EQ(sum_of(record, s2c, Outcome::lost_before_tap).bytes, 1000U);
    EXPECT_EQ(sum_of(record, s2c, Outcome::lost_after_tap).episodes, 1U);
    EXPECT_EQ(sum_of(record, s2c, Outcome::missed_by_capture).segments, 1U);
    EXPECT_EQ(sum_of(record, event::Direction::c2s, Outcome::lost_before_tap).bytes, 0U);
    EXPECT_TRUE(record.outcomes_complete);
}

TEST_F(SettlerTest, a_record_that_overtakes_its_episodes_waits_for_them) {
    Settler live{SettlerOptions{.record_wait = kSecond}, counters_};
    live.advance(kT0);
    FlowRecord record = record_of(7, -kSecond, 0);
    record.missing_bytes[1] = 1000;
    live.add(record);
    live.advance(kT0 + kSecond / 2);
    EXPECT_TRUE(pop_records(live).empty());
    live.add(episode({1, 7, 0, Verdict::lost_after_tap, Rule::receiver_lacked}));
    live.advance(kT0 + kSecond);
    const auto records = pop_records(live);
    ASSERT_EQ(records.size(), 1U);
    EXPECT_EQ(sum_of(records[0], event::Direction::s2c, Outcome::lost_after_tap).bytes, 1000U);
}

TEST_F(SettlerTest, too_many_connections_give_up_the_oldest_sums_and_say_so) {
    Settler small{SettlerOptions{.events_max = 2, .streams_max = 2}, counters_};
    for (std::uint32_t stream = 0; stream < 4; ++stream) {
        small.add(episode({stream + 1, stream, stream * kSecond, Verdict::lost_after_tap,
                           Rule::receiver_lacked}));
    }
    EXPECT_EQ(counters_.get(Counter::verdict_sums_lost), 1U);
    for (std::uint32_t stream = 0; stream < 4; ++stream) {
        small.add(record_of(stream, -kSecond, 10 * kSecond));
    }
    small.add(record_of(9, 5 * kSecond, 10 * kSecond));
    small.finish();
    const auto records = pop_records(small);
    ASSERT_EQ(records.size(), 5U);
    EXPECT_FALSE(records[0].outcomes_complete);
    EXPECT_EQ(sum_of(records[0], event::Direction::s2c, Outcome::lost_after_tap).bytes, 0U);
    EXPECT_EQ(sum_of(records[3], event::Direction::s2c, Outcome::lost_after_tap).bytes, 1000U);
    EXPECT_TRUE(records[4].outcomes_complete);  // begun after what was given up had ended
}

TEST_F(SettlerTest, network_and_capture_never_share_a_sum) {
    settler_.add(lost_before(1, 0, 0));
    settler_.add(missed(2, 0, 0));
    settler_.add(record_of(0, -kSecond, kSecond));
    settler_.finish();
    const PathSum& sum = settler_.paths().total();
    EXPECT_EQ(sum.server_side.bytes_lost, 1000U);
    EXPECT_EQ(sum.client_side.bytes_lost, 0U);
    EXPECT_EQ(sum.capture.bytes_missed, 1000U);
    EXPECT_EQ(sum.capture.bytes_delivered, 111'000U);
    EXPECT_EQ(sum.server_side.bytes_offered, 112'000U);
    EXPECT_EQ(sum.client_side.bytes_offered, 111'000U);
}

TEST_F(SettlerTest, without_a_taker_what_comes_is_dropped_and_counted) {
    Settler small{SettlerOptions{.events_max = 2}, counters_};
    std::uint64_t id = 0;
    while (small.has_event_room() && id < 100'000) {
        small.add(episode({++id, 0, 0, Verdict::lost_after_tap, Rule::dsack}));
    }
    EXPECT_LT(id, 100'000U);
    small.add(episode({++id, 0, 0, Verdict::lost_after_tap, Rule::dsack}));
    EXPECT_EQ(counters_.get(Counter::verdict_events_dropped), 1U);
    EXPECT_EQ(pop_events(small).size(), id - 1);
    EXPECT_TRUE(small.has_event_room());
}

// ---- metamorphic ------------------------------------------------------------------------------

struct Settled {
    std::vector<Event> events;
    std::vector<FlowRecord> records;
};

// Two workers' outputs, drained in turns of random length.
Settled settle_in_turns(std::uint32_t seed, bool hold, const std::vector<Event>& a,
                        const std::vector<Event>& b) {
    stats::Counters counters;
    Settler settler{SettlerOptions{.hold = hold}, counters};
    std::mt19937 random(seed);
    Settled settled;
    const std::vector<Event>* const workers[] = {&a, &b};
    std::size_t at[2] = {0, 0};
    for (Nanos now = 0; now < 60 * kSecond; now += 100 * kMillisecond) {
        const std::size_t first = random() % 2;
        for (const std::size_t worker : {first, 1 - first}) {
            const auto& events = *workers[worker];
            while (at[worker] < events.size() && events[at[worker]].time_end <= kT0 + now) {
                settler.add(events[at[worker]++]);
            }
        }
        settler.advance(kT0 + now);
    }
    for (const auto& worker : {a, b}) {
        for (const Event& event : worker) {
            settler.add(record_of(event.flow.stream, 0, 50 * kSecond));
        }
    }
    settler.finish();
    settled.events = pop_events(settler);
    settled.records = pop_records(settler);
    if (!hold) {
        std::sort(settled.events.begin(), settled.events.end(),
                  [](const Event& x, const Event& y) { return x.id < y.id; });
    }
    std::sort(
        settled.records.begin(), settled.records.end(),
        [](const FlowRecord& x, const FlowRecord& y) { return x.flow.stream < y.flow.stream; });
    return settled;
}

TEST(SettlerOrder, the_order_of_workers_does_not_change_what_is_settled) {
    std::vector<Event> workers[2];
    std::mt19937 random(5);
    for (std::uint32_t i = 0; i < 400; ++i) {
        const Nanos at = i * 100 * kMillisecond;
        const std::uint32_t stream = i;
        const std::uint32_t worker = i % 2;
        switch (random() % 8) {
            case 0:
                workers[worker].push_back(missed(i + 1, stream, at));
                break;
            case 1:
                workers[worker].push_back(
                    episode({i + 1, stream, at, Verdict::lost_after_tap, Rule::dsack}));
                break;
            default:
                workers[worker].push_back(lost_before(i + 1, stream, at));
                break;
        }
    }
    for (const bool hold : {false, true}) {
        const Settled expected = settle_in_turns(1, hold, workers[0], workers[1]);
        ASSERT_EQ(expected.events.size(), 400U);
        for (std::uint32_t seed = 2; seed < 6; ++seed) {
            const Settled other = settle_in_turns(seed, hold, workers[0], workers[1]);
            ASSERT_EQ(other.events.size(), expected.events.size());
            for (std::size_t i = 0; i < other.events.size(); ++i) {
                EXPECT_EQ(other.events[i].id, expected.events[i].id) << "seed " << seed;
                EXPECT_EQ(other.events[i].finding.confidence,
                          expected.events[i].finding.confidence);
                EXPECT_EQ(other.events[i].finding.verdict, expected.events[i].finding.verdict);
                EXPECT_EQ(other.events[i].finding.cause, expected.events[i].finding.cause);
            }
            ASSERT_EQ(other.records.size(), expected.records.size());
            for (std::size_t i = 0; i < other.records.size(); ++i) {
                for (std::size_t outcome = 0; outcome < event::kOutcomes; ++outcome) {
                    EXPECT_EQ(other.records[i].outcomes[1][outcome].bytes,
                              expected.records[i].outcomes[1][outcome].bytes);
                }
            }
        }
    }
}

}  // namespace
}  // namespace tw::verdict
