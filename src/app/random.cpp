// SPDX-License-Identifier: BSD-3-Clause
#include "app/random.hpp"

#include <sys/random.h>

#include <array>
#include <bit>

#include "base/check.hpp"

namespace tw::app {

void fill_random(std::span<std::uint8_t> bytes) {
    // Without flags and below 256 bytes it waits until the system has gathered entropy, then gives
    // all of them.
    TW_CHECK(bytes.size() <= 256);
    TW_CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
}

std::uint64_t random_number() {
    std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
    fill_random(bytes);
    return std::bit_cast<std::uint64_t>(bytes);
}

}  // namespace tw::app
