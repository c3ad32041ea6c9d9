// SPDX-License-Identifier: BSD-3-Clause
// Stretches of time at each tap, such as those in which its capture was not whole. Bounded; when a
// tap has too many, the two closest become one, which marks too much rather than too little.
#pragma once

#include <array>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "base/time.hpp"
#include "core/options.hpp"

namespace tw::verdict {

// A verdict that a miss of the capture would explain as well is proven only if the tap missed
// nothing this long before and after it.
inline constexpr Nanos kCleanAround = 10 * kSecond;

// Times of files may be anything: no sum may overflow.
[[nodiscard]] constexpr Nanos later_by(Nanos time, Nanos step) {
    return time > INT64_MAX - step ? INT64_MAX : time + step;
}
[[nodiscard]] constexpr Nanos earlier_by(Nanos time, Nanos step) {
    return time < INT64_MIN + step ? INT64_MIN : time - step;
}

class MarkedTimes {
  public:
    static constexpr std::uint32_t kStretchesMax = 1024;  // for each tap

    MarkedTimes() : stretches_(std::size_t{kTapsMax} * kStretchesMax, Backing::lazy) {}

    // In any order of time.
    void add(std::uint8_t tap, Nanos from, Nanos until);
    // Within kCleanAround of [from, until].
    [[nodiscard]] bool near(std::uint8_t tap, Nanos from, Nanos until) const;

  private:
    struct Stretch {
        Nanos from;
        Nanos until;
    };
    [[nodiscard]] Stretch* of(std::uint8_t tap) {
        return stretches_.data() + std::size_t{tap} * kStretchesMax;
    }
    [[nodiscard]] const Stretch* of(std::uint8_t tap) const {
        return stretches_.data() + std::size_t{tap} * kStretchesMax;
    }
    void make_room(std::uint8_t tap);

    LazyArray<Stretch> stretches_;                  // of each tap in order of time, apart
    std::array<std::uint32_t, kTapsMax> counts_{};  // index: tap
};

}  // namespace tw::verdict
