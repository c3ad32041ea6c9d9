// SPDX-License-Identifier: BSD-3-Clause
// Failover, restart, scale-in, a flushed table (catalogue 25): many unrelated conversations that
// were busy break at one moment, and new ones come about afterwards. The moment lies between the
// last packet of each that left and the first that did not: one must fit them all.
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

constexpr std::size_t kBrokenMin = 5;
// What had been let in before the moment leaves up to so much after it.
constexpr Nanos kTransit = 50 * kMillisecond;
constexpr Nanos kIdleMax = kSecond;  // silent for longer: a time-out may have come to its end
constexpr double kBrokenShareMin = 0.5;

struct Broken {
    Nanos time = 0;  // of the first packet that did not get through any more
    const taps::Conversation* conversation = nullptr;
    std::span<const std::uint32_t> cases;  // from there on
    Nanos idle = 0;                        // before it, since the last packet that left

    [[nodiscard]] bool busy() const { return idle < kIdleMax; }
    [[nodiscard]] bool may_have_broken_at(Nanos moment) const {
        return time - idle <= moment + kTransit;
    }
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
    broken.idle = fact.circumstances.idle;
    return true;
}

struct Event {
    std::span<const Broken> broken;
    std::uint64_t survivors = 0;  // that went on across the moment
    std::uint64_t fresh = 0;      // came about afterwards, and went well
    std::uint64_t troubled = 0;   // came about afterwards, and lost something too
    Nanos outage = 0;             // until the first of these
};

using Ids = std::set<std::uint64_t>;

// `ever_broken`: at this moment or at another.
Event look_at(const Study& study, std::span<const Broken> broken, const Ids& ever_broken) {
    Event event{.broken = broken};
    const Nanos begin = broken.front().time;
    const Nanos end = broken.back().time;
    Nanos first_fresh = INT64_MAX;
    for (const taps::Conversation& conversation : study.all().conversations) {
        if (conversation.established > begin) {
            const bool well = study.cases_of(conversation.id).empty();
            ++(well ? event.fresh : event.troubled);
            first_fresh = well ? std::min(first_fresh, conversation.established) : first_fresh;
        } else if (conversation.first < begin && conversation.last > end + kIdleMax &&
                   !ever_broken.contains(conversation.id)) {
            ++event.survivors;
        }
    }
    event.outage = event.fresh != 0 ? first_fresh - begin : 0;
    return event;
}

// Packets as long as the first that was lost had passed: its length did not stop it.
bool had_passed_as_long(const Study& study, const Broken& broken) {
    const taps::Fact& fact = *study.at(broken.cases.front()).fact;
    return fact.packet.ip_bytes <= broken.conversation->ways[taps::index(fact.way)].longest_passed;
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

void tell(const Event& event, bool sure, Lessons& lessons) {
    Lesson lesson;
    lesson.behaviour = Behaviour::state_lost_at_once;
    lesson.scope = "all traffic";
    // Between one client and one server it may as well be the server that forgot them.
    lesson.grade_max = sure ? taps::Grade::proven : taps::Grade::probable;
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
    Ids ever_broken;
    for (const taps::Conversation& conversation : study.all().conversations) {
        Broken one;
        if (find_break(study, conversation, one)) {
            ever_broken.insert(conversation.id);
            if (one.busy()) {
                broken.push_back(one);
            }
        }
    }
    std::sort(broken.begin(), broken.end(),
              [](const Broken& a, const Broken& b) { return a.time < b.time; });
    // The first to break ends the time in which the moment may lie.
    for (auto begin = broken.begin(); begin != broken.end();) {
        const Nanos moment = begin->time;
        const auto fits = [&](const Broken& one) { return one.may_have_broken_at(moment); };
        const auto near = std::partition_point(begin, broken.end(), [&](const Broken& one) {
            return one.time <= moment + kTransit + kIdleMax;
        });
        const auto count = static_cast<std::size_t>(std::count_if(begin, near, fits));
        if (count < kBrokenMin) {
            ++begin;
            continue;
        }
        const auto end = std::stable_partition(begin, near, fits);
        const Event event = look_at(study, std::span<const Broken>(begin, end), ever_broken);
        const double share =
            static_cast<double>(count) / static_cast<double>(count + event.survivors);
        if (event.fresh > event.troubled && share >= kBrokenShareMin) {
            const auto as_long = std::count_if(
                begin, end, [&](const Broken& one) { return had_passed_as_long(study, one); });
            const bool of_length = static_cast<std::size_t>(as_long) * 2 <= count;
            tell(event, unrelated(event.broken) && !of_length, lessons);
        }
        begin = end;
    }
}

}  // namespace tw::firewall
