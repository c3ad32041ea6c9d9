// SPDX-License-Identifier: BSD-3-Clause
// What a firewall run does last, offline and live alike: limits that were reached, the comparison
// with an earlier report.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "core/stats/counters.hpp"
#include "firewall/differences.hpp"
#include "firewall/investigation.hpp"

namespace tw::app {

// Tells of each limit of one engine that was reached: something was not followed.
void add_limits(firewall::Investigation& investigation, const stats::Counters& counters);

// The report at `path`, empty for "". Read before outputs are opened: one of them may be the same
// file, and an error at the end would cost the report.
[[nodiscard]] std::expected<std::optional<firewall::EarlierReport>, Error> earlier_report(
    const std::string& path);

}  // namespace tw::app
