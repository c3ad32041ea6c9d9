// SPDX-License-Identifier: BSD-3-Clause
// What a live run says of itself in numbers: a line per interval and a report at the end that adds
// up, like tcpdump's last lines but complete. Text only; LiveRun takes the numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "capture/dpdk/port.hpp"
#include "core/stats/counters.hpp"

namespace tw::app {

// Where the frames of one port went.
struct PortTotals {
    std::string name;
    std::string driver;
    dpdk::PortCounters nic;
    std::uint64_t taken = 0;      // from its receive queues
    std::uint64_t analysed = 0;   // given to a worker's analysis
    std::uint64_t ring_full = 0;  // dropped: a worker's ring had no room

    // In the receive queues when the counters were read.
    [[nodiscard]] std::uint64_t queued() const {
        return nic.received > taken ? nic.received - taken : 0;
    }
    // What never reached the analysis, as far as anybody counts it.
    [[nodiscard]] std::uint64_t lost() const;
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

struct LiveTotals {
    std::vector<PortTotals> ports;
    std::uint64_t waiting = 0;  // in workers' rings
    std::uint64_t live_flows = 0;
    CounterSums counters;
};

// Rates over the time between two readings, totals for what should stay zero.
[[nodiscard]] std::string interval_text(const LiveTotals& now, const LiveTotals& before,
                                        Nanos elapsed);

[[nodiscard]] std::vector<std::string> final_text(const LiveTotals& totals, Nanos duration);

}  // namespace tw::app
