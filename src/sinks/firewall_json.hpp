// SPDX-License-Identifier: BSD-3-Clause
// The whole report as one JSON document, for programs and for comparing two runs. Its keys are the
// README's table; the schema's number grows when one changes its meaning or goes away.
#pragma once

#include <string>

#include "firewall/report.hpp"
#include "sinks/firewall_fact_json.hpp"

namespace tw::sinks {

[[nodiscard]] std::string firewall_json(const firewall::Report& report);

}  // namespace tw::sinks
