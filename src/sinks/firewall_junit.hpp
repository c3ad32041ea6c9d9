// SPDX-License-Identifier: BSD-3-Clause
// The policy run as JUnit XML, which Jenkins, GitLab and Azure DevOps read: one test case per rule,
// per limit and per check of the whole run. FAIL is a <failure> with its first evidence,
// INCONCLUSIVE an <error>, UNTESTED <skipped>.
#pragma once

#include <string>

#include "firewall/report.hpp"

namespace tw::sinks {

[[nodiscard]] std::string firewall_junit(const firewall::Report& report);

}  // namespace tw::sinks
