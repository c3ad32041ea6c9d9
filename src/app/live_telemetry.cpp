// SPDX-License-Identifier: BSD-3-Clause
#include "app/live_telemetry.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

#include "capture/dpdk/stages.hpp"

namespace tw::app {
namespace {

using dpdk::PortReading;
using dpdk::Stage;
using dpdk::TelemetryAnswer;

constexpr std::string_view kLedger = "/tapwitness/ledger";
constexpr std::string_view kPorts = "/tapwitness/ports";
constexpr std::string_view kPort = "/tapwitness/port";
constexpr std::string_view kWorker = "/tapwitness/worker";
constexpr std::string_view kCounters = "/tapwitness/counters";

constexpr dpdk::TelemetryCommand kCommands[] = {
    {kLedger, "Returns the sums over all ports: received, analysed, lost, unaccounted."},
    {kPorts, "Returns each port and the driver behind it."},
    {kPort, "Returns where the frames of a port went. Parameter: its name"},
    {kWorker, "Returns what a worker has done. Parameter: its number, from 0"},
    {kCounters, "Returns the sums of all workers' counters, as in `tapwitness list counters`."},
};

[[nodiscard]] TelemetryAnswer ledger_answer(const LiveTotals& totals) {
    std::uint64_t received = 0;
    std::uint64_t analysed = 0;
    std::uint64_t lost = 0;
    for (const PortReading& port : totals.ledger.ports) {
        received += port.device[Stage::received];
        analysed += port.analysed;
        lost += port.lost();
    }
    const std::int64_t open = totals.ledger.unaccounted();
    return {{"time_ns", static_cast<std::uint64_t>(totals.ledger.time)},
            {"received", received},
            {"analysed", analysed},
            {"lost", lost},
            {"in_rings", totals.ledger.in_rings},
            // A number read while frames move may lie on either side of zero.
            {"unaccounted", static_cast<std::uint64_t>(std::llabs(open))},
            {"moved_while_read", totals.ledger.moved},
            {"intervals", totals.intervals},
            {"intervals_marked", totals.marked_intervals},
            {"connections", totals.live_flows}};
}

[[nodiscard]] TelemetryAnswer ports_answer(const LiveTotals& totals) {
    TelemetryAnswer answer;
    for (const PortReading& port : totals.ledger.ports) {
        answer.emplace_back(port.name, port.driver);
    }
    return answer;
}

[[nodiscard]] TelemetryAnswer port_answer(const LiveTotals& totals, std::string_view name) {
    for (const PortReading& port : totals.ledger.ports) {
        if (port.name != name) {
            continue;
        }
        TelemetryAnswer answer{{"driver", port.driver},
                               {"link", dpdk::link_text(port.link)},
                               {"link_changes", port.link.changes},
                               {"analysed", port.analysed},
                               {"queued", port.queued},
                               {"lost", port.lost()}};
        for (const dpdk::StageInfo& stage : dpdk::stage_table()) {
            const auto i = static_cast<std::size_t>(stage.id);
            // "port." is said by the command.
            const std::string key(stage.name.substr(stage.name.find('.') + 1));
            if (port.device.counted[i]) {
                answer.emplace_back(key, port.device.count[i]);
            } else if (port.device.hidden[i]) {
                answer.emplace_back(key, "counted by nobody");
            }
        }
        if (!port.ring_full_by_worker.empty()) {
            answer.emplace_back("ring_full", port.ring_full());
        }
        for (std::size_t i = 0; i < port.taken_by_queue.size(); ++i) {
            answer.emplace_back(fmt::format("queue_{}", i), port.taken_by_queue[i]);
        }
        return answer;
    }
    return {};
}

[[nodiscard]] TelemetryAnswer worker_answer(const LiveTotals& totals, std::string_view number) {
    std::size_t index = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), index);
    if (read.ec != std::errc{} || read.ptr != number.data() + number.size() ||
        index >= totals.workers.size()) {
        return {};
    }
    const WorkerTotals& worker = totals.workers[index];
    const auto microseconds =
        static_cast<std::uint64_t>(static_cast<double>(worker.longest_stall) /
                                   static_cast<double>(totals.ticks_per_second) * 1e6);
    return {{"frames", worker.frames},           {"bursts", worker.bursts},
            {"full_bursts", worker.full_bursts}, {"connections", worker.live_flows},
            {"stalls", worker.stalls},           {"longest_stall_us", microseconds}};
}

[[nodiscard]] TelemetryAnswer counters_answer(const LiveTotals& totals) {
    TelemetryAnswer answer;
    for (const stats::CounterInfo& counter : stats::counter_table()) {
        answer.emplace_back(counter.name, totals.counters.get(counter.id));
    }
    return answer;
}

}  // namespace

std::span<const dpdk::TelemetryCommand> telemetry_commands() {
    return kCommands;
}

TelemetryAnswer LiveTelemetry::answer(std::string_view path, std::string_view parameter) const {
    const auto totals = snapshot_.get();
    if (!totals) {
        return {};
    }
    if (path == kLedger) {
        return ledger_answer(*totals);
    }
    if (path == kPorts) {
        return ports_answer(*totals);
    }
    if (path == kPort) {
        return port_answer(*totals, parameter);
    }
    if (path == kWorker) {
        return worker_answer(*totals, parameter);
    }
    return path == kCounters ? counters_answer(*totals) : TelemetryAnswer{};
}

}  // namespace tw::app
