// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/ledger.hpp"

#include <gtest/gtest.h>

namespace tw::dpdk {
namespace {

using event::CaptureFault;
using event::CaptureFaults;

constexpr std::uint64_t kStallTicks = 100;

// Two ports of different taps, two workers that poll a queue of each; readings are 1000 apart.
class LedgerTest : public testing::Test {
  protected:
    explicit LedgerTest(bool dispatching = false) : dispatching_(dispatching) {
        now_.ports.resize(2);
        for (std::size_t i = 0; i < 2; ++i) {
            PortReading& port = now_.ports[i];
            port.tap = static_cast<std::uint8_t>(i);
            port.link.up = true;
            port.taken_by_queue.assign(dispatching ? 1 : 2, 0);
            port.ring_full_by_worker.assign(dispatching ? 2 : 0, 0);
            port.device.loses[static_cast<std::size_t>(Stage::missed)] = true;
        }
        now_.pollers.assign(dispatching ? 1 : 2, PollerReading{});
        for (PollerReading& poller : now_.pollers) {
            poller.emptied.assign(2, 0);
        }
        now_.time = 1000;
        now_.ticks = 1000;
        beat();
        LedgerOptions options;
        options.workers = 2;
        options.dispatching = dispatching;
        options.stall_ticks = kStallTicks;
        options.started = 900;
        ledger_.emplace(options, now_);
    }

    void beat() {
        for (PollerReading& poller : now_.pollers) {
            poller.heartbeat = now_.ticks;
        }
    }
    void empty_queues() {
        for (PollerReading& poller : now_.pollers) {
            poller.emptied.assign(2, now_.ticks + 500);
        }
    }
    std::uint64_t& missed(std::size_t port) {
        return now_.ports[port].device.count[static_cast<std::size_t>(Stage::missed)];
    }
    // Frames that were received and analysed, by worker 0.
    void receive(std::size_t port, std::uint64_t frames) {
        now_.ports[port].device.count[static_cast<std::size_t>(Stage::received)] += frames;
        now_.ports[port].taken_by_queue[0] += frames;
        now_.ports[port].analysed += frames;
    }
    void next() {
        now_.time += 1000;
        now_.ticks += 1000;
        beat();
        ledger_->close(now_);
    }
    // The word on the interval that became final.
    [[nodiscard]] CaptureFaults told(std::uint32_t worker, std::uint8_t tap) const {
        return ledger_->marks()[worker].faults[tap];
    }

