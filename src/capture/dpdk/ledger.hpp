// SPDX-License-Identifier: BSD-3-Clause
// The drop accounting of a live run: every frame a device handed over is analysed, dropped under a
// name, or on its way; and what was wrong with an interval becomes a mark for each worker. Plain
// arithmetic over what the control thread reads; nothing is touched here.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "capture/dpdk/port_counters.hpp"
#include "capture/dpdk/port_link.hpp"
#include "core/event/capture_marks.hpp"

namespace tw::dpdk {

// One port at one reading; numbers since its start.
struct PortReading {
    std::string name;
    std::string driver;
    std::uint8_t tap = 0;
    StageCounts device;
    LinkState link;
    std::vector<std::uint64_t> taken_by_queue;
    std::vector<std::uint64_t> ring_full_by_worker;  // empty without dispatcher
    std::uint64_t analysed = 0;                      // given to a worker's analysis
    std::uint64_t queued = 0;                        // in its receive queues, as the driver tells
    // Inline: frames sent out of the other port, and those it had no room for.
    bool inline_mode = false;
    std::uint64_t forwarded = 0;
    std::uint64_t forward_refused = 0;

    [[nodiscard]] std::uint64_t taken() const;
    [[nodiscard]] std::uint64_t ring_full() const;
    // What never reached the analysis, as far as anybody counts it.
    [[nodiscard]] std::uint64_t lost() const { return device.lost() + ring_full(); }
    // Handed over by the device, but neither taken by us nor in a queue. May be negative: the
    // numbers are not read at one moment.
    [[nodiscard]] std::int64_t unaccounted() const;
};

// A thread that polls ports: a worker, or the dispatcher.
struct PollerReading {
    std::uint64_t heartbeat = 0;  // ticks
    std::uint64_t stalls = 0;
    std::uint64_t longest_stall = 0;     // ticks
    std::vector<std::uint64_t> emptied;  // ticks, by port in the order of the run
};

struct LedgerReading {
    Nanos time = 0;           // when the reading began, UTC
    std::uint64_t ticks = 0;  // the same moment
    std::vector<PortReading> ports;
    std::vector<PollerReading> pollers;  // the dispatcher alone, or each worker
    std::uint64_t in_rings = 0;          // on the way from dispatcher to workers
    // Frames that arrived while the numbers were being read: as much may be unaccounted.
    std::uint64_t moved = 0;

    [[nodiscard]] std::int64_t unaccounted() const;
};

struct LedgerOptions {
    std::uint32_t workers = 1;
    bool dispatching = false;
    std::uint64_t stall_ticks = 0;  // a poller silent for so long has stalled
    // Before the first reading. Frames of an earlier time do not exist.
    Nanos started = 0;
};

// What happened at one port between two readings.
struct PortChange {
    std::uint64_t lost = 0;
    std::uint64_t refused = 0;  // inline: not sent on
    std::uint64_t link_changes = 0;
    bool link_down = false;
    bool stalled = false;
    bool restarted = false;  // the driver's counters
};

class Ledger {
  public:
    Ledger(const LedgerOptions& options, LedgerReading first);

    // The next reading. What is wrong with an interval marks the one before it, because NICs count
    // late, and those after it until each queue has been seen empty, because what had piled up
    // comes out late. So the word on an interval is spoken one reading later.
    void close(LedgerReading reading);

    [[nodiscard]] const LedgerReading& last() const { return last_; }
    [[nodiscard]] const std::vector<PortChange>& changes() const { return changes_; }
    // One mark per worker: the ledger's word that became final with the last reading.
    [[nodiscard]] std::span<const event::CaptureMark> marks() const { return marks_; }
    // After the stop: the word on all that is left, and everything after it.
    [[nodiscard]] std::vector<event::CaptureMark> rest() const;

    // The most frames that were unaccounted for at any reading while frames moved.
    [[nodiscard]] std::uint64_t worst_unaccounted() const { return worst_unaccounted_; }
    [[nodiscard]] std::uint64_t intervals() const { return intervals_; }
    // Of these, intervals in which something was wrong with the capture at some port.
    [[nodiscard]] std::uint64_t marked_intervals() const { return marked_intervals_; }

  private:
    using Faults = std::array<event::CaptureFaults, kTapsMax>;
    struct Backlog {
        event::CaptureFaults faults;
        std::uint64_t since_ticks = 0;  // of the reading that found it
    };
    // Away since the last reading, or still.
    [[nodiscard]] bool stalled(std::size_t poller, const LedgerReading& now) const;
    [[nodiscard]] PortChange change_of(std::size_t port, const LedgerReading& now) const;
    [[nodiscard]] event::CaptureFaults faults_of(std::size_t port, std::uint32_t worker,
                                                 const PortChange& change,
                                                 const LedgerReading& now) const;
    [[nodiscard]] std::size_t poller_of(std::uint32_t worker) const {
        return options_.dispatching ? 0 : worker;
    }

    LedgerOptions options_;
    LedgerReading last_;
    std::vector<PortChange> changes_;
    std::vector<std::vector<Backlog>> backlogs_;  // by port, by worker
    std::vector<Faults> pending_;                 // by worker: of the interval before the last
    Nanos pending_from_;
    std::vector<event::CaptureMark> marks_;
    std::uint64_t worst_unaccounted_ = 0;
    std::uint64_t intervals_ = 0;
    std::uint64_t marked_intervals_ = 0;
};

}  // namespace tw::dpdk
