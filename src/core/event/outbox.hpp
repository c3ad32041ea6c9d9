// SPDX-License-Identifier: BSD-3-Clause
// The only way out of core. One per worker; never blocks: a full ring refuses and that is counted.
#pragma once

#include <cstddef>

#include "base/spsc_ring.hpp"
#include "core/event/event.hpp"
#include "core/stats/counters.hpp"

namespace tw::event {

struct OutboxOptions {
    std::size_t events_max = 16384;
    std::size_t flow_records_max = 8192;
    // Ids are first_id, first_id + id_step, …: workers interleave so that ids are unique in a run.
    std::uint64_t first_id = 1;
    std::uint64_t id_step = 1;
};

class Outbox {
  public:
    explicit Outbox(const OutboxOptions& options)
        : events_(options.events_max),
          flow_records_(options.flow_records_max),
          next_id_(options.first_id),
          id_step_(options.id_step) {}

    // writer: worker. Sets event.id.
    void emit(Event& event, stats::Counters& counters) {
        event.id = next_id_;
        next_id_ += id_step_;
        counters.add(events_.push(event) ? stats::Counter::events_emitted
                                         : stats::Counter::events_dropped);
    }
    void emit(const FlowRecord& record, stats::Counters& counters) {
        counters.add(flow_records_.push(record) ? stats::Counter::flow_records_emitted
                                                : stats::Counter::flow_records_dropped);
    }

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
    SpscRing<Event> events_;
    SpscRing<FlowRecord> flow_records_;
    std::uint64_t next_id_;
    std::uint64_t id_step_;
};

}  // namespace tw::event
