// SPDX-License-Identifier: BSD-3-Clause
// The packets around one case of a finding between their two taps, outside left and inside right:
// which crossed, how long it took them, which entered and did not leave. As data, from which the
// page draws, and as lines for a terminal.
//
//   +s         frame outside                            inside frame
//    0.000000     12 |-- seq 1 len 1010 -------------------->| 14     12.3 us
//  * 0.000120     13 |-- seq 1011 len 1010 ----------->X     |
//                       ^ not seen to leave
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "firewall/finding.hpp"

namespace tw::sinks {

enum class Crossing : std::uint8_t {
    passed,
    not_left,     // entered, not seen to leave
    not_entered,  // left, not seen to enter
    untold,       // the excerpt holds it at one tap only, and no fact is about it
};

struct TapStep {
    taps::Way way = taps::Way::inward;
    Crossing crossing = Crossing::untold;
    // Indexes into Excerpt::packets: where it entered and its twin, or twice the only one.
    std::size_t entered = 0;
    std::size_t left = 0;
    std::string words;         // "seq 1 len 1010": numbers from the first of its side shown
    std::string acknowledges;  // "ack 44", or empty
    std::string changed;       // "left with len 900"; empty = nothing worth a word
    std::string part;          // "not seen to leave", "acknowledges the bytes"
    bool subject = false;      // the packet that the finding is about
};

struct TapLadder {
    std::vector<TapStep> steps;  // in order of time
    bool more_before = false;
    bool more_after = false;
};
[[nodiscard]] TapLadder tap_ladder(const firewall::Evidence& evidence);

// At most `width` columns where the words allow it; steps far from what the finding is about are
// folded. ASCII; empty without an excerpt.
[[nodiscard]] std::vector<std::string> ladder_lines(const firewall::Evidence& evidence,
                                                    std::size_t width);

}  // namespace tw::sinks
