// SPDX-License-Identifier: BSD-3-Clause
// Takes a fuzzer's input apart from the front. At the end of the input every number is 0, so that
// each input is a valid one and a cut input means a shorter run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tw::fuzz {

class ByteFeed {
  public:
    explicit ByteFeed(std::span<const std::uint8_t> input) : rest_(input) {}

    [[nodiscard]] bool empty() const { return rest_.empty(); }
    [[nodiscard]] std::span<const std::uint8_t> rest() const { return rest_; }

    std::uint8_t u8() {
        if (rest_.empty()) {
            return 0;
        }
        const std::uint8_t value = rest_.front();
        rest_ = rest_.subspan(1);
        return value;
    }
    std::uint16_t u16() {
        const std::uint32_t high = u8();
        return static_cast<std::uint16_t>(high << 8 | u8());
    }
    std::uint32_t u32() {
        const std::uint32_t high = u16();
        return high << 16 | u16();
    }
    // At most `count` bytes.
    std::span<const std::uint8_t> bytes(std::size_t count) {
        const auto taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

  private:
    std::span<const std::uint8_t> rest_;
};

}  // namespace tw::fuzz
