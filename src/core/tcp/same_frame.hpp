// SPDX-License-Identifier: BSD-3-Clause
// When two equal frames at one tap are one frame that was captured twice, and not two that their
// sender made alike. One rule for the whole program.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace tw::tcp {

// A mirror copies a frame twice within this time; later copies come from the network.
inline constexpr Nanos kMirrorLag = 10 * kMillisecond;

// Two frames whose TCP headers, checksums and IP identifications are equal and whose TTLs differ by
// no more than one.
struct Twice {
    Nanos apart = 0;
    Nanos round_trip = 0;  // from the tap to the sender and back; 0 = not known
    bool named = false;    // by an IP identification: IPv4, not 0
    bool ttl_differs = false;
    bool timestamps = false;
    bool asked = false;  // the receiver asked for the bytes in between
};

// An IP identification names the frame. Without one, a sender may have sent twice: not before it
// was asked (no timer is as short as a mirror's lag) and the request could reach it, and not later
// than its timestamp clock ticks (RFC 7323 section 5.4: between 1 ms and 1 s; what is in use ticks
// every millisecond).
[[nodiscard]] constexpr bool is_one_frame(const Twice& twice) {
    constexpr Nanos kTicksAtLeast = 2 * kMillisecond;
    const Nanos soonest = twice.round_trip != 0 ? twice.round_trip / 2 : kMillisecond;
    return twice.named || twice.ttl_differs || (twice.timestamps && twice.apart > kTicksAtLeast) ||
           (twice.apart < kMirrorLag && (!twice.asked || twice.apart < soonest));
}

}  // namespace tw::tcp
