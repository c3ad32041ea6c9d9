// SPDX-License-Identifier: BSD-3-Clause
// Holds what the product said of one simulation against its truth: each event, the bytes it says
// the capture missed, what it should have reported and did not, and blame in intervals in which
// the ledger knew better.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "simulation/expectation.hpp"
#include "simulation/monitor.hpp"

namespace tw::sim {

// What the goals are set for.
enum class Class : std::uint8_t { stories, single_timed, single_plain, mixed_low, mixed_high };
inline constexpr std::size_t kClasses = static_cast<std::size_t>(Class::mixed_high) + 1;

struct EventScore {
    std::size_t event = 0;  // index in Findings::events
    Class where = Class::stories;
    event::Verdict truth = event::Verdict::none;
    event::Verdict said = event::Verdict::none;
    event::Cause cause = event::Cause::none;
    bool proven = false;
    bool right = false;
    bool proven_wrong = false;
    // Proven by the rule of the clean capture, and refuted only by a miss no frame shows.
    bool unwitnessed = false;
    Twin twin = Twin::none;
    std::string words;  // the truth about the first part that decides
};

struct MissedBytes {
    Position said = 0;    // in the right place
    Position wrong = 0;   // said of bytes that were not missed, or twice
    Position unsaid = 0;  // missed, provable, and not said
};

struct Score {
    std::vector<EventScore> events;
    MissedBytes missed;
    std::vector<std::string> missed_wrong;   // in words
    std::vector<std::string> unreported;     // visible losses without an episode
    std::uint32_t reportable = 0;            // visible losses
    std::vector<std::string> ledger_blamed;  // network losses where the ledger lost frames
    std::uint64_t frames = 0;
};

[[nodiscard]] Score score(const Ground& ground, const Findings& findings);

[[nodiscard]] std::string_view name(Class where);
[[nodiscard]] std::string words_of(const Ground& ground, const event::Event& event);

}  // namespace tw::sim
