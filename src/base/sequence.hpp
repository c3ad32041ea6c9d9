// SPDX-License-Identifier: BSD-3-Clause
// Order on the circle of 32-bit TCP sequence numbers (RFC 9293 section 3.4). The only place where
// sequence numbers are compared.
#pragma once

#include <cstdint>

namespace tw {

// True if x lies after y. A distance of exactly 2^31 is "after" both ways, as in Wireshark 4.0: the
// flags must agree with it on hostile numbers too.
[[nodiscard]] constexpr bool after(std::uint32_t x, std::uint32_t y) {
    return static_cast<std::uint32_t>(y - x) >= 0x8000'0000U;
}

// True if x is y or lies before it.
[[nodiscard]] constexpr bool at_or_before(std::uint32_t x, std::uint32_t y) {
    return x == y || after(y, x);
}

// Steps forward from `from` to `to`, 0 .. 2^32-1.
[[nodiscard]] constexpr std::uint32_t distance(std::uint32_t from, std::uint32_t to) {
    return to - from;
}

}  // namespace tw
