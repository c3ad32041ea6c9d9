// SPDX-License-Identifier: BSD-3-Clause
// Connection limit, or a full session table (catalogue 6): SYNs to services that others reach are
// dropped or refused while N conversations are open, and none while fewer are.
#include "firewall/learners.hpp"

#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

namespace tw::firewall {
namespace {

using sinks::format::count_of;
using sinks::format::count_text;

constexpr std::uint64_t kLimitMin = 2;
constexpr std::size_t kFailsMin = 2;

struct Attempt {
    Nanos time = 0;
    std::uint32_t index = 0;  // of the case
};

struct Group {
    std::vector<Nanos> begins;  // of conversations that came about
    std::vector<Nanos> ends;
    std::vector<Attempt> fails;
    std::set<std::uint64_t> conversations;  // that failed
    flow::Endpoint client;
    flow::Endpoint server;
};

bool came_about(const taps::Conversation& conversation) {
    return conversation.outcome == taps::Outcome::established ||
           conversation.outcome == taps::Outcome::midway;
}

// Some firewalls count a closed conversation as long as they remember it (TIME_WAIT).
using Lingering = Nanos;

Nanos end_of(const taps::Conversation& conversation, Lingering lingering) {
    const bool open = !conversation.ended || conversation.ending == taps::Ending::open ||
                      conversation.ending == taps::Ending::half_closed;
    return open ? INT64_MAX : conversation.last + lingering;
}

// Those that had begun before and end more than `closing` later. When the firewall lets go of one
// that closes is not known to the moment: between its FINs and the last packet.
constexpr Nanos kClosing = kSecond;

std::uint64_t open_at(const Group& group, Nanos time, Nanos closing) {
    const auto begun = std::lower_bound(group.begins.begin(), group.begins.end(), time);
    const auto ended = std::upper_bound(group.ends.begin(), group.ends.end(), time + closing);
    const auto count = (begun - group.begins.begin()) - (ended - group.ends.begin());
    return count > 0 ? static_cast<std::uint64_t>(count) : 0;
}

bool is_refusal(const Case& one) {
    return !one.expected &&
           (is_syn_drop(one) || (is_firewall_reset(one) && one.fact->in_handshake));
}

using Groups = std::map<ScopeKey, Group>;

Groups gather(const Study& study, Scope scope, Lingering lingering) {
    Groups groups;
    std::set<ScopeKey> reachable;
    for (const taps::Conversation& conversation : study.all().conversations) {
        if (!came_about(conversation)) {
            continue;
        }
        const flow::Endpoint& client = client_of(conversation);
        const flow::Endpoint& server = server_of(conversation);
        reachable.insert(scope_key(Scope::server, client, server));
        Group& group = groups[scope_key(scope, client, server)];
        // A SYN that had to be repeated got its place when the last one passed.
        group.begins.push_back(conversation.established != 0 ? conversation.established
                                                             : conversation.first);
        group.ends.push_back(end_of(conversation, lingering));
    }
    for (std::uint32_t i = 0; i < study.all().cases.size(); ++i) {
        const Case& one = study.at(i);
        const flow::Endpoint& client = client_of(*one.fact);
        const flow::Endpoint& server = server_of(*one.fact);
        // A service that nobody reaches is blocked, not full.
        if (!is_refusal(one) || !reachable.contains(scope_key(Scope::server, client, server))) {
            continue;
        }
        Group& group = groups[scope_key(scope, client, server)];
        group.fails.push_back({one.fact->time, i});
        group.conversations.insert(one.fact->conversation);
        group.client = client;
        group.server = server;
    }
    for (auto& [key, group] : groups) {
        std::sort(group.begins.begin(), group.begins.end());
        std::sort(group.ends.begin(), group.ends.end());
    }
    return groups;
}

struct Bracket {
    std::uint64_t most_passed = 0;  // open conversations when one more came about
    std::uint64_t least_failed = UINT64_MAX;
};

Bracket bracket_of(const Group& group) {
    Bracket bracket;
    for (const Nanos begin : group.begins) {
        bracket.most_passed = std::max(bracket.most_passed, open_at(group, begin, kClosing));
    }
    for (const Attempt& fail : group.fails) {
        bracket.least_failed = std::min(bracket.least_failed, open_at(group, fail.time, -kClosing));
    }
    return bracket;
}

bool holds(const Group& group, const Bracket& bracket) {
    return group.conversations.size() >= kFailsMin && bracket.least_failed >= kLimitMin &&
           bracket.most_passed < bracket.least_failed;
}

void tell(const Group& group, const Bracket& bracket, Scope scope, Lingering lingering,
          Lessons& lessons) {
    Lesson lesson;
    lesson.behaviour = Behaviour::connection_limit;
    lesson.scope = scope_text(scope, group.client, group.server);
    for (const Attempt& fail : group.fails) {
        lesson.explained.push_back(fail.index);
    }
    const std::uint64_t low = bracket.most_passed + 1;
    const std::uint64_t high = bracket.least_failed;
    const std::string value =
        low == high ? count_text(low) : fmt::format("{} to {}", count_text(low), count_text(high));
    // What fails only at the top of a wide range may fail for another reason.
    lesson.grade_max = high - low <= low / 10 ? taps::Grade::proven : taps::Grade::probable;
    lesson.sentence =
        fmt::format("{} refused while {} or more were open, none while fewer were: a limit of {}",
                    count_of(group.conversations.size(), "connection"), count_text(high), value);
    lesson.excluded.push_back(
        "other connections to the same services came about while fewer were open");
    lessons.parameters.push_back(
        {.name = "connection_limit",
         .scope = lesson.scope,
         .value = value,
         .low = static_cast<double>(low),
         .high = static_cast<double>(high),
         .unit = "connections",
         .samples = group.begins.size() + group.conversations.size(),
         .note =
             lingering == 0 ? "" : "closed connections are counted for 120 s more (TIME_WAIT)"});
    lessons.lessons.push_back(std::move(lesson));
}

// True if one kind of group explains nearly all refusals: some SYN may be lost for itself.
bool try_scope(const Study& study, Scope scope, Lingering lingering, Lessons& lessons) {
    const Groups groups = gather(study, scope, lingering);
    std::size_t fails = 0;
    std::size_t explained = 0;
    for (const auto& [key, group] : groups) {
        fails += group.fails.size();
        explained += holds(group, bracket_of(group)) ? group.fails.size() : 0;
    }
    if (explained == 0 || explained * 10 < fails * 9) {
        return false;
    }
    for (const auto& [key, group] : groups) {
        const Bracket bracket = bracket_of(group);
        if (holds(group, bracket)) {
            tell(group, bracket, scope, lingering, lessons);
        }
    }
    return true;
}

}  // namespace

void learn_connection_limit(const Study& study, Lessons& lessons) {
    const auto cases = study.all().cases;
    if (std::none_of(cases.begin(), cases.end(), is_refusal)) {
        return;
    }
    constexpr Nanos kTimeWait = 120 * kSecond;
    for (const Lingering lingering : {Lingering{0}, kTimeWait}) {
        for (const Scope scope : kScopes) {
            if (try_scope(study, scope, lingering, lessons)) {
                return;
            }
        }
    }
}

}  // namespace tw::firewall
