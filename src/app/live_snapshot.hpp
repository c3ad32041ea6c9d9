// SPDX-License-Identifier: BSD-3-Clause
// The numbers of a running monitor as of the ledger's last reading, for whoever shows them:
// telemetry, and the sinks to come. The control thread publishes, any thread takes; a copy that was
// taken stays whole for as long as it is held.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "app/live_report.hpp"

namespace tw::app {

class LiveSnapshot {
  public:
    // writer: control thread
    void publish(LiveTotals totals) {
        auto next = std::make_shared<const LiveTotals>(std::move(totals));
        const std::lock_guard lock(mutex_);
        totals_.swap(next);
    }
    // nullptr before the first reading
    [[nodiscard]] std::shared_ptr<const LiveTotals> get() const {
        const std::lock_guard lock(mutex_);
        return totals_;
    }

  private:
    mutable std::mutex mutex_;
    std::shared_ptr<const LiveTotals> totals_;
};

}  // namespace tw::app
