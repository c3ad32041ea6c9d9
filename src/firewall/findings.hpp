// SPDX-License-Identifier: BSD-3-Clause
// Many cases to few findings: one per behaviour (and per lesson), the gravest first, each with its
// numbers, its scope, up to three cases shown in full, and how likely it is to be wrong.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/taps/conversation.hpp"
#include "firewall/classify.hpp"
#include "firewall/excerpts.hpp"
#include "firewall/finding.hpp"
#include "firewall/learn.hpp"
#include "firewall/report.hpp"

namespace tw::firewall {

struct FindingsInput {
    const Cases& cases;
    std::span<const Told> told;  // one per case
    const Lessons& lessons;
    const Excerpts& excerpts;
    const Confidence& confidence;
    const Totals& totals;
};

// What becomes one finding, before it has words.
struct Group {
    Behaviour behaviour = Behaviour::packet_dropped;
    bool expected = false;
    const Lesson* lesson = nullptr;
    std::vector<std::uint32_t> cases;                      // indexes, in order of time
    std::vector<const taps::Conversation*> conversations;  // those whose traits show it
    std::vector<const RewriteRow*> rewrites;               // those of the headers
    std::vector<taps::Grade> grades;                       // of conversations
};

[[nodiscard]] std::vector<Finding> make_findings(const FindingsInput& input);

}  // namespace tw::firewall
