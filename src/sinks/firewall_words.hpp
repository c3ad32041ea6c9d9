// SPDX-License-Identifier: BSD-3-Clause
// Phrases that the reports about a firewall share: who, which packets, how sure.
#pragma once

#include <array>
#include <string>

#include "core/taps/conversation.hpp"
#include "core/taps/fact.hpp"
#include "firewall/report.hpp"

namespace tw::sinks {

// "10.0.0.5:51000 -> 192.0.2.80:443": each end as the tap on its own side sees it.
[[nodiscard]] std::string flow_text(const std::array<flow::Endpoint, taps::kSides>& client,
                                    const std::array<flow::Endpoint, taps::kSides>& server,
                                    taps::Side client_side);
// "outside 12, 15; inside 14": frames, or times where frames have no numbers; "" without any.
[[nodiscard]] std::string cites_text(const taps::Fact& fact);
// One line: the sentence, which says whose, and all its packets.
[[nodiscard]] std::string evidence_text(const firewall::Evidence& evidence);
// Whose, when, what became of it, and its first packet at each tap.
[[nodiscard]] std::string example_text(const taps::Conversation& conversation);
// "PASS", "FAIL", "UNTESTED", "INCONCLUSIVE".
[[nodiscard]] std::string_view result_text(firewall::RowResult result);
// The finding of this id; nullptr if the report has none.
[[nodiscard]] const firewall::Finding* find_finding(const firewall::Report& report,
                                                    std::uint32_t id);
// What contradicts a rule, at most three: its connections, then what its findings show.
[[nodiscard]] std::vector<std::string> first_evidence(const firewall::Report& report,
                                                      const firewall::PolicyRow& row);

}  // namespace tw::sinks
