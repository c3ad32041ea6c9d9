// SPDX-License-Identifier: BSD-3-Clause
// What the two busy loops of a run, worker and dispatcher, have in common: how to wait, when to
// stop, what they count, and how time gets onto frames.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "capture/dpdk/clock.hpp"
#include "capture/dpdk/mbuf_fields.hpp"
#include "capture/dpdk/port.hpp"

namespace tw::dpdk {

// RTE_MAX_ETHPORTS of Debian's DPDK; asserted where the constant is visible.
inline constexpr std::uint32_t kPortsMax = 32;

// What to do when there is nothing to do. Not by sched_yield: in a loop of yields, kernels from 6.6
// on push a thread's deadline so far away that it stands still for seconds when others need the
// CPU.
enum class Waiting : std::uint8_t {
    busy,      // poll again at once: the core is ours
    adaptive,  // sleep in microseconds once nothing came for a while
};

class IdleWait {
  public:
    explicit IdleWait(Waiting waiting) : waiting_(waiting) {}

    void had_work() { empty_polls_ = 0; }
    void had_nothing();

  private:
    Waiting waiting_;
    std::uint32_t empty_polls_ = 0;
};

// writer: control thread, but for dispatcher_done; readers: pollers
struct RunControl {
    std::atomic<bool> stop{false};             // take what has arrived, then return
    std::atomic<bool> dispatcher_done{false};  // writer: dispatcher, when nothing follows any more
};

// One number, one writer, any readers.
class Count {
  public:
    void add(std::uint64_t count) {
        value_.store(value_.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
    }
    void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

// writer: the poller; readers: control thread
struct alignas(64) PollerCounts {
    std::array<Count, kPortsMax>
        frames;  // taken from each port (worker behind a dispatcher: its share)
    // Ticks when the port's queue was last left empty: what had piled up until then was taken.
    std::array<Count, kPortsMax> emptied;
    // Samples compared with the RSS set up (RssCheck), and those that came by another queue.
    std::array<Count, kPortsMax> rss_checked;
    std::array<Count, kPortsMax> rss_elsewhere;
    Count bursts;
    Count full_bursts;  // the queue had at least as much again: the warning before drops
    Count heartbeat;    // ticks of the last round of the loop
    Count stalls;       // rounds that came later than kStallMin after the one before
    Count stalled_ticks;
    Count longest_stall;  // ticks

    // One look at a queue of the port, at `now` in ticks, found so many frames.
    void looked(std::uint16_t port_id, std::uint32_t count, std::uint64_t now) {
        if (count < kBurstMax) {
            emptied[port_id].set(now);
        }
        if (count != 0) {
            bursts.add(1);
            full_bursts.add(count == kBurstMax ? 1 : 0);
        }
    }
};

// A poller that was away for so long stamps frames so much late, and a port at 10 Gbit/s has long
// overrun its descriptors (0.28 ms at 14.88 Mpps). Shorter pauses are told by drops alone.
inline constexpr Nanos kStallMin = 10 * kMillisecond;
[[nodiscard]] inline std::uint64_t stall_ticks(const Clock& clock) {
    return clock.ticks_per_second() / (kSecond / kStallMin);
}

// Notices when a loop was away.
class Pace {
  public:
    explicit Pace(const Clock& clock) : stall_ticks_(stall_ticks(clock)) {}

    void beat(std::uint64_t now, PollerCounts& counts) {
        const std::uint64_t before = counts.heartbeat.get();
        counts.heartbeat.set(now);
        if (now - before > stall_ticks_ && before != 0) [[unlikely]] {
            counts.stalls.add(1);
            counts.stalled_ticks.add(now - before);
            counts.longest_stall.set(std::max(counts.longest_stall.get(), now - before));
        }
    }

  private:
    std::uint64_t stall_ticks_;
};

// After a stop: a port that never falls silent is left with frames at most this many bursts later.
// 65536 frames are more than any descriptor ring holds.
inline constexpr std::uint32_t kDrainBurstsMax = 2048;

// One receive queue and how far its poller has got.
struct QueueReader {
    explicit QueueReader(const RxQueue& polled) : queue(polled) {}

    RxQueue queue;
    std::uint64_t frames = 0;        // taken so far
    std::uint64_t last_round = 0;    // ticks at the start of the round that polled it last
    std::size_t next_cut_frame = 0;  // index into queue.cut_frames
};

struct PollerOptions {
    std::vector<RxQueue> queues;  // polled in turn, one burst each; empty behind a dispatcher
    const Clock* clock = nullptr;
    MbufFields fields;
    Waiting waiting = Waiting::busy;
};

}  // namespace tw::dpdk
