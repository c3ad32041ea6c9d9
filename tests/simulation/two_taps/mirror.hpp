// SPDX-License-Identifier: BSD-3-Clause
// One tap: which packets of its wire reach the capture, when, and how often.
#pragma once

#include <array>
#include <vector>

#include "simulation/network.hpp"
#include "simulation/two_taps/record.hpp"
#include "support/random.hpp"

namespace tw::sim::two_taps {

class Mirror {
  public:
    Mirror(const MirrorPlan& plan, std::uint64_t seed);

    // A packet is on the wire now.
    void see(std::uint32_t number, Sighting& sighting);
    // Everything captured, in the order of capture; the sightings learn their frame numbers.
    [[nodiscard]] std::vector<Captured> finish(std::vector<Sighting>& sightings);

  private:
    [[nodiscard]] Nanos delay(taps::Way way, Nanos now);

    MirrorPlan plan_;
    test::Random random_;
    Dice loss_;
    Dice duplicate_;
    Dice held_;
    Dice swap_;
    struct Skew {
        Nanos delay = 0;
        Nanos last = INT64_MIN / 2;
        std::uint32_t left = 0;  // packets until it changes
    };
    std::array<Skew, taps::kWays> skew_;
    std::vector<Captured> captured_;
};

}  // namespace tw::sim::two_taps
