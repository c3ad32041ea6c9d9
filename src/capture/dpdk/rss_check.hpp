// SPDX-License-Identifier: BSD-3-Clause
// Whether a NIC spreads frames as it was told: one frame of every so many bursts is compared with
// the model of its port. Costs a worker a countdown per burst, and a hash per sample.
#pragma once

#include <cstdint>
#include <optional>

#include "capture/dpdk/poller.hpp"

namespace tw::dpdk {

class RssCheck {
  public:
    // A sample takes about 2,000 cycles: below one per frame where bursts are full, thirty where
    // every burst is a single frame and the worker has nothing better to do.
    static constexpr std::uint32_t kBurstsPerSample = 64;

    [[nodiscard]] bool due() {
        if (--bursts_left_ != 0) {
            return false;
        }
        bursts_left_ = kBurstsPerSample;
        return true;
    }
    // Counts per port what it could check and what came by another queue than it should have.
    // `nic_hash`: what the NIC computed, where it says.
    static void sample(const RxQueue& queue, const Frame& frame,
                       std::optional<std::uint32_t> nic_hash, PollerCounts& counts);

  private:
    std::uint32_t bursts_left_ = 1;  // the first burst at once
};

}  // namespace tw::dpdk
