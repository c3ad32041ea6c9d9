// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/investigation.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/verdict/marked_times.hpp"
#include "firewall/classify.hpp"
#include "firewall/excerpts.hpp"
#include "firewall/findings.hpp"
#include "firewall/gates.hpp"
#include "firewall/grades.hpp"
#include "firewall/learn.hpp"
#include "firewall/own_address.hpp"
#include "firewall/policy_match.hpp"
#include "firewall/policy_run.hpp"
#include "firewall/sentences.hpp"
#include "firewall/totals.hpp"

namespace tw::firewall {
namespace {

using taps::Fact;
using taps::Grade;

// Settled ones that a miss which comes too late may still lower.
constexpr std::size_t kRecentMax = 4096;

// A file says at its end how many frames were dropped; a ledger says in which intervals.
[[nodiscard]] Grades::Drops drops_without_times(const Confidence& confidence) {
    Grades::Drops drops{};
    for (std::size_t tap = 0; tap < taps::kSides; ++tap) {
        const TapReport& given = confidence.taps[tap];
        drops[tap] = given.drops_known && given.dropped != 0 && given.ledger_faults == 0;
    }
    return drops;
}

// Whether the policy wants what happened: the connection was not to pass, and something of it did
// not.
[[nodiscard]] bool wanted(const Policy& policy, const Fact& fact, Behaviour behaviour) {
    if (info(behaviour).weight != Weight::drop && behaviour != Behaviour::reset_by_firewall &&
        behaviour != Behaviour::reset_blocked) {
        return false;
    }
    const auto matched = match_rule(policy, fact);
    return matched &&
           (matched->rule->expect == Expect::drop || matched->rule->expect == Expect::reject);
}

// As they are finally told, without those that another one tells.
[[nodiscard]] std::vector<Case> told_cases(const Cases& cases, std::span<const Told> told) {
    std::vector<Case> result;
    for (std::size_t i = 0; i < told.size(); ++i) {
        if (!told[i].silent) {
            result.push_back(
                {cases.cases[i].fact, told[i].grade, told[i].behaviour, cases.cases[i].expected});
        }
    }
    return result;
}

}  // namespace

struct Investigation::State {
    State(const Policy& policy_in, const InvestigationOptions& options_in)
        : policy(policy_in), options(options_in), excerpts(options_in.excerpts_max) {}

    const Policy policy;
    const InvestigationOptions options;
    std::vector<Fact> facts;
    std::unordered_map<std::uint64_t, std::size_t> index_of;  // by Fact::id
    std::vector<taps::Conversation> conversations;
    Excerpts excerpts;
    Grades grades;
    std::array<std::uint64_t, taps::kFactKinds> counts{};
    std::multimap<Nanos, Notice> waiting;  // by when they are settled
    std::deque<Notice> ready;
    std::deque<Notice> recent;  // settled as proven, and depend on their neighbours
    std::map<std::string, std::uint64_t> limits;
    Nanos now = INT64_MIN;