    bool dispatching_;
    LedgerReading now_;
    std::optional<Ledger> ledger_;
};

class DispatchedLedgerTest : public LedgerTest {
  protected:
    DispatchedLedgerTest() : LedgerTest(true) {}
};

TEST_F(LedgerTest, a_quiet_run_is_clean_and_told_without_gaps) {
    Nanos told_until = 900;
    for (int i = 0; i < 5; ++i) {
        empty_queues();
        next();
        EXPECT_EQ(ledger_->marks()[0].from, told_until);
        EXPECT_EQ(ledger_->marks()[0].until, now_.time - 1000);
        EXPECT_TRUE(told(0, 0).empty());
        told_until = ledger_->marks()[0].until;
    }
    EXPECT_EQ(ledger_->rest()[0].from, told_until);
    EXPECT_EQ(ledger_->rest()[0].until, INT64_MAX);
    EXPECT_EQ(ledger_->marked_intervals(), 0U);
}

TEST_F(LedgerTest, loss_marks_its_interval_and_its_neighbours_at_every_worker) {
    std::vector<bool> marked;
    for (int i = 0; i < 7; ++i) {
        missed(0) += i == 3 ? 5 : 0;
        empty_queues();
        next();
        marked.push_back(told(0, 0).has(CaptureFault::loss));
        EXPECT_EQ(told(0, 0), told(1, 0));
        EXPECT_TRUE(told(0, 1).empty()) << "the other tap lost nothing";
    }
    // Interval 3 lost. Its word comes with reading 4, that on interval 2 with reading 3.
    EXPECT_EQ(marked, (std::vector<bool>{false, false, false, true, true, true, false}));
    EXPECT_EQ(ledger_->marked_intervals(), 1U);
    EXPECT_EQ(ledger_->intervals(), 7U);
}

TEST_F(LedgerTest, the_mark_stays_until_what_had_piled_up_was_taken) {
    missed(0) += 1;
    next();
    for (int i = 0; i < 4; ++i) {
        next();
        EXPECT_TRUE(told(0, 0).has(CaptureFault::loss)) << i;
    }
    empty_queues();
    next();
    EXPECT_TRUE(told(0, 0).has(CaptureFault::loss));
    next();
    EXPECT_TRUE(told(0, 0).has(CaptureFault::loss)) << "the interval in which it was emptied";
    next();
    EXPECT_TRUE(told(0, 0).empty());
}

TEST_F(LedgerTest, a_poller_that_was_away_marks_its_worker_only) {
    empty_queues();
    ++now_.pollers[1].stalls;
    next();
    next();
    EXPECT_TRUE(told(0, 0).empty());
    EXPECT_TRUE(told(1, 0).has(CaptureFault::stall));
    EXPECT_TRUE(told(1, 1).has(CaptureFault::stall));
}

TEST_F(LedgerTest, a_poller_that_does_not_come_back_is_a_stall) {
    empty_queues();
    now_.time += 1000;
    now_.ticks += 1000;  // no heartbeat
    ledger_->close(now_);
    EXPECT_TRUE(ledger_->changes()[0].stalled);
    EXPECT_TRUE(ledger_->rest()[0].faults[0].has(CaptureFault::stall));
}

TEST_F(LedgerTest, a_link_that_went_down_and_up_between_two_readings_marks) {
    empty_queues();
    now_.ports[1].link.changes = 2;
    next();
    next();
    EXPECT_TRUE(told(0, 1).has(CaptureFault::link));
    EXPECT_TRUE(told(0, 0).empty());
}

TEST_F(LedgerTest, what_a_driver_hides_is_said_of_every_interval_but_is_no_event) {
    now_.ports[0].device.hidden[static_cast<std::size_t>(Stage::host)] = true;
    for (int i = 0; i < 3; ++i) {
        empty_queues();
        next();
        EXPECT_EQ(told(0, 0), CaptureFaults(CaptureFault::uncounted));
    }
    EXPECT_EQ(ledger_->marked_intervals(), 0U);
}

TEST_F(LedgerTest, counters_that_began_again_leave_a_doubt) {
    empty_queues();
    ++now_.ports[0].device.restarts;
    next();
    EXPECT_TRUE(told(0, 0).has(CaptureFault::uncounted));
}

TEST_F(LedgerTest, a_drop_that_may_have_come_after_our_copy_is_a_doubt_and_no_loss) {
    empty_queues();
    now_.ports[0].device.count[static_cast<std::size_t>(Stage::kernel_drop)] += 300;
    next();
    EXPECT_EQ(told(0, 0), CaptureFaults(CaptureFault::uncounted));
    EXPECT_EQ(ledger_->last().ports[0].lost(), 0U);
}

TEST_F(LedgerTest, it_adds_up) {
    receive(0, 100);
    receive(1, 50);
    next();
    EXPECT_EQ(ledger_->last().unaccounted(), 0);
    now_.ports[0].device.count[static_cast<std::size_t>(Stage::received)] += 7;
    EXPECT_EQ(now_.unaccounted(), 7);
    now_.ports[0].queued = 7;
    EXPECT_EQ(now_.unaccounted(), 0);
    now_.ports[0].analysed -= 3;
    EXPECT_EQ(now_.unaccounted(), 3);
    now_.in_rings = 5;
    EXPECT_EQ(now_.unaccounted(), -2);
}

TEST_F(DispatchedLedgerTest, a_full_ring_marks_the_worker_behind_it_only) {
    empty_queues();
    receive(0, 100);
    now_.ports[0].analysed -= 10;
    now_.ports[0].ring_full_by_worker[1] = 10;
    next();
    next();
    EXPECT_TRUE(told(0, 0).empty());
    EXPECT_TRUE(told(1, 0).has(CaptureFault::loss));
    EXPECT_EQ(ledger_->last().unaccounted(), 0);
    EXPECT_EQ(ledger_->last().ports[0].lost(), 10U);
}

TEST_F(DispatchedLedgerTest, a_dispatcher_that_was_away_marks_every_worker) {
    empty_queues();
    ++now_.pollers[0].stalls;
    next();
    next();
    EXPECT_TRUE(told(0, 0).has(CaptureFault::stall));
    EXPECT_TRUE(told(1, 1).has(CaptureFault::stall));
}

TEST_F(LedgerTest, frames_that_could_not_be_sent_on_are_said) {
    empty_queues();
    now_.ports[0].forward_refused = 4;
    next();
    next();
    EXPECT_TRUE(told(0, 0).has(CaptureFault::forward));
    EXPECT_FALSE(told(0, 0).has(CaptureFault::loss)) << "they were analysed";
}

}  // namespace
}  // namespace tw::dpdk
