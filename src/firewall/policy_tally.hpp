// SPDX-License-Identifier: BSD-3-Clause
// What one rule had of the traffic: its connections by how they stand to it, and the sums that its
// limits are measured from.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "core/taps/conversation.hpp"
#include "firewall/learn.hpp"
#include "firewall/policy_match.hpp"
#include "firewall/policy_run.hpp"
#include "firewall/report.hpp"

namespace tw::firewall {

// How a connection stands to its rule.
enum class Stand : std::uint8_t {
    agrees,
    contradicts,
    open,      // decides nothing, and nothing speaks against it
    doubtful,  // speaks against it, and is not proven
};

// What the facts prove of one connection's attempt.
struct AttemptProof {
    taps::Grade stopped = taps::Grade::unproven;  // SYN or SYN/ACK lost, or refused
    taps::Grade reset = taps::Grade::unproven;    // a reset that the firewall sent
    bool icmp_known = false;
    bool icmp_v6 = false;
    std::uint8_t icmp_code = 0;
};

struct Tally {
    static constexpr std::size_t kExamplesMax = 3;

    std::uint64_t connections = 0;
    std::uint64_t agreeing = 0;
    std::uint64_t contradicting = 0;
    std::uint64_t open = 0;
    std::uint64_t doubtful = 0;
    std::array<std::uint64_t, taps::kOutcomes> outcomes{};
    std::array<std::uint64_t, taps::kOutcomes> contradicting_outcomes{};
    std::vector<taps::Conversation> examples;

    // Of all connections of the rule.
    std::uint64_t made = 0;            // established
    std::uint64_t stopped = 0;         // by the firewall, proven
    std::uint64_t stopped_maybe = 0;   // probably
    std::uint64_t reset = 0;           // made, and reset by the firewall: proven
    std::uint64_t reset_maybe = 0;     // idem, not proven
    std::uint64_t offered = 0;         // packets
    std::uint64_t lost = 0;            // of these, proven
    std::uint64_t lost_maybe = 0;      // probable, and those of which nothing is known
    std::uint64_t pairs_setup = 0;     // SYN and SYN/ACK that passed
    std::uint64_t pairs_data = 0;      // all others that passed
    Nanos idle_passed = 0;             // longest silence after which a packet passed
    std::optional<Nanos> idle_failed;  // shortest after which none did: proven
};

struct TallyResult {
    std::vector<Tally> rows;           // of Report::policy
    std::uint64_t outside_policy = 0;  // connections that no rule names
    // What is proven, no rule expects and no limit of a rule judges.
    std::uint64_t drops = 0;  // packets
    std::uint64_t harms = 0;  // cases
};

[[nodiscard]] Stand stand_of(const Rule& rule, const taps::Conversation& conversation,
                             const AttemptProof& proof, Trust trust);

[[nodiscard]] TallyResult tally(const PolicyRun& run, Trust trust);

}  // namespace tw::firewall
