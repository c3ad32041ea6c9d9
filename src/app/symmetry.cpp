// SPDX-License-Identifier: BSD-3-Clause
#include "app/symmetry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sinks/format/human.hpp"

namespace tw::app {

using sinks::format::count_of;
using sinks::format::count_text;
using stats::Counter;

std::string one_sided_text(const LiveTotals& totals) {
    // Scans and lost answers make some of these anywhere; of a hundred connections five.
    constexpr std::uint64_t kFewest = 10;
    constexpr std::uint64_t kShareDivisor = 20;
    const std::uint64_t one_sided = totals.counters.get(Counter::flows_one_sided);
    const std::uint64_t ended = totals.counters.get(Counter::flow_records_emitted) +
                                totals.counters.get(Counter::flow_records_dropped);
    if (one_sided < kFewest || one_sided < ended / kShareDivisor) {
        return {};
    }
    std::uint64_t elsewhere = 0;
    std::uint64_t checked = 0;
    for (const RssTotals& rss : totals.rss) {
        elsewhere += rss.elsewhere;
        checked += rss.checked;
    }
    return fmt::format(
        "{} of {} that ended were seen in one direction only ({} %): a mirror of one direction, a "
        "TAP cable missing, or paths that differ by direction{}",
        count_text(one_sided), count_of(ended, "connection"),
        one_sided * 100 / std::max<std::uint64_t>(ended, 1),
        elsewhere != 0 ? "; or the RSS of the NIC, see there"
        : checked != 0 ? "; not the RSS of the NIC, whose samples came as they should"
                       : "");
}

std::string rss_text(const RssTotals& rss) {
    if (rss.checked == 0) {
        return {};
    }
    if (rss.elsewhere == 0) {
        return fmt::format("port {}: RSS as set up: {} came by the right queue", rss.port,
                           count_of(rss.checked, "sampled frame"));
    }
    return fmt::format(
        "port {}: RSS not as set up: {} of {} came by another queue, so the directions of "
        "connections may be on different workers; use workers.distribution: dispatcher",
        rss.port, count_text(rss.elsewhere), count_of(rss.checked, "sampled frame"));
}

}  // namespace tw::app
