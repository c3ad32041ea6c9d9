// SPDX-License-Identifier: BSD-3-Clause
// The one reader of a live run's counters: asks ports, pollers and rings, lets the ledger say what
// was wrong, tells the workers, and says in the log when frames begin to be lost or a link changes.
// Control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/live_worker.hpp"
#include "base/time.hpp"
#include "capture/dpdk/clock.hpp"
#include "capture/dpdk/dispatcher.hpp"
#include "capture/dpdk/ledger.hpp"
#include "capture/dpdk/port.hpp"
#include "capture/dpdk/worker.hpp"

namespace spdlog {
class logger;
}

namespace tw::app {

// Four readings a second: often enough for registers of 32 bits at 100 Gbit/s, for a mark that does
// not cast doubt on more than it must, and for an event to wait half a second at most.
inline constexpr Nanos kLedgerInterval = 250 * kMillisecond;

// Whom the ledger asks. All outlive it.
struct LedgerParts {
    const std::vector<std::unique_ptr<dpdk::Port>>* ports = nullptr;
    std::vector<const dpdk::Worker*> pollers;  // of each worker
    const dpdk::Dispatcher* dispatcher = nullptr;
    std::vector<LiveWorker*> workers;
    const dpdk::Clock* clock = nullptr;
};

class LiveLedger {
  public:
    LiveLedger(LedgerParts parts, spdlog::logger& logger);

    // Call every kLedgerInterval.
    void update();
    // After the pollers have returned, before the ports are stopped: the last reading, exact.
    // `drain` makes room for the episodes that waited for it.
    void finish(const std::function<void()>& drain);

    [[nodiscard]] const dpdk::Ledger& ledger() const { return ledger_; }
    // Frames taken from the ports, and those their drivers lost for want of a buffer, now.
    [[nodiscard]] std::uint64_t frames_taken() const;

  private:
    // What was said of a port last.
    struct Said {
        dpdk::LinkState link;
        bool losing = false;
        Nanos losing_since = 0;
        Nanos lost_last = 0;
        std::uint64_t lost_before = 0;
    };
    [[nodiscard]] dpdk::LedgerReading read() const;
    [[nodiscard]] dpdk::LedgerReading read_once() const;
    void read_flow(dpdk::PortReading& reading, const dpdk::Port& port) const;
    [[nodiscard]] std::uint64_t taken() const;
    void tell_workers();
    void say_changes(Nanos elapsed);
    void say_loss(const dpdk::PortReading& port, const dpdk::PortChange& change, Said& said);

    LedgerParts parts_;
    spdlog::logger& logger_;
    dpdk::Ledger ledger_;
    std::vector<Said> said_;
};

}  // namespace tw::app
