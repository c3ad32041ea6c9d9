// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/time_scale.hpp"

#include <algorithm>
#include <limits>

namespace tw::pcap {
namespace {

__extension__ using Wide = __int128;
constexpr Wide kNanosMax = std::numeric_limits<Nanos>::max();
constexpr Wide kNanosMin = std::numeric_limits<Nanos>::min();

Nanos saturated(Wide nanos) {
    return static_cast<Nanos>(std::clamp(nanos, kNanosMin, kNanosMax));
}

// For powers up to 19, the largest that 64 bits hold.
std::uint64_t power_of_ten(unsigned power) {
    std::uint64_t value = 1;
    for (unsigned step = 0; step < power; ++step) {
        value *= 10;
    }
    return value;
}

constexpr std::uint8_t kBinary = 0x80;

}  // namespace

TimeScale::TimeScale(std::uint8_t resolution, std::int64_t offset_seconds)
    : offset_(saturated(Wide{offset_seconds} * kSecond)), resolution_(resolution) {
    if ((resolution & kBinary) != 0 || resolution > 9) {
        return;  // whole_ticks_max_ 0: only tick 0 takes the short way, which is right for it
    }
    multiplier_ = power_of_ten(9U - resolution);
    const Wide room = offset_ > 0 ? kNanosMax - offset_ : kNanosMax;
    whole_ticks_max_ = static_cast<std::uint64_t>(room / static_cast<Wide>(multiplier_));
}

Nanos TimeScale::uncommon(std::uint64_t ticks) const {
    const unsigned power = resolution_ & 0x7FU;
    Wide nanos = 0;
    if ((resolution_ & kBinary) != 0) {
        nanos = (Wide{ticks} * kSecond) >> power;
    } else if (power <= 9) {
        nanos = Wide{ticks} * multiplier_;
    } else if (power - 9 <= 19) {
        nanos = ticks / power_of_ten(power - 9);
    }  // finer still: 2^64 ticks are less than a nanosecond
    return saturated(nanos + offset_);
}

}  // namespace tw::pcap
