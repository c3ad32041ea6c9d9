// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/policy_run.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "firewall/policy_limits.hpp"
#include "firewall/policy_tally.hpp"
#include "firewall/timed_rules.hpp"
#include "sinks/format/human.hpp"

namespace tw::firewall {
namespace {

using sinks::format::clock_text;
using sinks::format::count_of;
using sinks::format::count_text;
using sinks::format::endpoint_text;
using sinks::format::spoken;
using taps::Conversation;
using taps::Outcome;

constexpr std::string_view kUnusable = "the capture is not fit to judge by";

[[nodiscard]] std::string_view with_text(With with) {
    switch (with) {
        case With::any:
            return "";
        case With::tcp_reset:
            return " with tcp-reset";
        case With::icmp_admin_prohibited:
            return " with icmp-admin-prohibited";
        case With::icmp_port:
            return " with icmp-port";
    }
    return "";
}

[[nodiscard]] std::string expectation(const Rule& rule) {
    switch (rule.expect) {
        case Expect::pass:
            return "pass";
        case Expect::drop:
            return "drop";
        case Expect::reject:
            return fmt::format("reject{}", with_text(rule.with));
        case Expect::any:
            return "any";
    }
    return "";
}

// "203.0.113.7:51234 -> 10.20.0.10:22 at 12:00:01.500000Z": each end as its own tap sees it.
[[nodiscard]] std::string connection_text(const Conversation& conversation) {
    const auto name = [](const std::array<flow::Endpoint, taps::kSides>& seen, taps::Side near) {
        const flow::Endpoint& there = seen[index(near)];
        return endpoint_text(there.port != 0 ? there : seen[index(taps::other(near))]);
    };
    return fmt::format("{} -> {} at {}", name(conversation.client, conversation.client_side),
                       name(conversation.server, taps::other(conversation.client_side)),
                       clock_text(conversation.first));
}

[[nodiscard]] std::string examples_text(const PolicyRow& row) {
    std::vector<std::string> names;
    for (const Conversation& example : row.examples) {
        names.push_back(connection_text(example));
    }
    const bool all = row.against == names.size();
    return fmt::format("{}: {}", all ? "these" : "among them", fmt::join(names, "; "));
}

// "SYN dropped 2, rejected RST 1", by the outcome's word.
[[nodiscard]] std::string outcomes_text(
    const std::array<std::uint64_t, taps::kOutcomes>& outcomes) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i] != 0) {
            parts.push_back(fmt::format("{} {}", spoken(name(static_cast<Outcome>(i))),
                                        count_text(outcomes[i])));
        }
    }
    return fmt::format("{}", fmt::join(parts, ", "));
}

[[nodiscard]] std::string contradiction(const Rule& rule, const Tally& tally,
                                        const PolicyRow& row) {
    const std::string_view what = rule.expect == Expect::pass   ? "did not pass"
                                  : rule.expect == Expect::drop ? "were not dropped in silence"
                                                                : "were not rejected as asked";
    return fmt::format("{} of {} {} ({})", count_text(row.against),
                       count_of(row.connections, "connection"), what,
                       outcomes_text(tally.contradicting_outcomes));
}

void judge(const Policy& policy, const Rule& rule, const Tally& tally, Trust trust,
           PolicyRow& row) {
    const std::uint64_t decided = tally.agreeing + tally.contradicting;
    if (trust == Trust::unusable) {
        row.result = RowResult::inconclusive;
        row.why = kUnusable;
    } else if (row.against != 0) {
        row.result = RowResult::fail;
        row.why = contradiction(rule, tally, row);
    } else if (row.connections == 0) {
        row.result = RowResult::untested;
        row.why = "no connection that this rule is about";
    } else if (tally.doubtful != 0) {
        row.result = RowResult::inconclusive;
        row.why =
            fmt::format("{} may contradict it, and the capture does not prove it ({})",
                        count_of(tally.doubtful, "connection"), outcomes_text(tally.outcomes));
    } else if (decided == 0) {
        row.result = RowResult::inconclusive;
        row.why =
            fmt::format("none of {} shows what became of it ({})",
                        count_of(row.connections, "connection"), outcomes_text(tally.outcomes));
    } else if (row.required && decided < policy.connections_min) {
        row.result = RowResult::untested;
        row.why = fmt::format("{}, coverage.min_connections asks for {}",
                              count_of(decided, "connection"), count_text(policy.connections_min));
    } else {
        row.result = RowResult::pass;
        row.why =
            fmt::format("{}: {}", count_of(decided, "connection"), outcomes_text(tally.outcomes));
    }
}

