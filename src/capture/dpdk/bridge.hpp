// SPDX-License-Identifier: BSD-3-Clause
// Inline mode: what one port of a pair receives is sent out of the other, before anything else is
// done with it. The frames stay readable for the analysis, which shares them and must not change
// them. What the transmit queue does not take within kRetryMax is dropped from the line, counted.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/time.hpp"
#include "capture/dpdk/poller.hpp"
#include "capture/dpdk/tick_histogram.hpp"

struct rte_mbuf;

namespace tw::dpdk {

struct MbufBurst;

// How long a full transmit queue is asked again: 10 us are 8 frames of 1500 bytes at 10 Gbit/s. The
// other direction waits meanwhile; the queue itself is the buffer, as it is in a switch.
inline constexpr Nanos kRetryMax = 10 * kMicrosecond;

// Two ends of one line.
struct BridgePair {
    TxQueue left;
    TxQueue right;
};

// From one port to its partner. writer: the dispatcher; readers: control thread
struct BridgeCounts {
    Count forwarded;           // frames the partner's driver took
    Count refused;             // frames its transmit queue had no room for
    Count cut;                 // frames that are not here whole, so they were not sent on
    TickHistogram forwarding;  // from when a burst was received until it was sent, per burst
    TickHistogram waiting;     // from the poll before: a frame of the burst waited no longer
};

class Bridge {
  public:
    Bridge(const std::vector<BridgePair>& pairs, const Clock& clock);

    // False if the port belongs to no pair. Otherwise the burst has been sent out of its partner,
    // and the caller still owns the first segment of each frame, and only that.
    [[nodiscard]] bool forward(std::uint16_t port_id, const MbufBurst& burst);
    // After each round over the ports: sends what the kernel left behind, where no burst did.
    void after_round();

    // nullptr if the port belongs to no pair.
    [[nodiscard]] const BridgeCounts* counts(std::uint16_t port_id) const;

  private:
    struct Direction {
        TxQueue to;
        bool sent_this_round = false;
        bool left_behind = false;  // the kernel may hold frames it did not send
        BridgeCounts counts;
    };
    void send(Direction& direction, rte_mbuf** mbufs, std::uint32_t count);

    std::uint64_t retry_ticks_;
    std::array<std::unique_ptr<Direction>, kPortsMax> by_port_;  // index: where frames come from
    std::vector<Direction*> through_kernel_;
};

}  // namespace tw::dpdk
