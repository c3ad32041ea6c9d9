// SPDX-License-Identifier: BSD-3-Clause
// Idle time-out of the firewall's state (catalogue 5): packets pass after shorter silences, and
// after longer ones nothing leaves any more, or the firewall answers with a reset. The time-out
// lies between the longest silence that a packet ended and passed and the shortest after which it
// did not. If these contradict each other it is no pure timer.
#include "firewall/learners.hpp"

#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>

namespace tw::firewall {
namespace {

using sinks::format::count_of;
using sinks::format::duration_text;

// Shorter silences are the network's own: delayed ACKs, think time, repeats.
constexpr Nanos kIdleMin = kSecond;

// Whose silence counts: that of both ways, or that of the packet's own.
enum class Measure : std::uint8_t { both_ways, same_way };

Nanos gap_of(const taps::Fact& fact, Measure measure) {
    return measure == Measure::both_ways ? fact.circumstances.idle
                                         : fact.circumstances.idle_same_way;
}

struct Fail {
    Nanos gap = 0;
    bool sure = false;  // sent more than once, or answered by a reset
    std::vector<std::uint32_t> cases;
};

// The case after which nothing of the conversation left any more, and all that follow it.
bool find_fail(const Study& study, std::span<const std::uint32_t> indexes, Measure measure,
               Fail& fail) {
    for (std::size_t i = 0; i < indexes.size(); ++i) {
        const Case& first = study.at(indexes[i]);
        const bool reset = is_firewall_reset(first);
        if (!(is_final_drop(first) || reset) || first.fact->circumstances.after_fin ||
            first.fact->in_handshake || gap_of(*first.fact, measure) < kIdleMin) {
            continue;
        }
        fail.gap = gap_of(*first.fact, measure);
        fail.sure = reset || first.fact->attempts > 1;
        fail.cases.clear();
        for (std::size_t k = i; k < indexes.size(); ++k) {
            const Case& later = study.at(indexes[k]);
            if (is_drop(later) && later.fact->cost != 0) {
                return false;  // it went on
            }
            if (is_drop(later) || is_firewall_reset(later) ||
                later.fact->kind == taps::FactKind::late_lost) {
                fail.cases.push_back(indexes[k]);
                fail.sure |= is_firewall_reset(later) || later.fact->attempts > 1 || k > i;
            }
        }
        return true;
    }
    return false;
}

struct Samples {
    Nanos pass_most = 0;
    std::uint64_t passes = 0;  // conversations that passed a silence of at least kIdleMin
    std::vector<Fail> fails;
    flow::Endpoint client;
    flow::Endpoint server;

    [[nodiscard]] Nanos fail_least() const {
        Nanos least = INT64_MAX;
        for (const Fail& fail : fails) {
            least = std::min(least, fail.gap);
        }
        return least;
    }
    [[nodiscard]] bool contradict() const { return fails.empty() || pass_most >= fail_least(); }
};

using Groups = std::map<ScopeKey, Samples>;

Groups gather(const Study& study, Scope scope, Measure measure) {
    Groups groups;
    for (const taps::Conversation& conversation : study.all().conversations) {
        const flow::Endpoint& client = client_of(conversation);
        const flow::Endpoint& server = server_of(conversation);
        Samples& samples = groups[scope_key(scope, client, server)];
        samples.client = client;
        samples.server = server;
        const auto& ways = conversation.idle_passed_way;
        const Nanos passed = measure == Measure::both_ways
                                 ? conversation.idle_passed
                                 : *std::max_element(ways.begin(), ways.end());
        samples.pass_most = std::max(samples.pass_most, passed);
        samples.passes += passed >= kIdleMin ? 1U : 0U;
        const auto indexes = study.cases_of(conversation.id);
        Fail fail;
        if (!indexes.empty() && find_fail(study, indexes, measure, fail)) {
            samples.fails.push_back(std::move(fail));
        }
    }
    return groups;
}

void tell(const Samples& samples, Scope scope, Measure measure, Lessons& lessons) {
    const Nanos low = samples.pass_most;
    const Nanos high = samples.fail_least();
    Lesson lesson;
    lesson.behaviour = Behaviour::idle_timeout;
    lesson.scope = scope_text(scope, samples.client, samples.server);
    bool sure = samples.fails.size() > 1;
    for (const Fail& fail : samples.fails) {
        lesson.explained.insert(lesson.explained.end(), fail.cases.begin(), fail.cases.end());
        sure |= fail.sure;
    }
    std::sort(lesson.explained.begin(), lesson.explained.end());
    lesson.grade_max = sure ? taps::Grade::proven : taps::Grade::probable;
    const std::string bracket =
        fmt::format("between {} and {}", duration_text(low), duration_text(high));
    lesson.sentence = fmt::format(
        "the time-out lies {}: {} after shorter silences, {} did not get through after "
        "longer ones",
        bracket,
        samples.passes == 0 ? "packets passed"
                            : count_of(samples.passes, "conversation") + " went on",
        count_of(samples.fails.size(), "conversation"));
    lesson.excluded.push_back(
        "no packet passed after a silence as long as the shortest that failed");
    Parameter parameter{.name = "idle_timeout",
                        .scope = lesson.scope,
                        .value = bracket,
                        .low = seconds(low),
                        .high = seconds(high),
                        .unit = "s",
                        .samples = samples.passes + samples.fails.size(),
                        .note = {}};
    if (measure == Measure::same_way) {
        parameter.note = "only packets of the same direction keep the state alive";
        lesson.sentence += "; only packets of the same direction keep it alive";
    }
    lessons.lessons.push_back(std::move(lesson));
    lessons.parameters.push_back(std::move(parameter));
}

void tell_conflict(const Samples& samples, Lessons& lessons) {
    lessons.parameters.push_back(
        {.name = "idle_timeout",
         .scope = "all traffic",
         .value = "no single time-out",
         .low = std::nullopt,
         .high = std::nullopt,
         .unit = "s",
         .samples = samples.passes + samples.fails.size(),
         .note =
             fmt::format("packets passed after {} of silence, others failed after {}: not a "
                         "pure idle timer (early ageing, a flushed table, a failover)",
                         duration_text(samples.pass_most), duration_text(samples.fail_least()))});
}

}  // namespace

void learn_idle_timeout(const Study& study, Lessons& lessons) {
    const Groups everything = gather(study, Scope::all, Measure::both_ways);
    if (everything.empty() || everything.begin()->second.fails.empty()) {
        // A silence of one way alone shows only where the other one was not silent.
        const Groups one_way = gather(study, Scope::all, Measure::same_way);
        if (!one_way.empty() && one_way.begin()->second.fails.size() > 1 &&
            !one_way.begin()->second.contradict()) {
            tell(one_way.begin()->second, Scope::all, Measure::same_way, lessons);
        }
        return;
    }
    const Samples& all = everything.begin()->second;
    if (!all.contradict()) {
        tell(all, Scope::all, Measure::both_ways, lessons);
        return;
    }
    bool told = false;
    for (const auto& [key, samples] : gather(study, Scope::server, Measure::both_ways)) {
        if (!samples.contradict()) {
            tell(samples, Scope::server, Measure::both_ways, lessons);
            told = true;
        }
    }
    if (!told && all.fails.size() > 1) {
        tell_conflict(all, lessons);
    }
}

}  // namespace tw::firewall
