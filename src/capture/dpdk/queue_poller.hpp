// SPDX-License-Identifier: BSD-3-Clause
// The inner loop that worker and dispatcher share: one burst from each receive queue in turn, so
// that a busy direction of a tap cannot run far ahead of the other; and what is to be known of it
// later: when each queue was seen empty, and how long the loop was away.
#pragma once

#include <cstdint>
#include <vector>

#include "capture/dpdk/mbuf_burst.hpp"
#include "capture/dpdk/poller.hpp"

namespace tw::dpdk {

class QueuePoller {
  public:
    QueuePoller(const PollerOptions& options, PollerCounts& counts)
        : clock_(*options.clock),
          fields_(options.fields),
          readers_(options.queues.begin(), options.queues.end()),
          counts_(counts),
          pace_(*options.clock) {}

    // False if every queue was empty. `handle(queue, burst)` owns the mbufs.
    template <typename Handle>
    bool round(Handle&& handle) {
        const std::uint64_t now = Clock::ticks();
        pace_.beat(now, counts_);
        const auto count = static_cast<std::uint32_t>(readers_.size());
        bool worked = false;
        std::uint32_t index = first_;
        first_ = first_ + 1 == count ? 0 : first_ + 1;
        for (std::uint32_t i = 0; i < count; ++i) {
            QueueReader& reader = readers_[index];
            index = index + 1 == count ? 0 : index + 1;
            MbufBurst burst;
            const bool any = take(reader, clock_, fields_, burst);
            burst.ticks_before = reader.last_round == 0 ? now : reader.last_round;
            reader.last_round = now;
            counts_.looked(reader.queue.port_id, burst.count, now);
            if (any) {
                worked = true;
                handle(reader.queue, burst);
            }
        }
        return worked;
    }

  private:
    const Clock& clock_;
    MbufFields fields_;
    std::vector<QueueReader> readers_;
    PollerCounts& counts_;
    Pace pace_;
    std::uint32_t first_ = 0;  // whose turn it is to be polled first
};

}  // namespace tw::dpdk
