// SPDX-License-Identifier: BSD-3-Clause
#include "app/live_bridge.hpp"

#include <fmt/format.h>

#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

using sinks::format::count_of;
using sinks::format::count_text;
using sinks::format::duration_text;

// "1.2 us (half), 3.4 us (99 %), 110 us (all)"
[[nodiscard]] std::string times_text(const dpdk::TickReading& reading, double nanos_per_tick) {
    const auto text = [nanos_per_tick](std::uint64_t ticks) {
        return duration_text(static_cast<Nanos>(static_cast<double>(ticks) * nanos_per_tick));
    };
    return fmt::format("{} (half), {} (99 %), {} (all)", text(reading.at_most(0.5)),
                       text(reading.at_most(0.99)), text(reading.longest));
}

[[nodiscard]] std::string latency_text(const dpdk::TickReading& forwarding,
                                       const dpdk::TickReading& waiting, double nanos_per_tick) {
    return fmt::format("bursts were sent on within {}; their frames had waited at most {}",
                       times_text(forwarding, nanos_per_tick), times_text(waiting, nanos_per_tick));
}

}  // namespace

BridgeTotals bridge_totals(const dpdk::Port& from, const dpdk::Port& to,
                           const dpdk::BridgeCounts& counts, std::uint64_t taken,
                           std::uint64_t ticks_per_second) {
    BridgeTotals totals;
    totals.from = from.name();
    totals.to = to.name();
    totals.taken = taken;
    totals.forwarded = counts.forwarded.get();
    totals.refused = counts.refused.get();
    totals.cut = counts.cut.get();
    totals.lost_sending = to.transmit_lost();
    totals.forwarding = counts.forwarding.reading();
    totals.waiting = counts.waiting.reading();
    totals.nanos_per_tick = 1e9 / static_cast<double>(ticks_per_second);
    return totals;
}

std::vector<std::string> bridge_interval_text(std::span<const BridgeTotals> now,
                                              std::span<const BridgeTotals> before) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < now.size() && i < before.size(); ++i) {
        const BridgeTotals& one = now[i];
        const std::uint64_t forwarded = one.forwarded - before[i].forwarded;
        const dpdk::TickReading forwarding = one.forwarding.since(before[i].forwarding);
        const dpdk::TickReading waiting = one.waiting.since(before[i].waiting);
        lines.push_back(fmt::format(
            "inline {} -> {}: {} sent on{}; dropped from the line so far: no room {}, cut {}, lost "
            "in sending {}",
            one.from, one.to, count_of(forwarded, "frame"),
            forwarded == 0 ? "" : "; " + latency_text(forwarding, waiting, one.nanos_per_tick),
            count_text(one.refused), count_text(one.cut), count_text(one.lost_sending)));
    }
    return lines;
}

std::vector<std::string> bridge_final_text(std::span<const BridgeTotals> totals) {
    std::vector<std::string> lines;
    for (const BridgeTotals& one : totals) {
        lines.push_back(fmt::format(
            "inline {} -> {}: taken {} = sent on {} + no room in the transmit queue {} + not here "
            "whole {}; lost in sending {}",
            one.from, one.to, count_of(one.taken, "frame"), count_text(one.forwarded),
            count_text(one.refused), count_text(one.cut), count_text(one.lost_sending)));
        if (one.taken != one.forwarded + one.refused + one.cut) {
            lines.push_back(fmt::format("inline {} -> {}: {} frames unaccounted for", one.from,
                                        one.to, one.taken - one.forwarded - one.refused - one.cut));
        }
        if (one.taken != 0) {
            lines.push_back(
                fmt::format("inline {} -> {}: {}", one.from, one.to,
                            latency_text(one.forwarding, one.waiting, one.nanos_per_tick)));
        }
    }
    return lines;
}

}  // namespace tw::app
