// SPDX-License-Identifier: BSD-3-Clause
// Failover, restart, scale-in, a flushed table (catalogue 25): many unrelated conversations that
// were busy break at one moment, and new ones come about afterwards.
#include "firewall/learners.hpp"

#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace tw::firewall {
namespace {

using sinks::format::clock_text;
using sinks::format::count_of;
using sinks::format::duration_text;

constexpr Nanos kMomentMax = 2 * kSecond;
constexpr std::size_t kBrokenMin = 5;
constexpr Nanos kIdleMax = kSecond;  // silent for longer: a time-out may have come to its end
constexpr double kBrokenShareMin = 0.5;

struct Broken {
    Nanos time = 0;  // of the first packet that did not get through any more
    const taps::Conversation* conversation = nullptr;
    std::span<const std::uint32_t> cases;  // from there on
    bool busy = false;
};

// The moment from which nothing of a conversation left any more; false if it went on.
bool find_break(const Study& study, const taps::Conversation& conversation, Broken& broken) {
    const auto indexes = study.cases_of(conversation.id);
    const auto first = std::find_if(indexes.begin(), indexes.end(), [&](std::uint32_t index) {
        const Case& one = study.at(index);
        return !one.fact->in_handshake && (is_final_drop(one) || is_firewall_reset(one));
    });
    if (first == indexes.end() || std::any_of(first, indexes.end(), [&](std::uint32_t index) {
            return is_drop(study.at(index)) && study.at(index).fact->cost != 0;
        })) {
        return false;
    }
    const taps::Fact& fact = *study.at(*first).fact;
    broken.time = fact.time;
    broken.conversation = &conversation;
    broken.cases = indexes.subspan(static_cast<std::size_t>(first - indexes.begin()));
    broken.busy = fact.circumstances.idle < kIdleMax;
    return true;
}

struct Event {
    std::span<const Broken> broken;
    std::uint64_t survivors = 0;  // that went on across the moment
    std::uint64_t fresh = 0;      // came about afterwards, and went well
    std::uint64_t troubled = 0;   // came about afterwards, and lost something too
    Nanos outage = 0;             // until the first of these
};

Event look_at(const Study& study, std::span<const Broken> broken) {
    Event event{.broken = broken};
    const Nanos begin = broken.front().time;
    const Nanos end = broken.back().time;
    std::set<std::uint64_t> ids;
    for (const Broken& one : broken) {
        ids.insert(one.conversation->id);
    }
    Nanos first_fresh = INT64_MAX;
    for (const taps::Conversation& conversation : study.all().conversations) {
        if (conversation.established > begin) {
            const bool well = study.cases_of(conversation.id).empty();
            ++(well ? event.fresh : event.troubled);
            first_fresh = well ? std::min(first_fresh, conversation.established) : first_fresh;
        } else if (conversation.first < begin && conversation.last > end + kMomentMax &&
                   !ids.contains(conversation.id)) {
            ++event.survivors;
        }
    }
    event.outage = event.fresh != 0 ? first_fresh - begin : 0;
    return event;
}

bool unrelated(std::span<const Broken> broken) {
    std::set<ScopeKey> clients;
    std::set<ScopeKey> servers;
    for (const Broken& one : broken) {
        const flow::Endpoint& client = client_of(*one.conversation);
        const flow::Endpoint& server = server_of(*one.conversation);
        clients.insert(scope_key(Scope::client_host, client, server));
        servers.insert(scope_key(Scope::server, client, server));
    }
    return clients.size() > 1 || servers.size() > 1;
}

void tell(const Event& event, bool spread, Lessons& lessons) {
    Lesson lesson;
    lesson.behaviour = Behaviour::state_lost_at_once;
    lesson.scope = "all traffic";
    // Between one client and one server it may as well be the server that forgot them.
    lesson.grade_max = spread ? taps::Grade::proven : taps::Grade::probable;
    for (const Broken& one : event.broken) {
        lesson.explained.insert(lesson.explained.end(), one.cases.begin(), one.cases.end());
    }
    std::sort(lesson.explained.begin(), lesson.explained.end());
    const Nanos begin = event.broken.front().time;
    const Nanos took = event.broken.back().time - begin;
    lesson.first = begin;
    lesson.last = event.broken.back().time;
    lesson.sentence = fmt::format(
        "{} broke within {} from {} on, {} went on; the first new connection came about {} later",
        count_of(event.broken.size(), "conversation"), duration_text(took), clock_text(begin),
        sinks::format::count_text(event.survivors), duration_text(event.outage));
    lesson.excluded.push_back("the conversations were busy: no idle time-out had come to its end");
    lessons.parameters.push_back({.name = "outage",
                                  .scope = lesson.scope,
                                  .value = duration_text(event.outage),
                                  .low = std::nullopt,
                                  .high = seconds(event.outage),
                                  .unit = "s",
                                  .samples = event.broken.size(),
                                  .note = "from the first conversation that broke to the first "
                                          "new one"});
    lessons.lessons.push_back(std::move(lesson));
}

}  // namespace

void learn_lost_state(const Study& study, Lessons& lessons) {
    std::vector<Broken> broken;
    for (const taps::Conversation& conversation : study.all().conversations) {
        Broken one;
        if (find_break(study, conversation, one) && one.busy) {
            broken.push_back(one);
        }
    }
    std::sort(broken.begin(), broken.end(),
              [](const Broken& a, const Broken& b) { return a.time < b.time; });
    std::size_t begin = 0;
    while (begin < broken.size()) {
        std::size_t end = begin + 1;
        while (end < broken.size() && broken[end].time - broken[begin].time <= kMomentMax) {
            ++end;
        }
        const auto moment = std::span<const Broken>(broken).subspan(begin, end - begin);
        if (moment.size() < kBrokenMin) {
            ++begin;
            continue;
        }
        const Event event = look_at(study, moment);
        const auto count = static_cast<double>(moment.size());
        const auto survivors = static_cast<double>(event.survivors);
        if (event.fresh > event.troubled && count >= kBrokenShareMin * (count + survivors)) {
            tell(event, unrelated(moment), lessons);
        }
        begin = end;
    }
}

}  // namespace tw::firewall
