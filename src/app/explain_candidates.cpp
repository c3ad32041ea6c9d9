// SPDX-License-Identifier: BSD-3-Clause
#include "app/explain_candidates.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

using sinks::format::count_text;

// A longer command (many files) is not written once more for each connection.
constexpr std::size_t kCommandMax = 100;

}  // namespace

std::uint64_t ExplainCandidates::Candidate::missing() const {
    return record.missing_bytes[0] + record.missing_bytes[1];
}

std::uint64_t ExplainCandidates::Candidate::repeats() const {
    const auto index = static_cast<std::size_t>(tcp::Flag::retransmission);
    return std::uint64_t{record.flags[0][index]} + record.flags[1][index];
}

// As `read` ranks them, then the largest.
bool ExplainCandidates::Candidate::better_than(const Candidate& other) const {
    const auto key = [](const Candidate& c) {
        return std::tuple(-c.fit, ~c.missing(), ~c.repeats(),
                          ~(c.record.packets[0] + c.record.packets[1]), c.record.flow.stream);
    };
    return key(*this) < key(other);
}

void ExplainCandidates::add(const event::Event& event) {
    const std::uint32_t stream = event.flow.stream;
    if (tallies_.size() >= kFollowedMax && !tallies_.contains(stream)) {
        return;
    }
    ++tallies_[stream][static_cast<std::size_t>(event.finding.verdict)];
}

void ExplainCandidates::add(const event::FlowRecord& record, int fit) {
    Candidate candidate{.fit = fit, .record = record};
    if (const auto tally = tallies_.find(record.flow.stream); tally != tallies_.end()) {
        candidate.verdicts = tally->second;
        tallies_.erase(tally);
    }
    const auto at = std::find_if(best_.begin(), best_.end(), [&](const Candidate& other) {
        return candidate.better_than(other);
    });
    best_.insert(at, candidate);
    if (best_.size() > kMax) {
        best_.pop_back();
    }
}

void ExplainCandidates::write(sinks::format::Page& page, const std::string& command,
                              int fit_min) const {
    sinks::format::Table table("><>>><");
    table.row({"stream", "client -> server", "packets", "missing", "repeats", "verdicts"});
    for (const Candidate& candidate : best_) {
        if (candidate.fit < fit_min) {
            break;
        }
        const event::FlowRecord& record = candidate.record;
        std::string verdicts;
        for (const event::VerdictInfo& verdict : event::verdict_table()) {
            const std::uint32_t count = candidate.verdicts[static_cast<std::size_t>(verdict.id)];
            if (count != 0 && verdict.id != event::Verdict::none) {
                verdicts += fmt::format("{}{} {}", verdicts.empty() ? "" : ", ", count_text(count),
                                        verdict.name);
            }
        }
        table.row({std::to_string(record.flow.stream),
                   fmt::format("{} {} {}", sinks::format::endpoint_text(record.flow.client),
                               record.client_known ? "->" : "--",
                               sinks::format::endpoint_text(record.flow.server)),
                   count_text(record.packets[0] + record.packets[1]),
                   (record.details_lost ? ">=" : "") + count_text(candidate.missing()),
                   count_text(candidate.repeats()), verdicts.empty() ? "-" : verdicts});
    }
    page.table(table, true);
    page.blank();
    if (command.size() > kCommandMax) {
        page.line(fmt::format("  {} --stream N", command));
        return;
    }
    for (const Candidate& candidate : best_) {
        if (candidate.fit < fit_min) {
            break;
        }
        page.line(fmt::format("  {} --stream {}", command, candidate.record.flow.stream));
    }
}

}  // namespace tw::app
