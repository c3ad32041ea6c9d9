// SPDX-License-Identifier: BSD-3-Clause
// Whether a threshold that seems to part what failed from what passed may be chance: how likely so
// clean an order is where failing has nothing to do with what was measured.
#pragma once

#include <cmath>
#include <cstdint>

namespace tw::firewall {

// A lesson is proven only where chance gives its order more seldom than this.
inline constexpr double kChanceMax = 1e-5;

// That of all orders of `failed` and `passed` samples just the one comes about in which every one
// that failed lies above every one that passed.
[[nodiscard]] inline double chance_of_order(std::uint64_t failed, std::uint64_t passed) {
    const auto above = static_cast<double>(failed);
    const auto below = static_cast<double>(passed);
    return std::exp(std::lgamma(above + 1) + std::lgamma(below + 1) -
                    std::lgamma(above + below + 1));
}

}  // namespace tw::firewall
