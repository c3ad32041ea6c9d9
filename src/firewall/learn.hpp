// SPDX-License-Identifier: BSD-3-Clause
// What many facts say together that none says alone: idle time-outs, limits, rates, sizes, reuse of
// ports, state lost at one moment. Each learner names the facts it explains; classification then
// tells them as its behaviour and as nothing else. Pure: the same facts give the same lessons.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/taps/conversation.hpp"
#include "core/taps/fact.hpp"
#include "core/taps/passage.hpp"
#include "firewall/behaviour.hpp"
#include "firewall/policy.hpp"
#include "firewall/report.hpp"

namespace tw::firewall {

// A fact as it stands by itself: settled, with the behaviour that it alone shows.
struct Case {
    const taps::Fact* fact = nullptr;
    taps::Grade grade = taps::Grade::unproven;
    Behaviour behaviour = Behaviour::packet_dropped;
    bool expected = false;  // the policy wants it: a SYN that must not pass
};

struct Cases {
    std::span<const Case> cases;                        // in the order of Fact::time
    std::span<const taps::Conversation> conversations;  // in the order of Conversation::first
    const taps::Passage& passage;
    const Policy& policy;
    Nanos skew = 0;  // of times between the taps
};

// One explanation. Where several explain one fact, the first of kPrecedence (classify.cpp) tells
// it.
struct Lesson {
    Behaviour behaviour = Behaviour::packet_dropped;
    // How far the explanation itself holds: its cases are not graded higher.
    taps::Grade grade_max = taps::Grade::proven;
    std::string scope;  // "all traffic", "server 10.0.0.5:443", "host 10.0.0.7"
    std::vector<std::uint32_t>
        explained;         // indexes into Cases::cases; may be empty (shaped, spikes)
    std::string sentence;  // the numbers: "the time-out lies between 3.00 s and 4.00 s"; ends bare
    std::vector<std::string> excluded;  // other explanations and why not
    Nanos first = 0;                    // where no case says so
    Nanos last = 0;
    std::uint64_t count = 0;  // packets or conversations, where there are no cases
};

struct Lessons {
    std::vector<Lesson> lessons;
    std::vector<Parameter> parameters;
    std::vector<Explanation> in_common;
    std::vector<Latency> latencies;
    std::vector<Spike> spikes;
    std::vector<RewriteRow> rewrites;
};

[[nodiscard]] Lessons learn(const Cases& cases);

}  // namespace tw::firewall
