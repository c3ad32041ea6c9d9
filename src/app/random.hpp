// SPDX-License-Identifier: BSD-3-Clause
// Bytes nobody outside can guess, from the kernel: seeds of hashes, keys of network cards.
#pragma once

#include <cstdint>
#include <span>

namespace tw::app {

void fill_random(std::span<std::uint8_t> bytes);
[[nodiscard]] std::uint64_t random_number();

}  // namespace tw::app
