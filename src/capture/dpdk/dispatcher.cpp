// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/dispatcher.hpp"

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_ring.h>

#include "base/check.hpp"
#include "capture/dpdk/ordered_poller.hpp"
#include "capture/dpdk/queue_poller.hpp"
#include "capture/dpdk/sizing.hpp"
#include "core/decode/decode.hpp"
#include "core/flow/hash.hpp"

namespace tw::dpdk {

struct Dispatcher::Lane {
    rte_ring* ring = nullptr;
    std::uint32_t worker = 0;
    std::uint32_t staged_count = 0;
    rte_mbuf* staged[kBurstMax];
};

std::expected<std::unique_ptr<Dispatcher>, Error> Dispatcher::create(
    const DispatcherOptions& options) {
    std::unique_ptr<Dispatcher> dispatcher(new Dispatcher(options));
    for (std::uint32_t i = 0; i < options.workers; ++i) {
        rte_ring* ring =
            rte_ring_create(fmt::format("worker_{}", i).c_str(), options.ring_frames, SOCKET_ID_ANY,
                            RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ);
        if (ring == nullptr) {
            return std::unexpected(Error{
                fmt::format("no memory for the ring of worker {}: {}", i, rte_strerror(rte_errno)),
                ExitCode::environment_failed});
        }
        dispatcher->lanes_[i].ring = ring;
        dispatcher->lanes_[i].worker = i;
    }
    return dispatcher;
}

Dispatcher::Dispatcher(const DispatcherOptions& options)
    : options_(options),
      bridge_(options.bridges, *options.poller.clock),
      lanes_(options.workers),
      idle_(options.poller.waiting) {
    TW_CHECK(options.workers > 0 && !options.poller.queues.empty());
    // A bridge sends whole bursts on, and at once.
    if (options.bridges.empty() && can_be_ordered(options.poller.queues)) {
        ordered_ = std::make_unique<OrderedPoller>(options.poller, counts_);
    } else {
        ports_ = std::make_unique<QueuePoller>(options.poller, counts_);
    }
    dispatch_counts_.ring_full = std::vector<std::array<Count, kPortsMax>>(options.workers);
}

Dispatcher::~Dispatcher() {
    for (Lane& lane : lanes_) {
        rte_ring_free(lane.ring);
    }
}

rte_ring* Dispatcher::ring(std::uint32_t worker) const {
    return lanes_[worker].ring;
}

std::uint64_t Dispatcher::waiting() const {
    std::uint64_t frames = 0;
    for (const Lane& lane : lanes_) {
        frames += rte_ring_count(lane.ring);
    }
    return frames;
}

void Dispatcher::run(RunControl& control) {
    while (!control.stop.load(std::memory_order_relaxed)) {
        if (port_round()) {
            idle_.had_work();
        } else {
            idle_.had_nothing();
        }
    }
    for (std::uint32_t i = 0; i < kDrainBurstsMax && port_round(); ++i) {
    }
    control.dispatcher_done.store(true, std::memory_order_release);
}

bool Dispatcher::port_round() {
    if (ordered_) {
        return ordered_->round([this](std::span<const TakenFrame> frames) { spread(frames); });
    }
    const bool worked =
        ports_->round([this](const RxQueue& queue, MbufBurst& burst) { spread(queue, burst); });
    bridge_.after_round();
    return worked;
}

void Dispatcher::spread(const RxQueue& queue, MbufBurst& burst) {
    const bool shared = bridge_.forward(queue.port_id, burst);
    counts_.frames[queue.port_id].add(burst.count);
    for (std::uint32_t i = 0; i < burst.count; ++i) {
        rte_mbuf& mbuf = *burst.mbufs[i];
        stage(mbuf, queue, time_of(mbuf, burst, queue, options_.poller.fields));
        if (!shared) {
            keep_first_segment(mbuf);
        }
    }
    hand_over();
}

void Dispatcher::spread(std::span<const TakenFrame> frames) {
    for (const TakenFrame& frame : frames) {
        counts_.frames[frame.queue->port_id].add(1);
        stage(*frame.mbuf, *frame.queue, frame.time);
        keep_first_segment(*frame.mbuf);
    }
    hand_over();
}

void Dispatcher::stage(rte_mbuf& mbuf, const RxQueue& queue, Nanos time) {
    Lane& lane = lanes_[worker_of(frame_of(mbuf, queue, time))];
    carried_time(mbuf, options_.poller.fields) = time;
    mbuf.port = queue.port_id;  // net_ring leaves what the sender wrote
    lane.staged[lane.staged_count++] = &mbuf;
}

void Dispatcher::hand_over() {
    for (Lane& lane : lanes_) {
        if (lane.staged_count != 0) {
            hand_over(lane);
        }
    }
}

std::uint32_t Dispatcher::worker_of(const Frame& frame) {
    decode::Decoded decoded;
    decode::decode(frame, options_.decode, unused_counters_, decoded);
    if (decoded.outcome != stats::Counter::decoded_segments) {
        const std::uint32_t any = next_any_;
        next_any_ = next_any_ + 1 == options_.workers ? 0 : next_any_ + 1;
        return any;
    }
    const std::uint32_t hash = decoded.v6 ? flow::hash_key(decoded.key.v6_key, options_.hash_seed)
                                          : flow::hash_key(decoded.key.v4, options_.hash_seed);
    // The hash as a fraction of 2^32, times the number of workers: a modulo without a division.
    return static_cast<std::uint32_t>(std::uint64_t{hash} * options_.workers >> 32);
}

void Dispatcher::hand_over(Lane& lane) {
    const bool from_file = options_.poller.queues.front().from_file;  // all are, or none
    std::uint32_t handed = 0;
    for (;;) {
        handed += rte_ring_sp_enqueue_burst(lane.ring,
                                            reinterpret_cast<void* const*>(lane.staged + handed),
                                            lane.staged_count - handed, nullptr);
        if (handed == lane.staged_count || !from_file) {
            break;
        }
        // A file has time. Workers run until the dispatcher is done, so there will be room.
        counts_.heartbeat.set(Clock::ticks());
        idle_.had_nothing();
    }
    if (handed < lane.staged_count) {
        for (std::uint32_t i = handed; i < lane.staged_count; ++i) {
            dispatch_counts_.ring_full[lane.worker][lane.staged[i]->port].add(1);
        }
        free_first_segments(lane.staged + handed, lane.staged_count - handed);
    }
    lane.staged_count = 0;
}

}  // namespace tw::dpdk
