// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

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
