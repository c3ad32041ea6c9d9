// SPDX-License-Identifier: BSD-3-Clause
// What a live run says of its bridged ports: where the frames of each direction went, and how long
// the monitor held them up. Text only; LiveRun takes the numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "capture/dpdk/bridge.hpp"
#include "capture/dpdk/port.hpp"

namespace tw::app {

// From one port of a pair to the other.
struct BridgeTotals {
    std::string from;
    std::string to;
    std::uint64_t taken = 0;  // from the receive queue
    std::uint64_t forwarded = 0;
    std::uint64_t refused = 0;
    std::uint64_t cut = 0;
    std::uint64_t lost_sending = 0;  // of the forwarded ones, by driver or kernel
    dpdk::TickReading forwarding;
    dpdk::TickReading waiting;
    double nanos_per_tick = 0;
};

[[nodiscard]] BridgeTotals bridge_totals(const dpdk::Port& from, const dpdk::Port& to,
                                         const dpdk::BridgeCounts& counts, std::uint64_t taken,
                                         std::uint64_t ticks_per_second);

// One line per direction, over the time between two readings.
[[nodiscard]] std::vector<std::string> bridge_interval_text(std::span<const BridgeTotals> now,
                                                            std::span<const BridgeTotals> before);

[[nodiscard]] std::vector<std::string> bridge_final_text(std::span<const BridgeTotals> totals);

}  // namespace tw::app
