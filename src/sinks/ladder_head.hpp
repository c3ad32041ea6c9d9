// SPDX-License-Identifier: BSD-3-Clause
// What stands above and below a ladder: who, when, how the connection began, what was found; then
// what was lost where, and how to find it in Wireshark.
#pragma once

#include "sinks/format/page.hpp"
#include "sinks/ladder.hpp"
#include "sinks/ladder_plan.hpp"

namespace tw::sinks {

void write_ladder_head(format::Page& page, const LadderLog& log, const LadderSubject& subject);
void write_ladder_foot(format::Page& page, const LadderLog& log, const LadderSubject& subject,
                       const LadderPlan& plan, const LadderView& view);

}  // namespace tw::sinks
