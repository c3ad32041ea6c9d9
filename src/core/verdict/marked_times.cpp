// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/marked_times.hpp"

#include <algorithm>

namespace tw::verdict {

void MarkedTimes::add(std::uint8_t tap, Nanos from, Nanos until) {
    if (tap >= kTapsMax) {
        return;
    }
    if (counts_[tap] == kStretchesMax) {
        make_room(tap);
    }
    // What lies between two stretches no farther apart than this is near one of them anyway.
    constexpr Nanos kJoined = 2 * kCleanAround;
    const auto before = [&](const Stretch& stretch, Nanos time) {
        return later_by(stretch.until, kJoined) < time;
    };
    Stretch* const begin = of(tap);
    Stretch* const first = std::lower_bound(begin, begin + counts_[tap], from, before);
    Stretch* last = first;
    Stretch joined{from, until};
    while (last != begin + counts_[tap] && last->from <= later_by(joined.until, kJoined)) {
        joined.from = std::min(joined.from, last->from);
        joined.until = std::max(joined.until, last->until);
        ++last;
    }
    if (last != first) {
        *first = joined;
        std::copy(last, begin + counts_[tap], first + 1);
        counts_[tap] -= static_cast<std::uint32_t>(last - first - 1);
        return;
    }
    std::copy_backward(first, begin + counts_[tap], begin + counts_[tap] + 1);
    *first = joined;
    ++counts_[tap];
}

void MarkedTimes::make_room(std::uint8_t tap) {
    Stretch* const stretches = of(tap);
    const auto gap = [stretches](std::uint32_t i) {
        // Unsigned: the stretches may lie farther apart than a Nanos holds.
        return static_cast<std::uint64_t>(stretches[i + 1].from) -
               static_cast<std::uint64_t>(stretches[i].until);
    };
    std::uint32_t closest = 0;
    for (std::uint32_t i = 1; i + 1 < counts_[tap]; ++i) {
        closest = gap(i) < gap(closest) ? i : closest;
    }
    stretches[closest].until = stretches[closest + 1].until;
    std::copy(stretches + closest + 2, stretches + counts_[tap], stretches + closest + 1);
    --counts_[tap];
}

bool MarkedTimes::near(std::uint8_t tap, Nanos from, Nanos until) const {
    if (tap >= kTapsMax) {
        return true;
    }
    const Stretch* const begin = of(tap);
    const Stretch* const end = begin + counts_[tap];
    const Nanos earliest = earlier_by(from, kCleanAround);
    const Stretch* const found =
        std::lower_bound(begin, end, earliest,
                         [](const Stretch& stretch, Nanos time) { return stretch.until < time; });
    return found != end && found->from <= later_by(until, kCleanAround);
}

}  // namespace tw::verdict