    void tell(Notice notice);
    void settle(Notice& notice);
    void revise(const Fact& miss);
    [[nodiscard]] Grade grade_of(const Fact& fact, const Confidence& confidence) const;
    [[nodiscard]] std::vector<Case> cases(const Confidence& confidence) const;
};

Investigation::Investigation(const Policy& policy, const InvestigationOptions& options)
    : state_(std::make_unique<State>(policy, options)) {}

Investigation::~Investigation() = default;

void Investigation::add(const Fact& told) {
    State& state = *state_;
    const Fact fact = attributed(state.policy, told);
    ++state.counts[static_cast<std::size_t>(fact.kind)];
    if (state.facts.size() < state.options.facts_max) {
        state.index_of.emplace(fact.id, state.facts.size());
        state.facts.push_back(fact);
    } else {
        ++state.limits["firewall.facts_not_kept"];
    }
    Notice notice{fact.id, behaviour_of(fact), state.grades.settle(fact), true, fact};
    if (state.grades.note_miss(fact)) {
        state.revise(fact);
    } else if (notice.grade == Grade::proven && Grades::depends_on_neighbours(fact)) {
        notice.settled = false;
        if (state.waiting.size() < state.options.notices_max) {
            const Nanos wait = verdict::kCleanAround + state.options.lateness;
            state.waiting.emplace(verdict::later_by(std::max(fact.time, fact.decided), wait),
                                  notice);
        } else {
            ++state.limits["firewall.notices_not_awaited"];
            notice.grade = Grade::probable;
            notice.settled = true;
        }
    }
    state.tell(std::move(notice));
}

void Investigation::add(const taps::Excerpt& excerpt) {
    const auto found = state_->index_of.find(excerpt.fact);
    state_->excerpts.add(excerpt, found == state_->index_of.end()
                                      ? std::nullopt
                                      : behaviour_of(state_->facts[found->second]));
}

void Investigation::add(const taps::Conversation& conversation) {
    state_->grades.note_passed(conversation);
    if (state_->conversations.size() < state_->options.conversations_max) {
        state_->conversations.push_back(conversation);
    } else {
        ++state_->limits["firewall.conversations_not_kept"];
    }
}

void Investigation::add_faults(taps::Side tap, Nanos from, Nanos until,
                               event::CaptureFaults faults) {
    state_->grades.note_faults(tap, from, until, faults);
}

void Investigation::add_limit(std::string counter, std::uint64_t value) {
    if (value != 0) {
        state_->limits[std::move(counter)] += value;
    }
}

void Investigation::advance(Nanos now) {
    State& state = *state_;
    state.now = std::max(state.now, now);
    while (!state.waiting.empty() && state.waiting.begin()->first <= state.now) {
        Notice notice = std::move(state.waiting.begin()->second);
        state.waiting.erase(state.waiting.begin());
        state.settle(notice);
    }
}

void Investigation::finish() {
    advance(INT64_MAX);
}

std::optional<Notice> Investigation::next_notice() {
    if (state_->ready.empty()) {
        return std::nullopt;
    }
    Notice notice = std::move(state_->ready.front());
    state_->ready.pop_front();
    return notice;
}

void Investigation::State::tell(Notice notice) {
    if (ready.size() >= options.notices_max) {
        ++limits["firewall.notices_dropped"];
        return;
    }
    ready.push_back(std::move(notice));
}

void Investigation::State::settle(Notice& notice) {
    notice.grade = grades.settle(notice.fact);
    notice.settled = true;
    if (notice.grade == Grade::proven) {
        if (recent.size() >= kRecentMax) {
            recent.pop_front();
        }
        recent.push_back(notice);
    }
    tell(notice);
}

// A miss that is told after its neighbours were settled: what it lowers is said again.
void Investigation::State::revise(const Fact& miss) {
    const auto near = [&](const Notice& notice) {
        return notice.fact.time >= verdict::earlier_by(miss.time, verdict::kCleanAround) &&
               notice.fact.time <= verdict::later_by(miss.time, verdict::kCleanAround);
    };
    for (auto notice = recent.begin(); notice != recent.end();) {
        if (!near(*notice) || grades.settle(notice->fact) == Grade::proven) {
            ++notice;
            continue;
        }
        notice->grade = Grade::probable;
        tell(*notice);
        notice = recent.erase(notice);
    }
}

// At the end, when it is known how far the capture is to be trusted.
Grade Investigation::State::grade_of(const Fact& fact, const Confidence& confidence) const {
    const Grade grade = grades.settle(fact, drops_without_times(confidence));
    return rests_on_times(fact.proof) && confidence.skew > kSkewHarmless
               ? std::min(grade, Grade::probable)
               : grade;
}

std::vector<Case> Investigation::State::cases(const Confidence& confidence) const {
    std::vector<Case> found;
    for (const Fact& fact : facts) {
        if (const auto behaviour = behaviour_of(fact)) {
            found.push_back({&fact, grade_of(fact, confidence), *behaviour,
                             !policy.empty() && wanted(policy, fact, *behaviour)});
        }
    }
    std::ranges::stable_sort(found, {}, [](const Case& one) { return one.fact->time; });
    return found;
}

Report Investigation::report(Confidence confidence, const taps::Passage& passage) const {
    State& state = *state_;
    std::ranges::stable_sort(state.conversations, {}, &taps::Conversation::first);
    Report report;
    report.firewall = state.policy.name;
    report.totals = totals_of(state.conversations);
    report.totals.facts = state.counts;
    report.totals.limits_reached.assign(state.limits.begin(), state.limits.end());
    if (state.excerpts.dropped() != 0) {
        report.totals.limits_reached.emplace_back("firewall.excerpts_not_kept",
                                                  state.excerpts.dropped());
    }
    for (const taps::Side side : {taps::Side::outside, taps::Side::inside}) {
        std::uint64_t& intervals = confidence.taps[taps::index(side)].ledger_faults;
        intervals = std::max(intervals, state.grades.marked(side));
    }
    judge_capture({passage, state.conversations, state.policy, report.totals}, confidence);
    report.confidence = std::move(confidence);
    const auto& [outside, inside] = report.confidence.taps;
    report.first = std::min(outside.first, inside.first);
    report.last = std::max(outside.last, inside.last);
    std::vector<Case> final_cases;
    std::vector<Case> settled;
    if (report.confidence.trust != Trust::unusable) {
        settled = state.cases(report.confidence);
        const Cases cases{settled, state.conversations, passage, state.policy,
                          report.confidence.skew};
        Lessons lessons = learn(cases);
        const std::vector<Told> told = classify(cases, lessons.lessons);
        final_cases = told_cases(cases, told);
        report.findings =
            make_findings({cases, told, lessons, state.excerpts, report.confidence, report.totals});
        report.in_common = std::move(lessons.in_common);
        report.parameters = std::move(lessons.parameters);
        report.latencies = std::move(lessons.latencies);
        report.spikes = std::move(lessons.spikes);
        report.rewrites = std::move(lessons.rewrites);
    }
    report.verdict = verdict_of(report);
    run_policy({state.policy, state.conversations, final_cases, settled, passage}, report);
    return report;
}

}  // namespace tw::firewall
