// SPDX-License-Identifier: BSD-3-Clause
// The two taps around a firewall, and the two ways a packet takes between them. A packet that goes
// inward enters at the outside tap and leaves at the inside tap; outward the other way round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tw::taps {

enum class Side : std::uint8_t { outside, inside };
inline constexpr std::size_t kSides = 2;

enum class Way : std::uint8_t { inward, outward };
inline constexpr std::size_t kWays = 2;

[[nodiscard]] constexpr Side other(Side side) {
    return side == Side::outside ? Side::inside : Side::outside;
}
[[nodiscard]] constexpr Way back(Way way) {
    return way == Way::inward ? Way::outward : Way::inward;
}
// Where a packet that takes this way is seen first, and last.
[[nodiscard]] constexpr Side entry(Way way) {
    return way == Way::inward ? Side::outside : Side::inside;
}
[[nodiscard]] constexpr Side exit(Way way) {
    return other(entry(way));
}
[[nodiscard]] constexpr Way way_into(Side entry_side) {
    return entry_side == Side::outside ? Way::inward : Way::outward;
}
[[nodiscard]] constexpr std::size_t index(Side side) {
    return static_cast<std::size_t>(side);
}
[[nodiscard]] constexpr std::size_t index(Way way) {
    return static_cast<std::size_t>(way);
}

[[nodiscard]] constexpr std::string_view name(Side side) {
    return side == Side::outside ? "outside" : "inside";
}
[[nodiscard]] constexpr std::string_view name(Way way) {
    return way == Way::inward ? "inward" : "outward";
}

}  // namespace tw::taps
