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
// "3 cases (2 proven, 1 probable), 2 connections, 12:00:01 to 12:00:09, cost 1.20 s"
[[nodiscard]] std::string extent_text(const firewall::Finding& finding);
// Proven, not what the policy wants, and costs packets or connections.
[[nodiscard]] bool is_grave(const firewall::Finding& finding);
// A share of all, 0..1, that is measured: "0 %", "below 0.001 %", "1.25 %".
[[nodiscard]] std::string share_text(double share);
// "14 connections in 2.52 s, 14 seen at both taps, at most 8 at once"
[[nodiscard]] std::string seen_text(const firewall::Report& report);
// "one clock", "inside less outside 1.2 ms, estimated and corrected; …"
[[nodiscard]] std::string clock_words(const firewall::Confidence& confidence);
// Where there are no findings, why.
[[nodiscard]] std::string_view no_findings_text(const firewall::Report& report);
// "all drops are above 1400 bytes (precision 100 %, recall 100 %)"
[[nodiscard]] std::string explanation_text(const firewall::Explanation& explanation);
// A limit that nothing was seen for does not change the rule's result.
[[nodiscard]] bool has_untested_limit(const firewall::PolicyRow& row);
// "PASS", "FAIL", "UNTESTED", "INCONCLUSIVE".
[[nodiscard]] std::string_view result_text(firewall::RowResult result);
// The finding of this id; nullptr if the report has none.
[[nodiscard]] const firewall::Finding* find_finding(const firewall::Report& report,
                                                    std::uint32_t id);
// What contradicts a rule, at most three: its connections, then what its findings show.
[[nodiscard]] std::vector<std::string> first_evidence(const firewall::Report& report,
                                                      const firewall::PolicyRow& row);

}  // namespace tw::sinks
