// SPDX-License-Identifier: BSD-3-Clause
// What a firewall run does last, offline and live alike: limits that were reached, the comparison
// with an earlier report.
#pragma once

#include <expected>
#include <string>

#include "base/error.hpp"
#include "core/stats/counters.hpp"
#include "firewall/investigation.hpp"
#include "firewall/report.hpp"

namespace tw::app {

// Tells of each limit of one engine that was reached: something was not followed.
void add_limits(firewall::Investigation& investigation, const stats::Counters& counters);

// Fills report.differences from the report at `path`; nothing for "".
[[nodiscard]] std::expected<void, Error> compare_with(const std::string& path,
                                                      firewall::Report& report);

}  // namespace tw::app
