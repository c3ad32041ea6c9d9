// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/poller.hpp"

#include <rte_ethdev.h>
#include <rte_pause.h>

#include <ctime>

namespace tw::dpdk {

static_assert(kPortsMax >= RTE_MAX_ETHPORTS);

void IdleWait::had_nothing() {
    // A frame every few hundred polls is traffic, not silence.
    constexpr std::uint32_t kPatience = 256;
    // An eighth of the 0.28 ms that 4096 descriptors hold at 14.88 Mpps.
    constexpr timespec kNap{0, 30'000};
    if (empty_polls_ < kPatience) {
        ++empty_polls_;
        rte_pause();
        return;
    }
    switch (waiting_) {
        case Waiting::busy:
            rte_pause();
            return;
        case Waiting::adaptive:
            nanosleep(&kNap, nullptr);
            return;
    }
}

}  // namespace tw::dpdk
