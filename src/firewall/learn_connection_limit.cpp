// SPDX-License-Identifier: BSD-3-Clause
// Connection limit, or a full session table (catalogue 6): SYNs to services that others reach are
// dropped or refused while N conversations are open, and none while fewer are.
#include "firewall/learners.hpp"

#include "firewall/coincidence.hpp"
#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <queue>
#include <set>

namespace tw::firewall {
namespace {

using sinks::format::count_of;
using sinks::format::count_text;

constexpr std::uint64_t kLimitMin = 2;
constexpr std::size_t kFailsMin = 3;  // connections: two may have any two things in common

struct Stay {
    Nanos begin = 0;
    Nanos end = 0;
};

// How many were open: at least, surely; and at most.
struct Open {
    std::uint64_t least = 0;
    std::uint64_t most = 0;
};

struct Attempt {
    Nanos time = 0;
    std::uint32_t index = 0;  // of the case
    std::uint8_t syns = 1;    // repeats are tried anew
    Open open;
};

struct Group {
    std::vector<Stay> stays;  // conversations that came about, in the order of their beginnings
    std::vector<Attempt> fails;
    std::set<std::uint64_t> conversations;  // that failed
    flow::Endpoint client;
    flow::Endpoint server;
    std::uint64_t most_passed = 0;  // surely open when one more came about
    std::uint64_t least_failed = UINT64_MAX;
    std::uint64_t sure_passes = 0;  // at which fewer than least_failed were open, surely
    bool let_in_again = false;      // one came about after a refusal

    [[nodiscard]] bool holds() const {
        return conversations.size() >= kFailsMin && least_failed >= kLimitMin &&
               most_passed < least_failed;
    }
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

bool is_refusal(const Case& one) {
    return !one.expected &&
           (is_syn_drop(one) || (is_firewall_reset(one) && one.fact->in_handshake));
}

// Asked in the order of time.
class OpenCount {
  public:
    explicit OpenCount(const std::vector<Stay>& stays) : stays_(stays) {}

    Open at(Nanos time) {
        // When the firewall lets go of one that closes is not known to the moment: between its FINs
        // and the last packet.
        constexpr Nanos kClosing = kSecond;
        for (; next_ < stays_.size() && stays_[next_].begin < time; ++next_) {
            surely_.push(stays_[next_].end);
            perhaps_.push(stays_[next_].end);
        }
        drop(surely_, time + kClosing);
        drop(perhaps_, time - kClosing);
        return {surely_.size(), perhaps_.size()};
    }

  private:
    using Ends = std::priority_queue<Nanos, std::vector<Nanos>, std::greater<>>;

    static void drop(Ends& ends, Nanos until) {
        while (!ends.empty() && ends.top() <= until) {
            ends.pop();
        }
    }

