// SPDX-License-Identifier: BSD-3-Clause
// Idle time-out of the firewall's state (catalogue 5): packets pass after shorter silences, and
// after longer ones nothing leaves any more, or the firewall answers with a reset. The time-out
// lies between the longest silence that a packet ended and passed and the shortest after which it
// did not. If these contradict each other it is no pure timer.
#include "firewall/learners.hpp"

#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
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
    Nanos time = 0;     // of the first packet that did not get through any more
    bool sure = false;  // sent more than once, or answered by a reset
    taps::Way way = taps::Way::inward;
    std::uint16_t ip_bytes = 0;
    std::vector<std::uint32_t> cases;
};

// A cause of its own.
bool is_out_of_window(const taps::Circumstances& at) {
    return at.scale_mismatch || (at.window_known && !at.in_window);
}

// The case after which nothing of the conversation left any more, and all that follow it.
bool find_fail(const Study& study, std::span<const std::uint32_t> indexes, Measure measure,
               Fail& fail) {
    const auto ends = [&](std::uint32_t index) {
        return is_final_drop(study.at(index)) || is_firewall_reset(study.at(index));
    };
    const auto first = std::find_if(indexes.begin(), indexes.end(), ends);
    if (first == indexes.end()) {
        return false;
    }
    // Silence that follows a loss is the sender's waiting: only the first loss can be its result.
    const taps::Fact& fact = *study.at(*first).fact;
    const taps::Circumstances& at = fact.circumstances;
    if (at.after_fin || at.after_close || fact.in_handshake || is_out_of_window(at) ||
        gap_of(fact, measure) < kIdleMin) {
        return false;
    }
    fail.gap = gap_of(fact, measure);
    fail.time = fact.time;
    fail.way = fact.way;
    fail.ip_bytes = fact.packet.ip_bytes;
    fail.sure = is_firewall_reset(study.at(*first)) || fact.attempts > 1;
    for (auto index = first; index != indexes.end(); ++index) {
        const Case& later = study.at(*index);
        if (is_drop(later) && later.fact->cost != 0) {
            return false;  // it went on
        }
        if (ends(*index) || later.fact->kind == taps::FactKind::late_lost) {
            fail.sure |= index != first;
            fail.cases.push_back(*index);
        }
    }
    return true;
}

struct Samples {
    Nanos pass_most = 0;
    std::uint64_t passes = 0;  // conversations that passed a silence of at least kIdleMin
    std::vector<Fail> fails;
    std::array<std::uint16_t, taps::kWays> longest_passed{};
    flow::Endpoint client;
    flow::Endpoint server;

    // Packets as long had passed: it was not its length that stopped the one after the silence.
    [[nodiscard]] bool had_passed_as_long(const Fail& fail) const {
        return fail.ip_bytes <= longest_passed[taps::index(fail.way)];
    }
    [[nodiscard]] Nanos fail_least() const {
        Nanos least = INT64_MAX;
        for (const Fail& fail : fails) {
            least = std::min(least, fail.gap);
        }
        return least;
    }
    // True if all silences that failed share a moment: the state may have been lost just then.
    [[nodiscard]] bool share_moment(Nanos& moment) const {
        Nanos begin = INT64_MIN;
        Nanos end = INT64_MAX;
        for (const Fail& fail : fails) {
            begin = std::max(begin, fail.time - fail.gap);
            end = std::min(end, fail.time);
        }
        moment = begin;
        return begin <= end;
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
        for (std::size_t way = 0; way < taps::kWays; ++way) {
            samples.longest_passed[way] =
                std::max(samples.longest_passed[way], conversation.ways[way].longest_passed);
        }
        const auto indexes = study.cases_of(conversation.id);
        Fail fail;
        if (!indexes.empty() && find_fail(study, indexes, measure, fail)) {
            samples.fails.push_back(std::move(fail));
        }
    }
    return groups;
}

// A conversation that was there before and passed packets for a while afterwards.
bool any_survived(const Study& study, Nanos moment) {
    return std::any_of(study.all().conversations.begin(), study.all().conversations.end(),
                       [&](const taps::Conversation& conversation) {
                           return conversation.first < moment - kIdleMin &&
                                  conversation.last > moment + kIdleMin &&
                                  study.cases_of(conversation.id).empty();
                       });
}

void tell(const Study& study, const Samples& samples, Scope scope, Measure measure,
          Lessons& lessons) {
    const Nanos low = samples.pass_most;
    const Nanos high = samples.fail_least();
    Lesson lesson;
    lesson.behaviour = Behaviour::idle_timeout;
    lesson.scope = scope_text(scope, samples.client, samples.server);
    std::size_t alike = 0;  // packets that pass without the silence
    bool sure = samples.fails.size() > 1;
    for (const Fail& fail : samples.fails) {
        lesson.explained.insert(lesson.explained.end(), fail.cases.begin(), fail.cases.end());
        alike += samples.had_passed_as_long(fail) ? 1U : 0U;
        sure |= fail.sure;
    }
    sure &= alike * 2 > samples.fails.size();
    std::sort(lesson.explained.begin(), lesson.explained.end());
    Nanos moment = 0;
    const bool at_once = samples.share_moment(moment) && !any_survived(study, moment);
    lesson.grade_max = sure && !at_once ? taps::Grade::proven : taps::Grade::probable;
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
    if (!at_once) {
        lesson.excluded.push_back(
            "state lost at one moment: others went on across it, or the "
            "silences have no moment in common");
    }
    Parameter parameter{.name = "idle_timeout",
                        .scope = lesson.scope,
                        .value = bracket,
                        .low = seconds(low),
                        .high = seconds(high),
                        .unit = "s",
                        .samples = samples.passes + samples.fails.size(),
                        .note = {}};
    const auto resets = std::ranges::count_if(
        lesson.explained, [&](std::uint32_t index) { return is_firewall_reset(study.at(index)); });
    if (resets != 0) {
        lesson.sentence += fmt::format("; the firewall answered with {}",
                                       count_of(static_cast<std::uint64_t>(resets), "reset"));
    }
    if (measure == Measure::same_way) {
        parameter.note = "only packets of the same direction keep the state alive";
        lesson.sentence += "; only packets of the same direction keep it alive";
    }
    // One conversation that broke after a silence shows what happened, and not why.
    if (samples.fails.size() > 1 && lesson.grade_max == taps::Grade::proven) {
        lessons.parameters.push_back(std::move(parameter));
    }
    lessons.lessons.push_back(std::move(lesson));
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
            tell(study, one_way.begin()->second, Scope::all, Measure::same_way, lessons);
        }
        return;
    }
    const Samples& all = everything.begin()->second;
    if (!all.contradict()) {
        tell(study, all, Scope::all, Measure::both_ways, lessons);
        return;
    }
    bool told = false;
    for (const auto& [key, samples] : gather(study, Scope::server, Measure::both_ways)) {
        if (!samples.contradict()) {
            tell(study, samples, Scope::server, Measure::both_ways, lessons);
            told = true;
        }
    }
    if (!told && all.fails.size() > 1) {
        tell_conflict(all, lessons);
    }
}

}  // namespace tw::firewall
