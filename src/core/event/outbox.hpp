// SPDX-License-Identifier: BSD-3-Clause
// The only way out of core. One per worker; never blocks: a full ring refuses and that is counted.
// Live, an episode waits here until the ledger has told whether the capture was whole at its time.
#pragma once

#include <cstddef>
#include <optional>

#include "base/spsc_ring.hpp"
#include "core/event/capture_marks.hpp"
#include "core/event/event.hpp"
#include "core/stats/counters.hpp"

namespace tw::event {

struct OutboxOptions {
    std::size_t events_max = 16384;
    std::size_t flow_records_max = 8192;
    // Ids are first_id, first_id + id_step, …: workers interleave so that ids are unique in a run.
    std::uint64_t first_id = 1;
    std::uint64_t id_step = 1;
    // Live: episodes wait for tell(). Files have no ledger of their own.
    bool await_capture = false;
};

class Outbox {
  public:
    explicit Outbox(const OutboxOptions& options)
        : events_(options.events_max),
          flow_records_(options.flow_records_max),
          waiting_(options.await_capture ? options.events_max : 2),
          await_capture_(options.await_capture),
          next_id_(options.first_id),
          id_step_(options.id_step) {}

    // writer: worker. Sets event.id.
    void emit(Event& event, stats::Counters& counters) {
        event.id = next_id_;
        next_id_ += id_step_;
        if (!await_capture_) {
            hand_out(event, counters);
            return;
        }
        if (next_waiting_ && waiting_.free_space() == 0) {
            // No room to wait: the oldest leaves, if need be without the ledger's word.
            const bool told = next_waiting_->time_end <= marks_.told_until();
            counters.add(stats::Counter::events_untold, told ? 0 : 1);
            hand_out_next(told ? CaptureFaults{} : CaptureFault::unknown, counters);
        }
        if (!next_waiting_) {
            next_waiting_ = event;
        } else {
            (void)waiting_.push(event);
        }
        hand_out_told(counters);
    }
    void emit(const FlowRecord& record, stats::Counters& counters) {
        counters.add(flow_records_.push(record) ? stats::Counter::flow_records_emitted
                                                : stats::Counter::flow_records_dropped);
    }

    // writer: worker. The ledger's word on the next interval.
    void tell(const CaptureMark& mark, stats::Counters& counters) {
        marks_.add(mark);
        hand_out_told(counters);
    }
    // writer: worker
    [[nodiscard]] std::size_t waiting() const { return waiting_.size() + (next_waiting_ ? 1 : 0); }

    // writer: worker. False when a driver that can wait (a file has time) had better wait.
    [[nodiscard]] bool half_empty() const {
        return events_.free_space() >= events_.capacity() / 2 &&
               flow_records_.free_space() >= flow_records_.capacity() / 2;
    }

    // reader: housekeeping
    [[nodiscard]] bool pop(Event& event) { return events_.pop(event); }
    [[nodiscard]] bool pop(FlowRecord& record) { return flow_records_.pop(record); }
    [[nodiscard]] std::size_t flow_records_free() const { return flow_records_.free_space(); }

  private:
    void hand_out(const Event& event, stats::Counters& counters) {
        counters.add(events_.push(event) ? stats::Counter::events_emitted
                                         : stats::Counter::events_dropped);
    }

    void hand_out_next(CaptureFaults more, stats::Counters& counters) {
        Event& event = *next_waiting_;
        event.capture_known = true;
        event.capture = static_cast<CaptureFaults>(
            marks_.between(event.since, event.time_end, event.tap) | more);
        hand_out(event, counters);
        Event following;
        next_waiting_ = waiting_.pop(following) ? std::optional(following) : std::nullopt;
    }

    void hand_out_told(stats::Counters& counters) {
        while (next_waiting_ && next_waiting_->time_end <= marks_.told_until() &&
               events_.free_space() != 0) {
            hand_out_next({}, counters);
        }
    }

    SpscRing<Event> events_;
    SpscRing<FlowRecord> flow_records_;
    // Both ends are the worker's.
    SpscRing<Event> waiting_;
    std::optional<Event> next_waiting_;  // the oldest that waits; the others are in waiting_
    CaptureMarks marks_;
    bool await_capture_;
    std::uint64_t next_id_;
    std::uint64_t id_step_;
};

}  // namespace tw::event
