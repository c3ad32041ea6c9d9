// SPDX-License-Identifier: BSD-3-Clause
#include "app/live_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

using sinks::format::count_of;
using sinks::format::count_text;
using sinks::format::duration_text;
using stats::Counter;

struct Sums {
    std::uint64_t received = 0;
    std::uint64_t analysed = 0;
    std::uint64_t ring_full = 0;
    std::uint64_t missed = 0;
    std::uint64_t errors = 0;
    std::uint64_t no_mbuf = 0;
    std::uint64_t lost = 0;
    bool missed_known = true;
};

[[nodiscard]] Sums sum(const LiveTotals& totals) {
    Sums sums;
    for (const PortTotals& port : totals.ports) {
        sums.received += port.nic.received;
        sums.analysed += port.analysed;
        sums.ring_full += port.ring_full;
        sums.missed += port.nic.missed;
        sums.errors += port.nic.errors;
        sums.no_mbuf += port.nic.no_mbuf;
        sums.lost += port.lost();
        sums.missed_known = sums.missed_known && port.nic.missed_known;
    }
    return sums;
}

[[nodiscard]] std::string missed_text(const dpdk::PortCounters& nic) {
    return nic.missed_known ? count_text(nic.missed) : "not told by the driver";
}

// "1.23 Mpps", "45 pps"
[[nodiscard]] std::string rate_text(std::uint64_t frames, Nanos elapsed) {
    const double seconds = static_cast<double>(std::max<Nanos>(elapsed, 1)) / 1e9;
    const double rate = static_cast<double>(frames) / seconds;
    if (rate >= 1e5) {
        return fmt::format("{:.2f} Mpps", rate / 1e6);
    }
    return fmt::format("{:.0f} pps", rate);
}

// Counters of one group ("flow.") that are not zero, without the group's name.
[[nodiscard]] std::string group_text(const CounterSums& counters, std::string_view group) {
    std::string text;
    for (const stats::CounterInfo& info : stats::counter_table()) {
        const std::uint64_t count = counters.get(info.id);
        if (count != 0 && info.name.starts_with(group)) {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", info.name.substr(group.size()),
                                count_text(count));
        }
    }
    return text;
}

[[nodiscard]] std::string port_text(const PortTotals& port) {
    return fmt::format(
        "port {} ({}): received {} = analysed {} + no room in a worker's ring {} + left in the "
        "receive queues {}; never received: missed {}, broken {}, without buffer {}",
        port.name, port.driver, count_of(port.nic.received, "frame"), count_text(port.analysed),
        count_text(port.ring_full), count_text(port.queued()), missed_text(port.nic),
        count_text(port.nic.errors), count_text(port.nic.no_mbuf));
}

}  // namespace

std::uint64_t PortTotals::lost() const {
    return nic.missed + (nic.no_mbuf_is_loss ? nic.no_mbuf : 0) + ring_full;
}

std::string interval_text(const LiveTotals& now, const LiveTotals& before, Nanos elapsed) {
    const Sums sums = sum(now);
    const auto grown = [&](Counter counter) {
        return now.counters.get(counter) - before.counters.get(counter);
    };
    const std::uint64_t frames = grown(Counter::frames);
    return fmt::format(
        "{} analysed, {} ({}, {:.2f} Mbit/s), {}; {} live, {} new; {}; dropped so far: missed {}, "
        "no ring room {}; without buffer {}, broken {}{}",
        count_of(now.counters.get(Counter::frames), "frame"), count_of(frames, "new", "new"),
        rate_text(frames, elapsed),
        static_cast<double>(grown(Counter::frame_bytes)) * 8e3 /
            static_cast<double>(std::max<Nanos>(elapsed, 1)),
        count_of(grown(Counter::decoded_segments), "segment"),
        count_of(now.live_flows, "connection"), count_text(grown(Counter::flows_created)),
        count_of(grown(Counter::events_emitted), "event"),
        sums.missed_known ? count_text(sums.missed) : count_text(sums.missed) + " or more",
        count_text(sums.ring_full), count_text(sums.no_mbuf), count_text(sums.errors),
        now.counters.get(Counter::events_dropped) == 0
            ? ""
            : fmt::format(", events lost {}",
                          count_text(now.counters.get(Counter::events_dropped))));
}

std::vector<std::string> final_text(const LiveTotals& totals, Nanos duration) {
    std::vector<std::string> lines;
    lines.push_back(fmt::format("final report after {}", duration_text(duration)));
    for (const PortTotals& port : totals.ports) {
        lines.push_back(port_text(port));
    }
    const Sums sums = sum(totals);
    const std::uint64_t frames = totals.counters.get(Counter::frames);
    lines.push_back(fmt::format("all ports: received {}, analysed {}, lost by the capture {}{}",
                                count_of(sums.received, "frame"), count_text(frames),
                                count_text(sums.lost), sums.missed_known ? "" : " or more"));
    for (const std::string_view group : {"decode.", "flow.", "tcp.", "event."}) {
        const std::string text = group_text(totals.counters, group);
        if (!text.empty()) {
            lines.push_back(fmt::format("{}: {}", group.substr(0, group.size() - 1), text));
        }
    }
    // What was taken from a queue is in an analysis, in a ring, or was dropped by name.
    for (const PortTotals& port : totals.ports) {
        if (port.taken != port.analysed + port.ring_full) {
            lines.push_back(
                fmt::format("port {}: {} unaccounted for: taken {}, analysed {}, no "
                            "ring room {}",
                            port.name, port.taken - port.analysed - port.ring_full, port.taken,
                            port.analysed, port.ring_full));
        }
    }
    return lines;
}

}  // namespace tw::app
