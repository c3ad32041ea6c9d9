// SPDX-License-Identifier: BSD-3-Clause
// What may happen to packets between two points: delay, jitter that keeps the order, and faults
// drawn at random, singly or in bursts.
#pragma once

#include <array>

#include "simulation/plan.hpp"
#include "support/random.hpp"

namespace tw::sim {

// Whether a fault strikes the next packet: at its rate, in bursts of its mean length.
class Dice {
  public:
    Dice() = default;
    explicit Dice(Rate rate) : rate_(rate) {}

    [[nodiscard]] bool strikes(test::Random& random);
    [[nodiscard]] bool possible() const { return rate_.per_million != 0; }

  private:
    Rate rate_;
    bool in_burst_ = false;
};

// One way between a host and the tap. Packets keep their order unless one is held back.
class Link {
  public:
    struct Options {
        Nanos delay = 0;
        Nanos jitter = 0;
        Nanos spacing = 0;
    };
    Link() = default;
    explicit Link(const Options& options) : options_(options) {}

    // When a packet sent now arrives; held back by `late`, others overtake it.
    [[nodiscard]] Nanos arrival(Nanos now, Nanos late, test::Random& random);
    [[nodiscard]] Nanos delay() const { return options_.delay; }

  private:
    Options options_;
    Nanos last_ = INT64_MIN / 2;
};

// 1 .. most, small values as likely as large ones.
[[nodiscard]] Nanos some_delay(Nanos most, test::Random& random);

}  // namespace tw::sim
