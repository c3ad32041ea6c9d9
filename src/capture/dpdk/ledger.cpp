// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/ledger.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace tw::dpdk {

using event::CaptureFault;
using event::CaptureFaults;
using event::CaptureMark;

std::uint64_t PortReading::taken() const {
    return std::accumulate(taken_by_queue.begin(), taken_by_queue.end(), std::uint64_t{0});
}

std::uint64_t PortReading::ring_full() const {
    return std::accumulate(ring_full_by_worker.begin(), ring_full_by_worker.end(),
                           std::uint64_t{0});
}

std::int64_t PortReading::unaccounted() const {
    return static_cast<std::int64_t>(device[Stage::received] - taken() - queued);
}

std::int64_t LedgerReading::unaccounted() const {
    std::int64_t frames = -static_cast<std::int64_t>(in_rings);
    for (const PortReading& port : ports) {
        frames += port.unaccounted() +
                  static_cast<std::int64_t>(port.taken() - port.ring_full() - port.analysed);
    }
    return frames;
}

Ledger::Ledger(const LedgerOptions& options, LedgerReading first)
    : options_(options),
      last_(std::move(first)),
      backlogs_(last_.ports.size(), std::vector<Backlog>(options.workers)),
      pending_(options.workers),
      pending_from_(options.started) {}

bool Ledger::stalled(std::size_t poller, const LedgerReading& now) const {
    return now.pollers[poller].stalls != last_.pollers[poller].stalls ||
           now.ticks > now.pollers[poller].heartbeat + options_.stall_ticks;
}

PortChange Ledger::change_of(std::size_t port, const LedgerReading& now) const {
    const PortReading& before = last_.ports[port];
    const PortReading& after = now.ports[port];
    PortChange change;
    change.lost = after.lost() - before.lost();
    change.refused = after.forward_refused - before.forward_refused;
    change.link_changes = after.link.changes - before.link.changes;
    change.link_down = !after.link.up;
    change.restarted = after.device.restarts != before.device.restarts;
    for (std::size_t i = 0; i < now.pollers.size(); ++i) {
        change.stalled = change.stalled || stalled(i, now);
    }
    return change;
}

CaptureFaults Ledger::faults_of(std::size_t port, std::uint32_t worker, const PortChange& change,
                                const LedgerReading& now) const {
    const PortReading& before = last_.ports[port];
    const PortReading& after = now.ports[port];
    // What the device lost could have gone to any worker; a full ring is one worker's own.
    bool loses = after.device.lost() != before.device.lost();
    if (options_.dispatching) {
        loses = loses || after.ring_full_by_worker[worker] != before.ring_full_by_worker[worker];
    }
    const bool doubtful = after.device[Stage::kernel_drop] != before.device[Stage::kernel_drop];
    const bool uncounted = after.device.any_hidden() || change.restarted || doubtful;
    const bool link = change.link_changes != 0 || change.link_down;
    CaptureFaults faults;
    faults |= loses ? CaptureFault::loss : CaptureFaults{};
    faults |= uncounted ? CaptureFault::uncounted : CaptureFaults{};
    faults |= link ? CaptureFault::link : CaptureFaults{};
    faults |= stalled(poller_of(worker), now) ? CaptureFault::stall : CaptureFaults{};
    faults |= change.refused != 0 ? CaptureFault::forward : CaptureFaults{};
    return faults;
}

void Ledger::close(LedgerReading reading) {
    changes_.clear();
    std::vector<Faults> found(options_.workers);
    bool marked = false;
    for (std::size_t port = 0; port < reading.ports.size(); ++port) {
        changes_.push_back(change_of(port, reading));
        const std::uint8_t tap = reading.ports[port].tap;
        for (std::uint32_t worker = 0; worker < options_.workers; ++worker) {
            Backlog& backlog = backlogs_[port][worker];
            const CaptureFaults faults = faults_of(port, worker, changes_.back(), reading);
            const CaptureFaults earlier = backlog.faults;
            const bool emptied =
                reading.pollers[poller_of(worker)].emptied[port] > backlog.since_ticks;
            if (!faults.empty()) {
                backlog.faults = emptied ? faults : faults | earlier;
                backlog.since_ticks = reading.ticks;
            } else if (emptied) {
                backlog.faults = {};
            }
            found[worker][tap] |= faults | earlier;
            // What nobody counts is no event; it is said of the port, once.
            marked = marked || !(faults == CaptureFaults{} || faults == CaptureFault::uncounted);
        }
    }
    marks_.assign(options_.workers, CaptureMark{});
    for (std::uint32_t worker = 0; worker < options_.workers; ++worker) {
        CaptureMark& mark = marks_[worker];
        mark.from = pending_from_;
        mark.until = last_.time;
        for (std::size_t tap = 0; tap < kTapsMax; ++tap) {
            mark.faults[tap] = pending_[worker][tap] | found[worker][tap];
        }
    }
    pending_ = std::move(found);
    pending_from_ = last_.time;
    worst_unaccounted_ =
        std::max(worst_unaccounted_, static_cast<std::uint64_t>(std::abs(reading.unaccounted())));
    ++intervals_;
    marked_intervals_ += marked ? 1 : 0;
    last_ = std::move(reading);
}

std::vector<CaptureMark> Ledger::rest() const {
    std::vector<CaptureMark> marks(options_.workers);
    for (std::uint32_t worker = 0; worker < options_.workers; ++worker) {
        marks[worker].from = pending_from_;
        marks[worker].until = INT64_MAX;
        marks[worker].faults = pending_[worker];
    }
    return marks;
}

}  // namespace tw::dpdk
