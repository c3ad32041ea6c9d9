// SPDX-License-Identifier: BSD-3-Clause
// The truth: every packet of a simulation with all that became of it. Written by the world while it
// runs, read by the judge's judge afterwards.
#pragma once

#include <cstdint>
#include <vector>

#include "simulation/plan.hpp"

namespace tw::sim {

// One copy of a packet on the wire at the tap.
struct Pass {
    Nanos wire = 0;
    bool late = false;  // overtaken before the tap
    bool network_copy = false;
    bool missed_by_mirror = false;
    bool missed_by_monitor = false;
    bool lost_after = false;
    bool late_after = false;
    std::vector<Nanos> arrivals;        // 0, 1, or 2 where the network duplicated it
    std::vector<std::uint32_t> frames;  // numbers from 1 in the capture; empty = not captured
    [[nodiscard]] bool missed() const { return missed_by_mirror || missed_by_monitor; }
};

struct Transmission {
    Packet packet;
    bool lost_before = false;
    Nanos due = 0;  // at the other host, had nothing happened to it
    std::vector<Pass> passes;

    [[nodiscard]] Nanos first_arrival() const {
        Nanos first = INT64_MAX;
        for (const Pass& pass : passes) {
            for (const Nanos time : pass.arrivals) {
                first = std::min(first, time);
            }
        }
        return first;
    }
};

struct Capture {
    Nanos time = 0;  // as stamped, from the simulation's begin
    std::uint32_t transmission = 0;
    std::uint32_t pass = 0;
    bool ttl_less = false;
    bool mirror_copy = false;
};

struct Record {
    std::vector<Transmission> transmissions;  // in the order of sending
    std::vector<Capture> captures;            // in the order of capture; frame number - 1
    std::vector<Nanos> monitor_losses;        // in order
    Nanos end = 0;
};

// The ledger of the monitor speaks of intervals of this length.
inline constexpr Nanos kLedgerInterval = 100 * kMillisecond;

}  // namespace tw::sim
