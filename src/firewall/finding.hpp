// SPDX-License-Identifier: BSD-3-Clause
// One finding of a report: a behaviour, how far it is proven, how often, on which conversations,
// and the packets that show it. Many facts of one kind make one finding.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "core/taps/fact.hpp"
#include "firewall/behaviour.hpp"

namespace tw::firewall {

// One case of a finding that is shown in full.
struct Evidence {
    taps::Fact fact;
    taps::Grade grade = taps::Grade::unproven;  // as settled: never above the fact's own
    std::string sentence;
    taps::Excerpt excerpt;  // count 0 = not kept
};

struct Finding {
    std::uint32_t id = 0;  // from 1, in the order of the report
    Behaviour behaviour = Behaviour::packet_dropped;
    taps::Grade grade = taps::Grade::unproven;  // of the best case
    // Who it is about: the service or the whole traffic, in words ("server 10.0.0.5:443").
    std::string scope;
    std::string sentence;               // one line for people, numbers included
    std::string advice;                 // what to look at on the firewall; may be empty
    std::vector<std::string> excluded;  // other explanations and why not
    bool expected = false;              // the policy wants it: never in the headline, fails no run
    std::uint64_t cases = 0;            // packets or connections
    std::uint64_t proven = 0;           // of the cases
    std::uint64_t probable = 0;
    std::uint64_t conversations = 0;
    std::uint64_t bytes = 0;  // lost, altered, …
    Nanos first = 0;
    Nanos last = 0;
    Nanos cost = 0;  // what conversations lost by it, added up
    // Chance that a probable loss is a double fault of the capture: product of two measured rates.
    double chance_of_error = 0;
    bool has_chance = false;
    std::vector<Evidence> evidence;  // at most kEvidenceMax
    static constexpr std::size_t kEvidenceMax = 3;
};

}  // namespace tw::firewall
