// SPDX-License-Identifier: BSD-3-Clause
// Ticks of a pcapng interface (if_tsresol, if_tsoffset) -> nanoseconds since the epoch. Exact down
// to the nanosecond, rounded towards the past, saturating: hostile values give the ends of time.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace tw::pcap {

class TimeScale {
  public:
    TimeScale() : TimeScale(6, 0) {}  // microseconds, the default of pcapng
    // Bit 7 of `resolution` clear: 10^-n seconds; set: 2^-n seconds.
    TimeScale(std::uint8_t resolution, std::int64_t offset_seconds);

    [[nodiscard]] Nanos nanos(std::uint64_t ticks) const {
        if (ticks <= whole_ticks_max_) [[likely]] {
            return static_cast<Nanos>(ticks * multiplier_) + offset_;
        }
        return uncommon(ticks);
    }

  private:
    [[nodiscard]] Nanos uncommon(std::uint64_t ticks) const;

    // Up to this many ticks, ticks * multiplier_ + offset_ is exact and does not overflow.
    std::uint64_t whole_ticks_max_ = 0;
    std::uint64_t multiplier_ = 0;
    Nanos offset_ = 0;
    std::uint8_t resolution_ = 6;
};

}  // namespace tw::pcap