// A rule whose quality clause is broken is broken, however its connections came through; its own
// results stay in its limits.
void add_limits(PolicyRow& row) {
    for (const RowResult result : {RowResult::fail, RowResult::inconclusive}) {
        const bool worse = row.result == RowResult::pass ||
                           (row.result == RowResult::inconclusive && result == RowResult::fail);
        const auto limit =
            std::find_if(row.limits.begin(), row.limits.end(),
                         [&](const LimitRow& each) { return each.result == result; });
        if (worse && limit != row.limits.end()) {
            row.result = result;
            row.why += fmt::format("; {} {}", limit->name,
                                   result == RowResult::fail ? "is broken" : "is not shown");
        }
    }
}

// The rule's own times where they were kept by themselves, else those of all traffic.
[[nodiscard]] std::vector<LimitRow> limits_of(const Rule& rule, Tally tally,
                                              const taps::Passage& passage,
                                              std::uint8_t timed_class, const Report& report) {
    if (timed_class == 0) {
        return limit_rows(rule.limits, tally, report.latencies, report.confidence.trust);
    }
    std::array<Latency, 2> own;
    for (const bool setup : {false, true}) {
        const taps::TransitHistogram& times = passage.transits(timed_class, setup);
        own[setup ? 1 : 0] = {.setup = setup, .histogram = times};
        (setup ? tally.pairs_setup : tally.pairs_data) = times.count() + times.negative();
    }
    return limit_rows(rule.limits, tally, own, report.confidence.trust);
}

[[nodiscard]] PolicyRow make_row(const Rule& rule, const Tally& tally) {
    PolicyRow row;
    row.name = rule.name;
    row.expectation = expectation(rule);
    row.report_only = rule.report_only;
    row.connections = tally.connections;
    row.outcomes = tally.outcomes;
    row.against = tally.contradicting;
    row.undecided = tally.open + tally.doubtful;
    row.examples = tally.examples;
    return row;
}

// Findings that the rule's own packets are evidence of.
void link_findings(const Policy& policy, Report& report) {
    for (const Finding& finding : report.findings) {
        for (const Evidence& evidence : finding.evidence) {
            const auto matched = match_rule(policy, evidence.fact);
            if (!matched) {
                continue;
            }
            auto& linked = report.policy[matched->row].findings;
            if (std::find(linked.begin(), linked.end(), finding.id) == linked.end()) {
                linked.push_back(finding.id);
            }
        }
    }
}

// What the rows and the findings come to, most serious first.
class Conclusion {
  public:
    Conclusion(const Policy& policy, const TallyResult& tallied, const Report& report)
        : policy_(policy), tallied_(tallied), report_(report) {}

    void write(Report& report) {
        capture();
        rows();
        if (!policy_.empty()) {
            cases(FailOn::proven_drop, "proven_drop", tallied_.drops, "packet",
                  "proven lost between the taps, of what the policy lets pass");
            cases(FailOn::findings, "findings", tallied_.harms, "case",
                  "proven to damage what passes, see the findings");
        }
        report.checks = std::move(checks_);
        const bool unusable = report_.confidence.trust == Trust::unusable;
        report.exit_code = unusable || failed_.empty() ? (unclear_.empty() ? 0 : 4) : 1;
        report.why_exit = report.exit_code == 1 ? failed_ : std::vector<std::string>{};
        report.why_exit.insert(report.why_exit.end(), unclear_.begin(), unclear_.end());
    }

  private:
    void capture();
    void rows();
    void row(const PolicyRow& row, const Rule& rule);
    void cases(FailOn reason, std::string_view name, std::uint64_t count, std::string_view noun,
               std::string_view words);

    const Policy& policy_;
    const TallyResult& tallied_;
    const Report& report_;
    std::vector<std::string> failed_;
    std::vector<std::string> unclear_;
    std::vector<CheckRow> checks_;
};

void Conclusion::capture() {
    const Confidence& confidence = report_.confidence;
    const bool unusable = confidence.trust == Trust::unusable;
    const bool counts = policy_.fails_on(FailOn::capture_unhealthy) && !policy_.empty();
    CheckRow row{"capture_unhealthy", RowResult::pass, "both taps are fit to judge by"};
    if (confidence.trust != Trust::good) {
        std::vector<std::string_view> doubts;
        for (const Doubt& doubt : confidence.doubts) {
            if (doubt.trust == confidence.trust) {
                doubts.push_back(doubt.sentence);
            }
        }
        row.result = RowResult::inconclusive;
        row.why = fmt::format("capture {}{}{}", unusable ? "unusable" : "of reduced trust",
                              doubts.empty() ? "" : ": ", fmt::join(doubts, "; "));
    }
    if (row.result != RowResult::pass && (unusable || counts)) {
        unclear_.push_back(row.why);
    }
    if (unusable || counts) {
        checks_.push_back(std::move(row));
    }
}

