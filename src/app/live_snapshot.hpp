// SPDX-License-Identifier: BSD-3-Clause
// The numbers of a running monitor as of the ledger's last reading, for whoever shows them:
// telemetry, and the sinks to come. The control thread publishes, any thread takes a copy.
#pragma once

#include <mutex>
#include <optional>
#include <utility>

#include "app/live_report.hpp"

namespace tw::app {

class LiveSnapshot {
  public:
    // writer: control thread
    void publish(LiveTotals totals) {
        const std::lock_guard lock(mutex_);
        totals_ = std::move(totals);
    }
    // Nothing before the first reading.
    [[nodiscard]] std::optional<LiveTotals> get() const {
        const std::lock_guard lock(mutex_);
        return totals_;
    }

  private:
    mutable std::mutex mutex_;
    std::optional<LiveTotals> totals_;
};

}  // namespace tw::app
