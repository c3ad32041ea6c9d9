// SPDX-License-Identifier: BSD-3-Clause
#include "app/live_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "app/symmetry.hpp"
#include "sinks/format/human.hpp"
#include "sinks/run_verdicts.hpp"

namespace tw::app {
namespace {

using sinks::format::count_of;
using sinks::format::count_text;
using sinks::format::duration_text;
using stats::Counter;

using dpdk::LedgerReading;
using dpdk::PortReading;
using dpdk::Stage;

struct Sums {
    std::uint64_t received = 0;
    std::uint64_t analysed = 0;
    std::uint64_t lost = 0;
    bool hidden = false;
};

[[nodiscard]] Sums sum(const LedgerReading& ledger) {
    Sums sums;
    for (const PortReading& port : ledger.ports) {
        sums.received += port.device[Stage::received];
        sums.analysed += port.analysed;
        sums.lost += port.lost();
        sums.hidden = sums.hidden || port.device.any_hidden();
    }
    return sums;
}

// "12", "12 or more": a driver hides some.
[[nodiscard]] std::string lost_text(const Sums& sums) {
    return count_text(sums.lost) + (sums.hidden ? " or more" : "");
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

void add_part(std::string& text, const std::string& part) {
    text += text.empty() ? "" : ", ";
    text += part;
}

// Where the frames went that the device handed over. It adds up: what is missing is named too.
[[nodiscard]] std::string received_text(const PortReading& port) {
    std::string text =
        fmt::format("port {} ({}): received {} = analysed {}", port.name, port.driver,
                    count_of(port.device[Stage::received], "frame"), count_text(port.analysed));
    if (!port.ring_full_by_worker.empty()) {
        text +=
            fmt::format(" + {} {}", info_of(Stage::ring_full).words, count_text(port.ring_full()));
    }
    text += fmt::format(" + left in the receive queues {}", count_text(port.queued));
    const std::int64_t open =
        port.unaccounted() +
        static_cast<std::int64_t>(port.taken() - port.ring_full() - port.analysed);
    return open == 0 ? text : text + fmt::format(" + unaccounted for {}", open);
}

// What the device never handed over, each stage with its count, or that nobody counts it.
[[nodiscard]] std::string not_received_text(const PortReading& port) {
    std::string counted;
    std::string hidden;
    std::string retried;
    for (const dpdk::StageInfo& stage : dpdk::stage_table()) {
        const auto i = static_cast<std::size_t>(stage.id);
        if (stage.id == Stage::received) {
            continue;
        }
        if (port.device.loses[i]) {
            add_part(counted, fmt::format("{} {}", stage.words, count_text(port.device.count[i])));
        } else if (port.device.hidden[i]) {
            add_part(hidden, std::string(stage.words));
        } else if (port.device.counted[i] && port.device.count[i] != 0) {
            add_part(retried, fmt::format("{} {}", stage.words, count_text(port.device.count[i])));
        }
    }
    std::string text =
        fmt::format("port {}: never received: {}", port.name,
                    counted.empty() ? "nothing can be lost before us, the sender waits" : counted);
    text += hidden.empty() ? "" : fmt::format("; counted by nobody: {}", hidden);
    text += retried.empty() ? "" : fmt::format("; nothing lost by it: {}", retried);
    if (port.device.kernel_waiting != 0) {
        text += fmt::format("; left in the socket {}", count_text(port.device.kernel_waiting));
    }
    return text;
}

[[nodiscard]] std::string link_line(const PortReading& port) {
    return fmt::format("port {}: link {}, changed {}", port.name, dpdk::link_text(port.link),
                       count_of(port.link.changes, "time"));
}

[[nodiscard]] std::string queues_line(const PortReading& port) {
    std::string queues;
    for (const std::uint64_t frames : port.taken_by_queue) {
        queues += (queues.empty() ? "" : " + ") + count_text(frames);
    }
    return fmt::format("port {}: by queue {}", port.name, queues);
}

[[nodiscard]] std::vector<std::string> port_lines(const PortReading& port) {
    std::vector<std::string> lines{received_text(port), not_received_text(port)};
    if (port.taken_by_queue.size() > 1) {
        lines.push_back(queues_line(port));
    }
    if (port.link.changes != 0 || !port.link.up) {
        lines.push_back(link_line(port));
    }
    return lines;
}

[[nodiscard]] std::string stalls_text(const LiveTotals& totals) {
    std::uint64_t stalls = 0;
    std::uint64_t longest = 0;
    for (const dpdk::PollerReading& poller : totals.ledger.pollers) {
        stalls += poller.stalls;
        longest = std::max(longest, poller.longest_stall);
    }
    if (stalls == 0) {
        return "";
    }
    const double seconds =
        static_cast<double>(longest) / static_cast<double>(totals.ticks_per_second);
    return fmt::format("; polling stood still {}, {} at the longest", count_of(stalls, "time"),
                       duration_text(static_cast<Nanos>(seconds * 1e9)));
}

[[nodiscard]] std::string ledger_line(const LiveTotals& totals) {
    const Sums sums = sum(totals.ledger);
    const std::int64_t open = totals.ledger.unaccounted();
    return fmt::format(
        "all ports: received {}, analysed {}, lost by the capture {}, unaccounted for {} (never "
        "more than {} between two readings); {} of {} marked{}",
        count_of(sums.received, "frame"), count_text(sums.analysed), lost_text(sums), open,
        count_text(totals.worst_unaccounted), count_text(totals.marked_intervals),
        count_of(totals.intervals, "interval"), stalls_text(totals));
}

}  // namespace

std::string loss_text(const PortReading& port) {
    std::string text;
    for (const dpdk::StageInfo& stage : dpdk::stage_table()) {
        const auto i = static_cast<std::size_t>(stage.id);
        if (port.device.loses[i] && port.device.count[i] != 0) {
            add_part(text, fmt::format("{} {}", stage.words, count_text(port.device.count[i])));
        }
    }
    if (port.ring_full() != 0) {
        add_part(text, fmt::format("{} {}", info_of(Stage::ring_full).words,
                                   count_text(port.ring_full())));
    }
    return text;
}

std::string interval_text(const LiveTotals& now, const LiveTotals& before, Nanos elapsed) {
    const Sums sums = sum(now.ledger);
    const auto grown = [&](Counter counter) {
        return now.counters.get(counter) - before.counters.get(counter);
    };
    const std::uint64_t frames = grown(Counter::frames);
    std::string losses;
    for (const PortReading& port : now.ledger.ports) {
        if (const std::string text = loss_text(port); !text.empty()) {
            losses += fmt::format("{}{}: {}", losses.empty() ? " (" : "; ", port.name, text);
        }
    }
    losses += losses.empty() ? "" : ")";
    const std::uint64_t events_lost = now.counters.get(Counter::events_dropped);
    return fmt::format(
        "{} analysed, {} ({}, {:.2f} Mbit/s), {}; {} live, {} new; {}; lost by the capture so far: "
        "{}{}{}",
        count_of(now.counters.get(Counter::frames), "frame"), count_of(frames, "new", "new"),
        rate_text(frames, elapsed),
        static_cast<double>(grown(Counter::frame_bytes)) * 8e3 /
            static_cast<double>(std::max<Nanos>(elapsed, 1)),
        count_of(grown(Counter::decoded_segments), "segment"),
        count_of(now.live_flows, "connection"), count_text(grown(Counter::flows_created)),
        count_of(grown(Counter::events_emitted), "event"), lost_text(sums), losses,
        events_lost == 0 ? "" : fmt::format(", events lost {}", count_text(events_lost)));
}

std::vector<std::string> final_text(const LiveTotals& totals, Nanos duration) {
    std::vector<std::string> lines;
    lines.push_back(fmt::format("final report after {}", duration_text(duration)));
    for (const PortReading& port : totals.ledger.ports) {
        for (std::string& line : port_lines(port)) {
            lines.push_back(std::move(line));
        }
    }
    lines.push_back(ledger_line(totals));
    for (const std::string_view group : {"decode.", "flow.", "tcp.", "flag.", "event."}) {
        const std::string text = group_text(totals.counters, group);
        if (!text.empty()) {
            lines.push_back(fmt::format("{}: {}", group.substr(0, group.size() - 1), text));
        }
    }
    for (const RssTotals& rss : totals.rss) {
        if (std::string text = rss_text(rss); !text.empty()) {
            lines.push_back(std::move(text));
        }
    }
    if (std::string one_sided = one_sided_text(totals); !one_sided.empty()) {
        lines.push_back(std::move(one_sided));
    }
    return lines;
}

std::vector<std::string> verdicts_text(const verdict::Settler& settler) {
    std::array<std::uint64_t, event::kVerdicts> counts{};
    for (const event::VerdictInfo& info : event::verdict_table()) {
        counts[static_cast<std::size_t>(info.id)] = settler.count(info.id);
    }
    return sinks::verdict_lines(sinks::run_verdicts(settler), counts);
}

}  // namespace tw::app
