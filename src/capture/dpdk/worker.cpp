// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/worker.hpp"

#include <rte_ring.h>

#include "base/check.hpp"
#include "capture/dpdk/mbuf_burst.hpp"

namespace tw::dpdk {
namespace {

// Ageing looks at a slice of the table per tick: seldom enough to cost nothing, often enough that a
// round of the table takes seconds.
constexpr std::uint32_t kBurstsPerTick = 64;
constexpr std::uint64_t kSilentTicksPerSecond = 2000;

}  // namespace

Worker::Worker(const WorkerOptions& options, FrameHandler& handler)
    : options_(options),
      handler_(handler),
      readers_(options.poller.queues.begin(), options.poller.queues.end()),
      by_port_(kPortsMax),
      idle_(options.poller.waiting),
      silence_ticks_(options.poller.clock->ticks_per_second() / kSilentTicksPerSecond) {
    TW_CHECK((options.ring == nullptr) != options.poller.queues.empty());
    for (const RxQueue& queue : options.ring_ports) {
        by_port_[queue.port_id] = queue;
    }
}

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
        counts_.heartbeat.set(Clock::ticks());
        if (poll_round()) {
            idle_.had_work();
        } else {
            had_nothing();
        }
    }
}

// Whatever the queues hold at the stop is analysed too.
void Worker::drain_ports() {
    for (std::uint32_t i = 0; i < kDrainBurstsMax; ++i) {
        if (!poll_round()) {
            return;
        }
    }
}

// One burst from each queue, so that a busy direction cannot run far ahead of the other.
bool Worker::poll_round() {
    const auto count = static_cast<std::uint32_t>(readers_.size());
    bool worked = false;
    std::uint32_t index = first_queue_;
    first_queue_ = first_queue_ + 1 == count ? 0 : first_queue_ + 1;
    for (std::uint32_t i = 0; i < count; ++i) {
        QueueReader& reader = readers_[index];
        const RxQueue& queue = reader.queue;
        index = index + 1 == count ? 0 : index + 1;
        MbufBurst burst;
        if (!take(reader, *options_.poller.clock, burst)) {
            continue;
        }
        worked = true;
        Frame frames[kBurstMax];
        for (std::uint32_t j = 0; j < burst.count; ++j) {
            const rte_mbuf& mbuf = *burst.mbufs[j];
            frames[j] = frame_of(mbuf, queue, time_of(mbuf, burst, queue, options_.poller.fields));
        }
        counts_.frames[queue.port_id].add(burst.count);
        handle({frames, burst.count});
        burst.free();
    }
    return worked;
}

void Worker::poll_ring(const RunControl& control) {
    for (;;) {
        counts_.heartbeat.set(Clock::ticks());
        // Looked at before the ring: what the dispatcher left there before it was done is seen.
        const bool last = control.dispatcher_done.load(std::memory_order_acquire);
        if (ring_round()) {
            idle_.had_work();
        } else if (last) {
            return;
        } else {
            had_nothing();
        }
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
    Frame frames[kBurstMax];
    for (std::uint32_t i = 0; i < burst.count; ++i) {
        rte_mbuf& mbuf = *burst.mbufs[i];
        frames[i] = frame_of(mbuf, by_port_[mbuf.port], carried_time(mbuf, options_.poller.fields));
        counts_.frames[mbuf.port].add(1);
    }
    handle({frames, burst.count});
    burst.free();
    return true;
}

void Worker::handle(std::span<const Frame> frames) {
    handler_.handle(frames);
    last_frame_time_ = frames.back().time;
    counts_.bursts.add(1);
    counts_.full_bursts.add(frames.size() == kBurstMax ? 1 : 0);
    if (++bursts_since_tick_ >= kBurstsPerTick) {
        bursts_since_tick_ = 0;
        last_tick_ = Clock::ticks();
        handler_.tick(last_frame_time_);
    }
}

void Worker::had_nothing() {
    const std::uint64_t now = Clock::ticks();
    if (!options_.time_from_frames && now - last_tick_ >= silence_ticks_) {
        last_tick_ = now;
        bursts_since_tick_ = 0;
        handler_.tick(options_.poller.clock->at(now));
    }
    idle_.had_nothing();
}

}  // namespace tw::dpdk
