// SPDX-License-Identifier: BSD-3-Clause
// Reuse of addresses and ports (catalogue 24): a SYN is dropped because the previous conversation
// of the same tuple ended too short a time ago; later reuse and fresh tuples pass.
#include "firewall/learners.hpp"

#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

namespace tw::firewall {
namespace {

using sinks::format::count_of;
using sinks::format::duration_text;

using Tuple = std::array<ScopeKey, 2>;

Tuple tuple_of(const taps::Conversation& conversation) {
    const flow::Endpoint& client = client_of(conversation);
    const flow::Endpoint& server = server_of(conversation);
    // Scope::server takes the port along, of whichever end.
    return {scope_key(Scope::server, client, client), scope_key(Scope::server, server, server)};
}

struct Reuses {
    Nanos pass_least = INT64_MAX;
    std::uint64_t passes = 0;
    std::uint64_t fresh = 0;  // connections of tuples not used before, to the same services
};

Reuses passing(const Study& study, const std::set<ScopeKey>& servers) {
    Reuses reuses;
    std::map<Tuple, Nanos> ended;
    for (const taps::Conversation& conversation : study.all().conversations) {
        const auto [previous, is_fresh] =
            ended.try_emplace(tuple_of(conversation), conversation.last);
        const bool passed = conversation.outcome == taps::Outcome::established;
        const ScopeKey server =
            scope_key(Scope::server, client_of(conversation), server_of(conversation));
        if (is_fresh) {
            reuses.fresh += passed && servers.contains(server) ? 1U : 0U;
            continue;
        }
        // Not the first SYN but the one that passed counts.
        const Nanos began =
            conversation.established != 0 ? conversation.established : conversation.first;
        if (passed && began > previous->second) {
            reuses.pass_least = std::min(reuses.pass_least, began - previous->second);
            ++reuses.passes;
        }
        previous->second = conversation.last;
    }
    return reuses;
}

}  // namespace

void learn_tuple_reuse(const Study& study, Lessons& lessons) {
    Lesson lesson;
    lesson.behaviour = Behaviour::tuple_reuse_dropped;
    lesson.scope = "all traffic";
    Nanos fail_most = 0;
    std::set<std::uint64_t> conversations;
    std::set<ScopeKey> servers;
    bool repeated = false;
    for (std::uint32_t i = 0; i < study.all().cases.size(); ++i) {
        const Case& one = study.at(i);
        const Nanos since = one.fact->circumstances.since_previous;
        if (is_syn_drop(one) && !one.expected && since > 0) {
            lesson.explained.push_back(i);
            conversations.insert(one.fact->conversation);
            servers.insert(scope_key(Scope::server, client_of(*one.fact), server_of(*one.fact)));
            fail_most = std::max(fail_most, since);
            repeated |= one.fact->attempts > 1;
        }
    }
    if (conversations.empty()) {
        return;
    }
    const Reuses reuses = passing(study, servers);
    if (reuses.pass_least <= fail_most || reuses.fresh == 0) {
        return;
    }
    lesson.grade_max = conversations.size() > 1 || repeated || lesson.explained.size() > 1
                           ? taps::Grade::proven
                           : taps::Grade::probable;
    std::string value = fmt::format("at least {}", duration_text(fail_most));
    if (reuses.passes != 0) {
        value = fmt::format("between {} and {}", duration_text(fail_most),
                            duration_text(reuses.pass_least));
    }
    lesson.sentence = fmt::format(
        "the SYNs of {} came up to {} after the same ports had been used and did not leave; {} "
        "to the same services passed",
        count_of(conversations.size(), "connection"), duration_text(fail_most),
        count_of(reuses.fresh, "connection from fresh ports", "connections from fresh ports"));
    lesson.excluded.push_back("connections from fresh ports were not dropped");
    Parameter parameter{.name = "time_wait",
                        .scope = lesson.scope,
                        .value = value,
                        .low = seconds(fail_most),
                        .high = std::nullopt,
                        .unit = "s",
                        .samples = conversations.size() + reuses.passes,
                        .note = "from the end of a conversation to a SYN of the same tuple"};
    if (reuses.passes != 0) {
        parameter.high = seconds(reuses.pass_least);
    }
    lessons.parameters.push_back(std::move(parameter));
    lessons.lessons.push_back(std::move(lesson));
}

}  // namespace tw::firewall
