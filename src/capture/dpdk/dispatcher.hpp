// SPDX-License-Identifier: BSD-3-Clause
// The busy loop of the core that spreads frames over workers where no NIC does: by a symmetric hash
// of the innermost connection, over one single-producer ring per worker. Keeps the order inside a
// connection; ICMP errors follow the connection they quote, first fragments their ports. What has
// no connection goes to any worker, for the counters. Bridged ports are forwarded first: what the
// workers have no room for is dropped for the analysis, not from the line.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <vector>

#include "base/error.hpp"
#include "capture/dpdk/bridge.hpp"
#include "capture/dpdk/poller.hpp"
#include "core/options.hpp"
#include "core/stats/counters.hpp"

struct rte_mbuf;
struct rte_ring;

namespace tw::dpdk {

class OrderedPoller;
class QueuePoller;
struct MbufBurst;
struct TakenFrame;

struct DispatcherOptions {
    PollerOptions poller;
    std::uint32_t workers = 1;
    std::uint32_t ring_frames = 4096;  // that may wait for one worker
    DecodeOptions decode;         // the same as the workers': it decides what the connection is
    std::uint64_t hash_seed = 0;  // unlike the table's, or each worker's table would be lopsided
    std::vector<BridgePair> bridges;
};

// writer: the dispatcher; readers: control thread
struct alignas(64) DispatchCounts {
    // Frames dropped because the ring of a worker had no room, by the port they came from. One row
    // per worker: what one worker lost does not cast doubt on the others.
    std::vector<std::array<Count, kPortsMax>> ring_full;
};

class Dispatcher {
  public:
    [[nodiscard]] static std::expected<std::unique_ptr<Dispatcher>, Error> create(
        const DispatcherOptions& options);
    ~Dispatcher();
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;

    [[nodiscard]] rte_ring* ring(std::uint32_t worker) const;
    // Frames waiting for all workers now.
    [[nodiscard]] std::uint64_t waiting() const;

    // Returns once control.stop is set and what has arrived by then is handed over; sets
    // control.dispatcher_done then.
    void run(RunControl& control);
    [[nodiscard]] const PollerCounts& counts() const { return counts_; }
    [[nodiscard]] const DispatchCounts& dispatch_counts() const { return dispatch_counts_; }
    [[nodiscard]] const Bridge& bridge() const { return bridge_; }

  private:
    struct Lane;  // towards one worker
    explicit Dispatcher(const DispatcherOptions& options);
    bool port_round();
    [[nodiscard]] std::uint32_t worker_of(const Frame& frame);
    void spread(const RxQueue& queue, MbufBurst& burst);
    void spread(std::span<const TakenFrame> frames);
    void stage(rte_mbuf& mbuf, const RxQueue& queue, Nanos time);
    void hand_over();
    void hand_over(Lane& lane);

    DispatcherOptions options_;
    PollerCounts counts_;
    std::unique_ptr<QueuePoller> ports_;      // or, where frames bear times of one clock,
    std::unique_ptr<OrderedPoller> ordered_;  // in their order
    Bridge bridge_;
    std::vector<Lane> lanes_;
    IdleWait idle_;
    std::uint32_t next_any_ = 0;  // worker for the next frame without a connection
    // Decoding counts what it sees. The workers decode again and their counters are the ones shown.
    stats::Counters unused_counters_;
    DispatchCounts dispatch_counts_;
};

}  // namespace tw::dpdk
