// SPDX-License-Identifier: BSD-3-Clause
// Holds what the product said of one simulation between two taps against its truth: each fact, and
// what it should have found because the frames show it.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "simulation/two_taps/expectation.hpp"
#include "simulation/two_taps/monitor.hpp"

namespace tw::sim::two_taps {

struct ClaimScore {
    std::size_t claim = 0;
    Expectation expected;
    bool wrong = false;
    bool proven = false;
    bool unwitnessed = false;  // proven under rule S, refuted by a miss that no frame shows
};

// What is to be found, by what the goals of firewall.md 7.3 name.
enum class Quest : std::uint8_t {
    drops,        // that take sequence numbers
    exit_misses,  // idem
    entry_misses,
    duplicates,
    alterations,
    reorderings,
};
inline constexpr std::size_t kQuests = static_cast<std::size_t>(Quest::reorderings) + 1;
[[nodiscard]] std::string_view name(Quest quest);

struct Found {
    std::uint64_t visible = 0;
    std::uint64_t found = 0;
    std::uint64_t proven = 0;  // of the found
};

struct FindingScore {
    firewall::Behaviour behaviour = firewall::Behaviour::packet_dropped;
    taps::Grade grade = taps::Grade::unproven;
    bool supported = false;  // the firewall did something of the kind
    std::string words;
};

struct Score {
    std::vector<ClaimScore> claims;
    std::array<Found, kQuests> quests{};
    std::array<std::vector<std::string>, kQuests> unfound;
    std::uint64_t frames = 0;
    std::uint64_t connections = 0;
    std::uint64_t wrongly_paired = 0;
    std::uint64_t unpaired = 0;  // though seen at both taps
    std::vector<std::string> pairing_mistakes;
    std::vector<FindingScore> findings;
    std::vector<std::string> wrong_parameters;
};

[[nodiscard]] Score score(const Ground& ground, const Findings& findings);
[[nodiscard]] std::string words_of(const Ground& ground, const Claim& claim);

}  // namespace tw::sim::two_taps
