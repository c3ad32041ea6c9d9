// SPDX-License-Identifier: BSD-3-Clause
// The report about a firewall for a terminal: the answer first, then whether the capture can carry
// it, the policy, the findings with their packets, and what was learnt.
#pragma once

#include <string>

#include "firewall/report.hpp"
#include "sinks/format/page.hpp"

namespace tw::sinks {

[[nodiscard]] std::string firewall_text(const firewall::Report& report,
                                        const format::PageStyle& style);

}  // namespace tw::sinks
