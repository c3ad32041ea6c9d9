// SPDX-License-Identifier: BSD-3-Clause
// The rewrite inventory: what the firewall changes in packets it lets through, one row per way and
// kind, those the policy or routing itself ask for marked as expected.
#pragma once

#include "firewall/study.hpp"

namespace tw::firewall {

void list_rewrites(const Study& study, Lessons& lessons);

// "64 -> 63", as the kind of rewrite is best read; empty where values say nothing.
[[nodiscard]] std::string change_text(taps::Rewrite rewrite, const taps::RewriteCount& count);

}  // namespace tw::firewall
