// SPDX-License-Identifier: BSD-3-Clause
// QueuePoller for queues whose frames all bear times of one clock, given when they arrived: takes a
// burst from each in turn and hands on what was taken in the order of those times. A frame is held
// until every other queue is known to have nothing older, which is a round later at most: what a
// queue still held when it was last polled had come by then, so one that was found empty has
// nothing older than what had been taken elsewhere before.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "capture/dpdk/mbuf_burst.hpp"
#include "capture/dpdk/poller.hpp"

namespace tw::dpdk {

// Whether frames of these queues can be put in order. Bursts of one queue are in order anyway.
[[nodiscard]] inline bool can_be_ordered(const std::vector<RxQueue>& queues) {
    return queues.size() > 1 && std::all_of(queues.begin(), queues.end(), [](const RxQueue& queue) {
               return queue.ring != nullptr;
           });
}

struct TakenFrame {
    rte_mbuf* mbuf = nullptr;
    const RxQueue* queue = nullptr;
    Nanos time = 0;
};

class OrderedPoller {
  public:
    OrderedPoller(const PollerOptions& options, PollerCounts& counts)
        : clock_(*options.clock),
          fields_(options.fields),
          lanes_(options.queues.begin(), options.queues.end()),
          counts_(counts),
          pace_(*options.clock) {}

    // False if every queue was empty and nothing is held. `handle(frames)` owns the mbufs; at most
    // kBurstMax at a time.
    template <typename Handle>
    bool round(Handle&& handle) {
        const std::uint64_t now = Clock::ticks();
        pace_.beat(now, counts_);
        bool worked = false;
        for (Lane& lane : lanes_) {
            if (lane.next == lane.burst.count) {
                poll(lane, now);
            }
            worked = worked || lane.next != lane.burst.count;
        }
        hand_on(handle);
        return worked;
    }

  private:
    struct Lane {
        explicit Lane(const RxQueue& queue) : reader(queue) {}
        [[nodiscard]] Nanos time_at(std::uint32_t nth, const MbufFields& fields) const {
            return time_of(*burst.mbufs[nth], burst, reader.queue, fields);
        }

        QueueReader reader;
        MbufBurst burst;
        std::uint32_t next = 0;  // of the burst: those before it were handed on
        Nanos complete_to = 0;   // nothing older than this is still to be taken
    };

    void poll(Lane& lane, std::uint64_t now) {
        const Nanos newest_before = newest_;
        lane.next = 0;
        const bool any = take(lane.reader, clock_, fields_, lane.burst);
        lane.reader.last_round = now;
        counts_.looked(lane.reader.queue.port_id, lane.burst.count, now);
        const Nanos last = any ? lane.time_at(lane.burst.count - 1, fields_) : 0;
        newest_ = std::max(newest_, last);
        const bool emptied = lane.burst.count < kBurstMax;
        lane.complete_to = emptied ? std::max(last, newest_before) : last;
    }

    template <typename Handle>
    void hand_on(Handle&& handle) {
        Nanos complete_to = lanes_.front().complete_to;
        for (const Lane& lane : lanes_) {
            complete_to = std::min(complete_to, lane.complete_to);
        }
        TakenFrame frames[kBurstMax];
        std::uint32_t count = 0;
        for (Lane* oldest = find_oldest(); oldest != nullptr; oldest = find_oldest()) {
            const Nanos time = oldest->time_at(oldest->next, fields_);
            if (time > complete_to) {
                break;
            }
            frames[count++] = {oldest->burst.mbufs[oldest->next++], &oldest->reader.queue, time};
            if (count == kBurstMax) {
                handle(std::span<const TakenFrame>(frames, count));
                count = 0;
            }
        }
        if (count != 0) {
            handle(std::span<const TakenFrame>(frames, count));
        }
    }

    [[nodiscard]] Lane* find_oldest() {
        Lane* oldest = nullptr;
        for (Lane& lane : lanes_) {
            if (lane.next != lane.burst.count &&
                (oldest == nullptr ||
                 lane.time_at(lane.next, fields_) < oldest->time_at(oldest->next, fields_))) {
                oldest = &lane;
            }
        }
        return oldest;
    }

    const Clock& clock_;
    MbufFields fields_;
    std::vector<Lane> lanes_;
    PollerCounts& counts_;
    Pace pace_;
    Nanos newest_ = 0;  // of all frames taken
};

}  // namespace tw::dpdk
