// SPDX-License-Identifier: BSD-3-Clause
#include "core/event/capture_marks.hpp"

#include <gtest/gtest.h>

#include "core/event/outbox.hpp"

namespace tw::event {
namespace {

constexpr CaptureFaults kLoss = CaptureFault::loss;
constexpr CaptureFaults kLink = CaptureFault::link;

[[nodiscard]] CaptureMark mark(Nanos from, Nanos until, CaptureFaults faults, std::size_t tap = 0) {
    CaptureMark mark;
    mark.from = from;
    mark.until = until;
    mark.faults[tap] = faults;
    return mark;
}

TEST(CaptureMarks, a_fault_touches_what_overlaps_its_interval) {
    CaptureMarks marks;
    marks.add(mark(100, 200, {}));
    marks.add(mark(200, 300, kLoss));
    marks.add(mark(300, 400, {}));
    EXPECT_EQ(marks.told_until(), 400);
    EXPECT_TRUE(marks.between(100, 199, 0).empty());
    EXPECT_EQ(marks.between(100, 200, 0), kLoss);
    EXPECT_EQ(marks.between(250, 260, 0), kLoss);
    EXPECT_EQ(marks.between(100, 400, 0), kLoss);
    EXPECT_TRUE(marks.between(301, 400, 0).empty());
}

TEST(CaptureMarks, a_fault_of_one_tap_leaves_the_others_alone) {
    CaptureMarks marks;
    marks.add(mark(100, 200, kLoss, 3));
    EXPECT_EQ(marks.between(100, 200, 3), kLoss);
    EXPECT_TRUE(marks.between(100, 200, 2).empty());
}

TEST(CaptureMarks, different_faults_add_up) {
    CaptureMarks marks;
    marks.add(mark(100, 200, kLoss));
    marks.add(mark(200, 300, kLink));
    EXPECT_EQ(marks.between(150, 250, 0), kLoss | kLink);
    EXPECT_EQ(marks.between(201, 250, 0), kLink);
}

TEST(CaptureMarks, too_many_stretches_mark_too_much_but_never_too_little) {
    CaptureMarks marks;
    const Nanos stretches = 10 * CaptureMarks::kStretchesMax;
    for (Nanos i = 0; i < stretches; ++i) {
        // The gaps grow, so that the oldest are the closest.
        marks.add(mark(i * 1000 + i * i, i * 1000 + i * i + 10, i % 2 == 0 ? kLoss : kLink));
    }
    for (Nanos i = 0; i < stretches; ++i) {
        const Nanos at = i * 1000 + i * i + 5;
        EXPECT_TRUE(
            marks.between(at, at, 0).has(i % 2 == 0 ? CaptureFault::loss : CaptureFault::link))
            << i;
    }
    // The latest are still told apart from the quiet time between them.
    const Nanos quiet = (stretches - 1) * 1000 + (stretches - 1) * (stretches - 1) - 100;
    EXPECT_TRUE(marks.between(quiet, quiet, 0).empty());
}

class WaitingOutbox : public testing::Test {
  protected:
    WaitingOutbox()
        : outbox_([] {
              OutboxOptions options;
              options.events_max = 8;
              options.await_capture = true;
              return options;
          }()) {}

    void emit(Nanos since, Nanos time_end) {
        Event event;
        event.since = since;
        event.time_end = time_end;
        outbox_.emit(event, counters_);
    }

    stats::Counters counters_;
    Outbox outbox_;
};

TEST_F(WaitingOutbox, an_episode_leaves_when_the_ledger_has_told_of_its_end) {
    emit(150, 250);
    Event event;
    EXPECT_FALSE(outbox_.pop(event));
    outbox_.tell(mark(100, 200, kLoss), counters_);
    EXPECT_FALSE(outbox_.pop(event));
    outbox_.tell(mark(200, 300, {}), counters_);
    ASSERT_TRUE(outbox_.pop(event));
    EXPECT_TRUE(event.capture_known);
    EXPECT_EQ(event.capture, kLoss);
    EXPECT_EQ(outbox_.waiting(), 0U);
}

TEST_F(WaitingOutbox, an_episode_of_a_clean_interval_is_known_to_be_clean) {
    outbox_.tell(mark(100, 300, {}), counters_);
    emit(150, 250);
    Event event;
    ASSERT_TRUE(outbox_.pop(event));
    EXPECT_TRUE(event.capture_known);
    EXPECT_TRUE(event.capture.empty());
}

TEST_F(WaitingOutbox, episodes_keep_their_order) {
    emit(1, 500);
    emit(1, 100);
    outbox_.tell(mark(0, 200, {}), counters_);
    Event event;
    EXPECT_FALSE(outbox_.pop(event));
    outbox_.tell(mark(200, 500, {}), counters_);
    ASSERT_TRUE(outbox_.pop(event));
    EXPECT_EQ(event.id, 1U);
    ASSERT_TRUE(outbox_.pop(event));
    EXPECT_EQ(event.id, 2U);
}

TEST_F(WaitingOutbox, without_room_to_wait_the_oldest_leaves_untold) {
    for (Nanos i = 0; i < 12; ++i) {
        emit(1000, 1000 + i);
    }
    EXPECT_EQ(counters_.get(stats::Counter::events_untold), 3U);  // 8 and the next one wait
    EXPECT_EQ(outbox_.waiting(), 9U);
    Event event;
    ASSERT_TRUE(outbox_.pop(event));
    EXPECT_EQ(event.id, 1U);
    EXPECT_TRUE(event.capture_known);
    EXPECT_EQ(event.capture, CaptureFaults(CaptureFault::unknown));
}

TEST(Outbox, without_a_ledger_episodes_leave_at_once_and_say_nothing_of_the_capture) {
    stats::Counters counters;
    Outbox outbox{OutboxOptions{}};
    Event event;
    event.time_end = 100;
    outbox.emit(event, counters);
    ASSERT_TRUE(outbox.pop(event));
    EXPECT_FALSE(event.capture_known);
}

}  // namespace
}  // namespace tw::event
