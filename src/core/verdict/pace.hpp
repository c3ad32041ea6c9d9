// SPDX-License-Identifier: BSD-3-Clause
// Pattern periodic_loss: whether the latest losses of a tap come at even intervals.
#pragma once

#include <array>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "core/event/event.hpp"
#include "core/options.hpp"
#include "core/verdict/pattern.hpp"

namespace tw::verdict {

class Pace {
  public:
    // Losses of a tap that are looked at: the latest.
    static constexpr std::uint32_t kLossesMax = 512;

    Pace() : losses_(std::size_t{kTapsMax} * kLossesMax, Backing::lazy) {}
    void add(const event::Event& loss);
    void look(PatternList& found) const;

  private:
    struct Loss {
        Nanos time;
        std::uint64_t bytes;
        std::uint32_t stream;
    };
    void look_at(std::uint8_t tap, PatternList& found) const;

    LazyArray<Loss> losses_;                        // a ring for each tap
    std::array<std::uint64_t, kTapsMax> counts_{};  // ever added
};

}  // namespace tw::verdict