    const std::vector<Stay>& stays_;
    std::size_t next_ = 0;
    Ends surely_;
    Ends perhaps_;
};

void count_open(Group& group) {
    std::sort(group.stays.begin(), group.stays.end(),
              [](const Stay& a, const Stay& b) { return a.begin < b.begin; });
    OpenCount at_fails(group.stays);
    for (Attempt& fail : group.fails) {
        fail.open = at_fails.at(fail.time);
        group.least_failed = std::min(group.least_failed, fail.open.most);
    }
    OpenCount at_passes(group.stays);
    for (const Stay& stay : group.stays) {
        const Open open = at_passes.at(stay.begin);
        group.most_passed = std::max(group.most_passed, open.least);
        group.sure_passes += open.most < group.least_failed ? 1U : 0U;
        group.let_in_again |= !group.fails.empty() && stay.begin > group.fails.front().time;
    }
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
        // A SYN that had to be repeated got its place when the last one passed.
        const Nanos begin =
            conversation.established != 0 ? conversation.established : conversation.first;
        groups[scope_key(scope, client, server)].stays.push_back(
            {begin, end_of(conversation, lingering)});
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
        group.fails.push_back(
            {.time = one.fact->time, .index = i, .syns = one.fact->attempts, .open = {}});
        group.conversations.insert(one.fact->conversation);
        group.client = client;
        group.server = server;
    }
    for (auto& [key, group] : groups) {
        count_open(group);
    }
    return groups;
}

// Whether SYNs that are lost for another reason may have hit just these: one by one at random, or
// whole connections by their addresses and ports.
bool may_be_chance(const Group& group) {
    constexpr double kOfTuples = 1e-3;
    std::uint64_t syns = 0;
    std::uint64_t tuples = 0;
    for (const Attempt& fail : group.fails) {
        const bool sure = fail.open.least > group.most_passed;
        syns += sure ? fail.syns : 0U;
        tuples += sure ? 1U : 0U;
    }
    return chance_of_order(syns, group.sure_passes) > kChanceMax ||
           chance_of_order(tuples, group.sure_passes) > kOfTuples;
}

std::string value_of(const Group& group) {
    const std::uint64_t low = group.most_passed + 1;
    const std::uint64_t high = group.least_failed;
    return low == high ? count_text(low)
                       : fmt::format("{} to {}", count_text(low), count_text(high));
}

Lesson lesson_of(const Group& group, Scope scope) {
    Lesson lesson;
    lesson.behaviour = Behaviour::connection_limit;
    lesson.scope = scope_text(scope, group.client, group.server);
    for (const Attempt& fail : group.fails) {
        lesson.explained.push_back(fail.index);
    }
    // What fails only at the top of a wide range, or from some moment on, may fail for another
    // reason.
    const std::uint64_t low = group.most_passed + 1;
    const bool narrow = group.least_failed - low <= low / 10;
    const bool sure = narrow && group.let_in_again && !may_be_chance(group);
    lesson.grade_max = sure ? taps::Grade::proven : taps::Grade::probable;
    lesson.sentence =
        fmt::format("{} refused while {} or more were open, none while fewer were: a limit of {}",
                    count_of(group.conversations.size(), "connection"),
                    count_text(group.least_failed), value_of(group));
    lesson.excluded.push_back(
        "other connections to the same services came about while fewer were open");
    return lesson;
}

Parameter parameter_of(const Group& group, Scope scope, Lingering lingering) {
    return {
        .name = "connection_limit",
        .scope = scope_text(scope, group.client, group.server),
        .value = value_of(group),
        .low = static_cast<double>(group.most_passed + 1),
        .high = static_cast<double>(group.least_failed),
        .unit = "connections",
        .samples = group.stays.size() + group.conversations.size(),
        .note = lingering == 0 ? "" : "closed connections are counted for 120 s more (TIME_WAIT)"};
}

// Groups of one kind that explain nearly all refusals (some SYN may be lost for itself), else none.
std::vector<Group> limited(const Study& study, Scope scope, Lingering lingering) {
    std::vector<Group> found;
    std::size_t fails = 0;
    std::size_t explained = 0;
    for (auto& [key, group] : gather(study, scope, lingering)) {
        fails += group.fails.size();
        // Counts that closed ones do not lower only grow: any late refusal would fit.
        if (group.holds() && (lingering == 0 || group.let_in_again)) {
            explained += group.fails.size();
            found.push_back(group);
        }
    }
    return explained * 10 >= fails * 9 ? found : std::vector<Group>{};
}

// What was seen may not tell which of several is limited: each number that fits is told.
bool tell_limit(const Study& study, Lingering lingering, Lessons& lessons) {
    std::vector<Lesson> told;
    std::set<std::string> values;
    for (const Scope scope : kScopes) {
        const std::vector<Group> groups = limited(study, scope, lingering);
        const bool first = told.empty();
        if (!first && (told.size() > 1 || groups.size() > 1)) {
            continue;
        }
        for (const Group& group : groups) {
            const std::string value = value_of(group);
            const bool is_new = values.insert(value).second;
            if (first) {
                told.push_back(lesson_of(group, scope));
            } else if (is_new) {
                told.front().sentence += fmt::format(", or of {} for {} alone", value,
                                                     scope_text(scope, group.client, group.server));
            }
            if (first || is_new) {
                lessons.parameters.push_back(parameter_of(group, scope, lingering));
            }
        }
    }
    std::move(told.begin(), told.end(), std::back_inserter(lessons.lessons));
    return !told.empty();
}

}  // namespace

void learn_connection_limit(const Study& study, Lessons& lessons) {
    const auto cases = study.all().cases;
    if (std::none_of(cases.begin(), cases.end(), is_refusal)) {
        return;
    }
    constexpr Nanos kTimeWait = 120 * kSecond;
    for (const Lingering lingering : {Lingering{0}, kTimeWait}) {
        if (tell_limit(study, lingering, lessons)) {
            return;
        }
    }
}

}  // namespace tw::firewall
