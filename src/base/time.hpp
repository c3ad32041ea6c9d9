// SPDX-License-Identifier: BSD-3-Clause
// Time as the whole program counts it. There is no clock here: time arrives in frames and ticks.
#pragma once

#include <cstdint>

namespace tw {

// Nanoseconds, signed: since the Unix epoch for a point in time, plain for a duration. Covers the
// years 1677 to 2262. Capture files can run backwards, so differences may be negative.
using Nanos = std::int64_t;

inline constexpr Nanos kMicrosecond = 1'000;
inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kSecond = 1'000'000'000;

}  // namespace tw
