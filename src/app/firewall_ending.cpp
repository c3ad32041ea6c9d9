// SPDX-License-Identifier: BSD-3-Clause
#include "app/firewall_ending.hpp"

#include <array>
#include <cstdint>
#include <utility>

#include "config/earlier_report.hpp"

namespace tw::app {
namespace {

using stats::Counter;

constexpr std::array kLimits{
    Counter::taps_late_full,
    Counter::taps_fragments_full,
    Counter::taps_evicted,
    Counter::taps_refused,
    Counter::taps_introductions_full,
    Counter::taps_hand_over_full,
    Counter::taps_in_flight_full,
    Counter::taps_facts_dropped,
    Counter::taps_records_dropped,
    Counter::evidence_opens_exhausted,
    Counter::evidence_losses_exhausted,
    Counter::evidence_strays_exhausted,
};

}  // namespace

void add_limits(firewall::Investigation& investigation, const stats::Counters& counters) {
    for (const Counter counter : kLimits) {
        if (const std::uint64_t count = counters.get(counter); count != 0) {
            investigation.add_limit(
                std::string(stats::counter_table()[static_cast<std::size_t>(counter)].name), count);
        }
    }
}

std::expected<std::optional<firewall::EarlierReport>, Error> earlier_report(
    const std::string& path) {
    if (path.empty()) {
        return std::nullopt;
    }
    auto earlier = config::load_earlier_report(path);
    if (!earlier) {
        return std::unexpected(std::move(earlier.error()));
    }
    return std::move(*earlier);
}

}  // namespace tw::app
