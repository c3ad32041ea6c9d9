// SPDX-License-Identifier: BSD-3-Clause
// What a live run says of itself in numbers: a line per interval and a report at the end that adds
// up, like tcpdump's last lines but complete. Text only; LiveRun takes the numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "app/live_bridge.hpp"
#include "base/time.hpp"
#include "capture/dpdk/ledger.hpp"
#include "core/stats/counters.hpp"
#include "core/verdict/settler.hpp"

namespace tw::app {

// What one worker has done.
struct WorkerTotals {
    std::uint64_t frames = 0;
    std::uint64_t bursts = 0;
    std::uint64_t full_bursts = 0;  // the queue had at least as much again
    std::uint64_t stalls = 0;
    std::uint64_t longest_stall = 0;  // ticks
    std::uint64_t live_flows = 0;
};

// Where a NIC spreads: frames of a port compared with what it was told (dpdk::RssCheck).
struct RssTotals {
    std::string port;
    std::uint64_t checked = 0;
    std::uint64_t elsewhere = 0;  // of these: came by another queue
};

// Sums over workers; a worker's own stats::Counters cannot be copied.
class CounterSums {
  public:
    void add(const stats::Counters& counters) {
        for (const stats::CounterInfo& info : stats::counter_table()) {
            values_[static_cast<std::size_t>(info.id)] += counters.get(info.id);
        }
    }
    [[nodiscard]] std::uint64_t get(stats::Counter counter) const {
        return values_[static_cast<std::size_t>(counter)];
    }

  private:
    std::array<std::uint64_t, stats::kCounters> values_{};
};

// All numbers of a run at one reading of the ledger. A value: others may keep copies.
struct LiveTotals {
    dpdk::LedgerReading ledger;
    std::uint64_t worst_unaccounted = 0;  // at any reading so far, frames
    std::vector<BridgeTotals> bridges;    // two for each pair
    std::uint64_t intervals = 0;
    std::uint64_t marked_intervals = 0;
    std::uint64_t live_flows = 0;
    std::uint64_t ticks_per_second = 1;
    CounterSums counters;
    std::vector<WorkerTotals> workers;
    std::vector<RssTotals> rss;
};

// "missed 12, no room in a worker's ring 3": the ways this port's frames were lost so far.
[[nodiscard]] std::string loss_text(const dpdk::PortReading& port);

// Rates over the time between two readings, totals for what should stay zero.
[[nodiscard]] std::string interval_text(const LiveTotals& now, const LiveTotals& before,
                                        Nanos elapsed);

[[nodiscard]] std::vector<std::string> final_text(const LiveTotals& totals, Nanos duration);

// What the episodes of the run meant, in the words of `read`.
[[nodiscard]] std::vector<std::string> verdicts_text(const verdict::Settler& settler);

}  // namespace tw::app
