// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/clocks.hpp"

#include <algorithm>
#include <bit>

namespace tw::taps {

void Wait::add(Nanos transit) {
    const auto value = static_cast<std::uint64_t>(std::max<Nanos>(transit, 8));
    const auto octave = static_cast<std::uint32_t>(std::bit_width(value)) - 4;
    const auto step = octave * 8 + static_cast<std::uint32_t>(value >> octave & 7);
    ++steps_[std::min(step, kSteps - 1)];
    ++total_;
    if (++since_ == kRefresh) {
        since_ = 0;
        refresh();
    }
}

void Wait::refresh() {
    std::uint64_t above = 0;
    std::uint32_t step = kSteps;
    while (step > 0 && above <= total_ / 1000) {
        above += steps_[--step];
    }
    const Nanos high = static_cast<Nanos>((8 + std::uint64_t{step % 8} + 1) << (step / 8));
    now_ = std::clamp<Nanos>(20 * high, least_, std::max(least_, kMost));
}

}  // namespace tw::taps
