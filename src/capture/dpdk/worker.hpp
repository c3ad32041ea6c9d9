// SPDX-License-Identifier: BSD-3-Clause
// The busy loop of one worker: frames from its receive queue of every port, or from the
// dispatcher's ring, to whoever analyses them. It knows nothing of TCP.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "capture/dpdk/poller.hpp"
#include "capture/dpdk/rss_check.hpp"
#include "core/frame.hpp"

struct rte_ring;

namespace tw::dpdk {

class OrderedPoller;
class QueuePoller;
struct TakenFrame;

// What a worker feeds. One virtual call per burst.
class FrameHandler {
  public:
    virtual ~FrameHandler() = default;
    // At most kBurstMax frames in the order of their arrival; their bytes are gone when it returns.
    virtual void handle(std::span<const Frame> frames) = 0;
    // Time of the wire, every few bursts and while the ports are silent.
    virtual void tick(Nanos now) = 0;
    // Nothing has arrived; as often as the poller looks.
    virtual void rest() {}
};

struct WorkerOptions {
    PollerOptions poller;
    rte_ring* ring = nullptr;         // from the dispatcher; then poller.queues is empty
    std::vector<RxQueue> ring_ports;  // behind the ring, for link type and tap of each port id
    // Frames carry the only time there is: a capture file's clock stands still while it is silent.
    bool time_from_frames = false;
};

class Worker {
  public:
    Worker(const WorkerOptions& options, FrameHandler& handler);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // Returns once control.stop is set and what has arrived by then is handled.
    void run(const RunControl& control);
    [[nodiscard]] const PollerCounts& counts() const { return counts_; }

  private:
    void poll_ports(const RunControl& control);
    void drain_ports();
    bool port_round();
    void handle_taken(std::span<const TakenFrame> frames);
    void poll_ring(const RunControl& control);
    bool ring_round();
    void handle(std::span<const Frame> frames);
    void after_round(bool worked, std::uint64_t now);

    WorkerOptions options_;
    FrameHandler& handler_;
    PollerCounts counts_;
    std::unique_ptr<QueuePoller> ports_;      // or, where frames bear times of one clock,
    std::unique_ptr<OrderedPoller> ordered_;  // in their order
    RssCheck rss_check_;
    Pace ring_pace_;
    std::vector<RxQueue> by_port_;  // index: port id
    IdleWait idle_;
    std::uint32_t bursts_since_tick_ = 0;
    std::uint64_t last_tick_ = 0;  // both in ticks of the clock
    std::uint64_t tick_interval_;
    Nanos last_frame_time_ = 0;
    std::array<Frame, kBurstMax> frames_;  // of one burst
};

}  // namespace tw::dpdk