void Conclusion::rows() {
    if (report_.confidence.trust == Trust::unusable) {
        return;  // said once, of the capture
    }
    for (std::size_t i = 0; i < report_.policy.size(); ++i) {
        const bool is_default = i >= policy_.rules.size();
        const PolicyRow& each = report_.policy[i];
        if (!each.report_only) {
            row(each, is_default ? policy_.defaults[i - policy_.rules.size()] : policy_.rules[i]);
        }
    }
}

void Conclusion::row(const PolicyRow& row, const Rule& rule) {
    const bool refuses = rule.expect != Expect::pass;
    if (row.result == RowResult::fail &&
        policy_.fails_on(refuses ? FailOn::policy_leak : FailOn::policy_block)) {
        failed_.push_back(fmt::format("rule \"{}\" expects {}: {}; {}", row.name, row.expectation,
                                      row.why, examples_text(row)));
    }
    if (row.result == RowResult::inconclusive ||
        (row.result == RowResult::untested && row.required && policy_.fails_on(FailOn::untested))) {
        unclear_.push_back(fmt::format("rule \"{}\" {}: {}", row.name, name(row.result), row.why));
    }
    for (const LimitRow& limit : row.limits) {
        if (!policy_.fails_on(FailOn::limits)) {
            break;
        }
        if (limit.result == RowResult::fail) {
            failed_.push_back(fmt::format("rule \"{}\": {} {} asked, {} measured", row.name,
                                          limit.name, limit.expected, limit.measured));
        } else if (limit.result == RowResult::inconclusive ||
                   (limit.result == RowResult::untested && row.required &&
                    policy_.fails_on(FailOn::untested))) {
            unclear_.push_back(fmt::format("rule \"{}\": {} {}: {}", row.name, limit.name,
                                           name(limit.result), limit.why));
        }
    }
}

void Conclusion::cases(FailOn reason, std::string_view name, std::uint64_t count,
                       std::string_view noun, std::string_view words) {
    if (!policy_.fails_on(reason)) {
        return;
    }
    CheckRow row{std::string(name), RowResult::pass,
                 fmt::format("{} {}", count_of(count, noun), words)};
    if (report_.confidence.trust == Trust::unusable) {
        row.result = RowResult::inconclusive;
        row.why = kUnusable;
    } else if (count != 0) {
        row.result = RowResult::fail;
        failed_.push_back(row.why);
    }
    checks_.push_back(std::move(row));
}

[[nodiscard]] std::string verdict(const Report& report) {
    std::array<std::uint64_t, 4> results{};
    for (const PolicyRow& row : report.policy) {
        ++results[static_cast<std::size_t>(row.result)];
    }
    const auto count = [&](RowResult result) { return results[static_cast<std::size_t>(result)]; };
    std::string text =
        fmt::format("{}: {} of {} kept",
                    report.exit_code == 0   ? "PASS"
                    : report.exit_code == 1 ? "FAIL"
                                            : "INCONCLUSIVE",
                    count_text(count(RowResult::pass)), count_of(report.policy.size(), "rule"));
    for (const RowResult result : {RowResult::fail, RowResult::inconclusive, RowResult::untested}) {
        if (count(result) != 0) {
            text += fmt::format(", {} {}", count_text(count(result)),
                                result == RowResult::fail ? "broken" : name(result));
        }
    }
    if (!report.verdict.empty()) {
        text += ". " + report.verdict;
    }
    return text;
}

}  // namespace

void run_policy(const PolicyRun& run, Report& report) {
    const Policy& policy = run.policy;
    const Trust trust = report.confidence.trust;
    const TallyResult tallied = tally(run, trust);
    const std::vector<std::uint8_t> timed = timed_classes(policy);
    report.policy.clear();
    for (std::size_t i = 0; i < tallied.rows.size(); ++i) {
        const bool is_default = i >= policy.rules.size();
        const Rule& rule = is_default ? policy.defaults[i - policy.rules.size()] : policy.rules[i];
        PolicyRow row = make_row(rule, tallied.rows[i]);
        row.limits = limits_of(rule, tallied.rows[i], run.passage, timed[i], report);
        row.is_default = is_default;
        row.required =
            !is_default && std::find(policy.require_seen.begin(), policy.require_seen.end(), i) !=
                               policy.require_seen.end();
        judge(policy, rule, tallied.rows[i], trust, row);
        report.policy.push_back(std::move(row));
    }
    report.outside_policy = policy.empty() ? 0 : tallied.outside_policy;
    link_findings(policy, report);
    Conclusion(policy, tallied, report).write(report);
    for (PolicyRow& row : report.policy) {
        add_limits(row);
    }
    if (!policy.empty()) {
        report.verdict = verdict(report);
    }
}

}  // namespace tw::firewall
