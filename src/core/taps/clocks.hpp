// SPDX-License-Identifier: BSD-3-Clause
// How far the captures of both taps reach, and how long a packet waits for its twin. Time is the
// frames' own and what the driver says of silent taps; there is no clock here.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.hpp"
#include "core/taps/side.hpp"

namespace tw::taps {

// How far each tap's capture reaches.
struct Clocks {
    std::array<Nanos, kSides> first{};
    std::array<Nanos, kSides> now{};
    std::array<bool, kSides> started{};

    void saw(Side tap, Nanos time) {
        if (!started[index(tap)]) {
            started[index(tap)] = true;
            first[index(tap)] = time;
            now[index(tap)] = time;
        }
        now[index(tap)] = time > now[index(tap)] ? time : now[index(tap)];
    }
    // Has come no further than that.
    void limit(Nanos time) {
        for (Nanos& at : now) {
            at = at < time ? at : time;
        }
    }
    [[nodiscard]] bool both_started() const { return started[0] && started[1]; }
    // Both taps have delivered everything up to here.
    [[nodiscard]] Nanos reached() const { return now[0] < now[1] ? now[0] : now[1]; }
};

// The longest wait for a twin: at least what the options say, and 20 times the transit that 99.9 %
// of the pairs stay below. Steps of an eighth of a power of two.
class Wait {
  public:
    explicit Wait(Nanos least) : least_(least), now_(least) {}
    void add(Nanos transit);
    [[nodiscard]] Nanos now() const { return now_; }

  private:
    static constexpr std::uint32_t kSteps = 8 * 48;
    static constexpr std::uint32_t kRefresh = 1024;  // pairs between two looks
    static constexpr Nanos kMost = 60 * kSecond;

    void refresh();

    Nanos least_;
    Nanos now_;
    std::uint32_t since_ = 0;
    std::uint64_t total_ = 0;
    std::array<std::uint32_t, kSteps> steps_{};
};

}  // namespace tw::taps
