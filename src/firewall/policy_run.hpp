// SPDX-License-Identifier: BSD-3-Clause
// The traffic held against a policy: each connection against the first rule that fits it, each rule
// and limit to PASS, FAIL, UNTESTED or INCONCLUSIVE, and all of it to the exit code. What is not
// proven never fails a rule, and what nobody saw never passes one.
#pragma once

#include <span>

#include "core/taps/conversation.hpp"
#include "core/taps/passage.hpp"
#include "firewall/learn.hpp"
#include "firewall/policy.hpp"
#include "firewall/report.hpp"

namespace tw::firewall {

struct PolicyRun {
    const Policy& policy;
    std::span<const taps::Conversation> conversations;
    std::span<const Case> cases;  // with the behaviour that is finally told, each told once
    // All of them, those that another one tells included: what proves that an attempt was stopped.
    std::span<const Case> settled;
    const taps::Passage& passage;
};

// Fills Report::policy, exit_code and why_exit, and puts the answer before Report::verdict. Reads
// confidence, findings and latencies, which are there already.
void run_policy(const PolicyRun& run, Report& report);

}  // namespace tw::firewall
