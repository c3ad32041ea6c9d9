// SPDX-License-Identifier: BSD-3-Clause
// What of a connection is worth a line: its beginning and end, what surrounds each episode, long
// silences. All else becomes folds that say how much they hide. Decides, draws nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sinks/ladder_log.hpp"

namespace tw::sinks {

struct LadderView {
    bool all = false;           // fold nothing
    std::uint64_t episode = 0;  // id of the episode to centre on; 0 = the gravest ones
    Nanos initial_rtt = 0;      // 0 = unknown
};

struct LadderItem {
    enum class Kind : std::uint8_t {
        segment,
        fold,     // rows that are not shown
        idle,     // nothing was captured for a while
        missing,  // the bytes of a hole, where they should have come
        verdict,
    };
    Kind kind = Kind::segment;
    std::size_t index = 0;  // segment: into rows; fold: into folds; missing, verdict: into shown
    Nanos idle = 0;
};

struct LadderFold {
    std::array<std::uint64_t, 2> segments{};  // by side
    std::array<std::uint64_t, 2> bytes{};
    Nanos span = 0;             // from the segment before to the one after
    std::uint64_t flagged = 0;  // of the segments, those with flags ...
    tcp::FlagCounts flags{};    // ... and which, of those still kept
    std::uint64_t kept = 0;     // segments whose rows are still there
    std::uint64_t episodes = 0;

    [[nodiscard]] std::uint64_t count() const { return segments[0] + segments[1]; }
};

struct LadderPlan {
    std::vector<event::Event> shown;  // episodes with their own lines; number = index + 1
    std::uint64_t hidden = 0;         // episodes without
    std::vector<LadderItem> items;
    std::vector<LadderFold> folds;
};

[[nodiscard]] LadderPlan plan_ladder(const LadderLog& log, const LadderView& view);

// The range of a hole is drawn as a segment that did not come.
[[nodiscard]] bool drawn_as_missing(const event::Event& event);

}  // namespace tw::sinks
