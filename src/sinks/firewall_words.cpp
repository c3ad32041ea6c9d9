// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using format::count_of;
using format::count_text;
using format::duration_text;
using taps::Side;

[[nodiscard]] const flow::Endpoint& near(const std::array<flow::Endpoint, taps::kSides>& seen,
                                         Side side) {
    return seen[index(side)].port != 0 ? seen[index(side)] : seen[index(other(side))];
}

constexpr std::size_t kEvidenceShown = 3;

}  // namespace

std::string flow_text(const std::array<flow::Endpoint, taps::kSides>& client,
                      const std::array<flow::Endpoint, taps::kSides>& server, Side client_side) {
    return fmt::format("{} -> {}", format::endpoint_text(near(client, client_side)),
                       format::endpoint_text(near(server, other(client_side))));
}

std::string cites_text(const taps::Fact& fact) {
    std::string text;
    for (const Side side : {Side::outside, Side::inside}) {
        std::string numbers;
        for (const taps::Cite& cite : std::span(fact.cites).first(fact.cites_count)) {
            if (cite.tap == side) {
                numbers += numbers.empty() ? "" : ", ";
                numbers +=
                    cite.frame != 0 ? fmt::format("{}", cite.frame) : format::clock_text(cite.time);
            }
        }
        if (!numbers.empty()) {
            text += fmt::format("{}{} {}", text.empty() ? "" : "; ", name(side), numbers);
        }
    }
    return text;
}

std::string evidence_text(const firewall::Evidence& evidence) {
    const std::string cites = cites_text(evidence.fact);
    return cites.empty() ? evidence.sentence
                         : fmt::format("{} (frames: {})", evidence.sentence, cites);
}

std::string example_text(const taps::Conversation& conversation) {
    std::string frames;
    for (const Side side : {Side::outside, Side::inside}) {
        if (const std::uint64_t frame = conversation.first_frame[index(side)]; frame != 0) {
            frames += fmt::format("{}{} {}", frames.empty() ? "" : "; ", name(side), frame);
        }
    }
    return fmt::format(
        "{} at {}: {}{}",
        flow_text(conversation.client, conversation.server, conversation.client_side),
        format::clock_text(conversation.first), format::spoken(name(conversation.outcome)),
        frames.empty() ? "" : fmt::format(" (first frames: {})", frames));
}

std::string extent_text(const firewall::Finding& finding) {
    std::string text = count_of(finding.cases, "case");
    if (finding.proven != finding.cases && finding.proven + finding.probable != 0) {
        text += fmt::format(" ({} proven, {} probable)", count_text(finding.proven),
                            count_text(finding.probable));
    }
    text += fmt::format(", {}, {}", count_of(finding.conversations, "connection"),
                        format::clock_text(finding.first));
    if (finding.last != finding.first) {
        text += " to " + format::clock_text(finding.last);
    }
    if (finding.cost > 0) {
        text += fmt::format(", cost {}", duration_text(finding.cost));
    }
    return text;
}

bool is_grave(const firewall::Finding& finding) {
    using firewall::Weight;
    const Weight weight = firewall::info(finding.behaviour).weight;
    return (weight == Weight::drop || weight == Weight::harm) &&
           finding.grade == taps::Grade::proven && !finding.expected;
}

std::string share_text(double share) {
    return share == 0     ? "0 %"
           : share < 1e-5 ? "below 0.001 %"
                          : fmt::format("{:.3g} %", share * 100);
}

std::string seen_text(const firewall::Report& report) {
    const auto& totals = report.totals;
    return fmt::format(
        "{} in {}, {} seen at both taps{}{}, at most {} at once",
        count_of(totals.conversations, "connection"),
        duration_text(format::elapsed(report.first, report.last)), count_text(totals.paired),
        totals.translated == 0 ? std::string()
                               : fmt::format(" ({} translated)", count_text(totals.translated)),
        totals.ambiguous == 0
            ? std::string()
            : fmt::format(", {} proxied and too alike to be paired", count_text(totals.ambiguous)),
        count_text(totals.concurrent_max));
}

std::string clock_words(const firewall::Confidence& confidence) {
    std::string clock =
        confidence.clock_offset == 0
            ? std::string("one clock")
            : fmt::format("inside less outside {}, {}", duration_text(confidence.clock_offset),
                          confidence.clock_estimated ? "estimated and corrected" : "corrected");
    if (confidence.skew > 0) {
        clock += fmt::format("; times closer than {} prove no order",
                             duration_text(4 * confidence.skew));
    }
    return clock;
}

std::string_view no_findings_text(const firewall::Report& report) {
    return report.confidence.trust == firewall::Trust::unusable
               ? "none: the capture is not fit to judge by"
               : "none: all that entered left, as far as captured";
}

std::string explanation_text(const firewall::Explanation& explanation) {
    return fmt::format("{} (precision {:.0f} %, recall {:.0f} %)", explanation.sentence,
                       explanation.precision * 100, explanation.recall * 100);
}

bool has_untested_limit(const firewall::PolicyRow& row) {
    return std::any_of(row.limits.begin(), row.limits.end(), [](const auto& limit) {
        return limit.result == firewall::RowResult::untested;
    });
}

std::string_view result_text(firewall::RowResult result) {
    switch (result) {
        case firewall::RowResult::pass:
            return "PASS";
        case firewall::RowResult::fail:
            return "FAIL";
        case firewall::RowResult::untested:
            return "UNTESTED";
        case firewall::RowResult::inconclusive:
            return "INCONCLUSIVE";
    }
    return "";
}

const firewall::Finding* find_finding(const firewall::Report& report, std::uint32_t id) {
    const auto found = std::find_if(report.findings.begin(), report.findings.end(),
                                    [&](const auto& finding) { return finding.id == id; });
    return found == report.findings.end() ? nullptr : &*found;
}

std::vector<std::string> first_evidence(const firewall::Report& report,
                                        const firewall::PolicyRow& row) {
    std::vector<std::string> lines;
    for (const taps::Conversation& example : row.examples) {
        if (lines.size() < kEvidenceShown) {
            lines.push_back(example_text(example));
        }
    }
    for (const std::uint32_t id : row.findings) {
        const firewall::Finding* finding = find_finding(report, id);
        for (std::size_t i = 0; finding != nullptr && i < finding->evidence.size(); ++i) {
            if (lines.size() < kEvidenceShown) {
                lines.push_back(evidence_text(finding->evidence[i]));
            }
        }
    }
    return lines;
}

}  // namespace tw::sinks
