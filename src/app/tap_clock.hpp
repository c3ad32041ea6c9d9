// SPDX-License-Identifier: BSD-3-Clause
// Whether two captures were stamped by one clock, and if not, how far apart the two were: from
// packets that both show. A packet cannot leave before it entered, whichever way it goes; where all
// of both directions seem to cross one way in time, the clocks differ.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <vector>

#include "app/tap_files.hpp"
#include "base/error.hpp"
#include "base/time.hpp"

namespace tw::app {

// A packet that both captures show once.
struct CommonPacket {
    Nanos outside = 0;        // time at the outside tap
    Nanos difference = 0;     // time at the inside tap less that
    bool from_lower = false;  // sent by the lower end of its key: tells the two directions apart
};

struct ClockEstimate {
    std::uint64_t samples = 0;  // packets that both captures show
    bool both_directions = false;
    bool differs = false;  // the clocks do; else correction is zero
    ClockCorrection correction;
    Nanos jitter = 0;  // half the width within which nine of ten differences lie
};

[[nodiscard]] ClockEstimate estimate(std::vector<CommonPacket> common);

// Reads both captures once. `progress` is called now and then with the bytes read of both; it says
// whether to go on.
[[nodiscard]] std::expected<ClockEstimate, Error> estimate_clocks(
    const TapFilePair& files, const std::function<bool(std::uint64_t)>& progress);

}  // namespace tw::app
