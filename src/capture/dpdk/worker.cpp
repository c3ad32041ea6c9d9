// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/worker.hpp"

#include <rte_ring.h>

#include "base/check.hpp"
#include "capture/dpdk/ordered_poller.hpp"
#include "capture/dpdk/queue_poller.hpp"

namespace tw::dpdk {
namespace {

// Ageing looks at a 1024th of the table per tick: about a round per second, whatever the traffic.
constexpr std::uint64_t kTicksPerSecond = 1000;
// Frames that bring their own time: by bursts, so that a file always gives the same output.
constexpr std::uint32_t kBurstsPerTick = 64;

[[nodiscard]] std::optional<std::uint32_t> nic_hash(const rte_mbuf& mbuf) {
    return (mbuf.ol_flags & RTE_MBUF_F_RX_RSS_HASH) != 0 ? std::optional(mbuf.hash.rss)
                                                         : std::nullopt;
}

}  // namespace

Worker::Worker(const WorkerOptions& options, FrameHandler& handler)
    : options_(options),
      handler_(handler),
      ring_pace_(*options.poller.clock),
      by_port_(kPortsMax),
      idle_(options.poller.waiting),
      tick_interval_(options.poller.clock->ticks_per_second() / kTicksPerSecond) {
    TW_CHECK((options.ring == nullptr) != options.poller.queues.empty());
    if (can_be_ordered(options.poller.queues)) {
        ordered_ = std::make_unique<OrderedPoller>(options.poller, counts_);
    } else {
        ports_ = std::make_unique<QueuePoller>(options.poller, counts_);
    }
    for (const RxQueue& queue : options.ring_ports) {
        by_port_[queue.port_id] = queue;
    }
}

Worker::~Worker() = default;

void Worker::run(const RunControl& control) {
    last_tick_ = Clock::ticks();
    if (options_.ring == nullptr) {
        poll_ports(control);
        drain_ports();
    } else {
        poll_ring(control);
    }
}

void Worker::poll_ports(const RunControl& control) {
    while (!control.stop.load(std::memory_order_relaxed)) {
        after_round(port_round(), counts_.heartbeat.get());
    }
}

// Whatever the queues hold at the stop is analysed too.
void Worker::drain_ports() {
    for (std::uint32_t i = 0; i < kDrainBurstsMax; ++i) {
        if (!port_round()) {
            return;
        }
    }
}

bool Worker::port_round() {
    if (ordered_) {
        return ordered_->round(
            [this](std::span<const TakenFrame> frames) { handle_taken(frames); });
    }
    return ports_->round([this](const RxQueue& queue, MbufBurst& burst) {
        for (std::uint32_t i = 0; i < burst.count; ++i) {
            const rte_mbuf& mbuf = *burst.mbufs[i];
            frames_[i] = frame_of(mbuf, queue, time_of(mbuf, burst, queue, options_.poller.fields));
        }
        counts_.frames[queue.port_id].add(burst.count);
        if (rss_check_.due()) [[unlikely]] {
            RssCheck::sample(queue, frames_[0], nic_hash(*burst.mbufs[0]), counts_);
        }
        handle({frames_.data(), burst.count});
        burst.free();
    });
}

void Worker::handle_taken(std::span<const TakenFrame> frames) {
    rte_mbuf* mbufs[kBurstMax];
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const TakenFrame& taken = frames[i];
        mbufs[i] = taken.mbuf;
        frames_[i] = frame_of(*taken.mbuf, *taken.queue, taken.time);
        counts_.frames[taken.queue->port_id].add(1);
    }
    handle({frames_.data(), frames.size()});
    rte_pktmbuf_free_bulk(mbufs, static_cast<unsigned>(frames.size()));
}

void Worker::poll_ring(const RunControl& control) {
    for (;;) {
        const std::uint64_t now = Clock::ticks();
        ring_pace_.beat(now, counts_);
        // Looked at before the ring: what the dispatcher left there before it was done is seen.
        const bool last = control.dispatcher_done.load(std::memory_order_acquire);
        const bool worked = ring_round();
        if (!worked && last) {
            return;
        }
        after_round(worked, now);
    }
}

bool Worker::ring_round() {
    MbufBurst burst;
    burst.count = rte_ring_sc_dequeue_burst(options_.ring, reinterpret_cast<void**>(burst.mbufs),
                                            kBurstMax, nullptr);
    if (burst.count == 0) {
        return false;
    }
    for (std::uint32_t i = 0; i < burst.count; ++i) {
        rte_prefetch0(rte_pktmbuf_mtod(burst.mbufs[i], void*));
    }
    for (std::uint32_t i = 0; i < burst.count; ++i) {
        rte_mbuf& mbuf = *burst.mbufs[i];
        frames_[i] =
            frame_of(mbuf, by_port_[mbuf.port], carried_time(mbuf, options_.poller.fields));
        counts_.frames[mbuf.port].add(1);
    }
    counts_.bursts.add(1);
    counts_.full_bursts.add(burst.count == kBurstMax ? 1 : 0);
    handle({frames_.data(), burst.count});
    free_first_segments(burst.mbufs, burst.count);
    return true;
}

void Worker::handle(std::span<const Frame> frames) {
    handler_.handle(frames);
    last_frame_time_ = frames.back().time;
    if (options_.time_from_frames && ++bursts_since_tick_ >= kBurstsPerTick) {
        bursts_since_tick_ = 0;
        handler_.tick(last_frame_time_);
    }
}

void Worker::after_round(bool worked, std::uint64_t now) {
    if (!options_.time_from_frames && now - last_tick_ >= tick_interval_) {
        last_tick_ = now;
        handler_.tick(worked ? last_frame_time_ : options_.poller.clock->at(now));
    }
    if (worked) {
        idle_.had_work();
    } else {
        handler_.rest();
        idle_.had_nothing();
    }
}

}  // namespace tw::dpdk
