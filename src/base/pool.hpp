// SPDX-License-Identifier: BSD-3-Clause
// Fixed number of equal records, handed out by index and taken back. An empty pool refuses; the
// caller counts that. Records come zeroed only the first time: the taker initialises.
#pragma once

#include <cstdint>

#include "base/lazy_array.hpp"

namespace tw {

template <typename T>
class Pool {
  public:
    // Index of no record. Zero, so that zeroed memory means "none".
    static constexpr std::uint32_t kNone = 0;

    Pool() = default;
    Pool(std::uint32_t records_max, Backing backing)
        : records_(std::size_t{records_max} + 1, backing),
          next_free_(std::size_t{records_max} + 1, backing) {}

    [[nodiscard]] std::uint32_t take() {
        if (free_head_ != kNone) {
            const std::uint32_t index = free_head_;
            free_head_ = next_free_[index];
            ++used_;
            return index;
        }
        if (std::size_t{fresh_} + 1 >= records_.size()) {
            return kNone;
        }
        ++used_;
        return ++fresh_;
    }
    void give_back(std::uint32_t index) {
        TW_DCHECK(index != kNone && used_ > 0);
        next_free_[index] = free_head_;
        free_head_ = index;
        --used_;
    }
    [[nodiscard]] T& operator[](std::uint32_t index) { return records_[index]; }
    [[nodiscard]] const T& operator[](std::uint32_t index) const { return records_[index]; }
    [[nodiscard]] std::uint32_t used() const { return used_; }
    [[nodiscard]] static constexpr std::size_t bytes_per_record() {
        return sizeof(T) + sizeof(std::uint32_t);
    }

  private:
    LazyArray<T> records_;
    LazyArray<std::uint32_t> next_free_;
    std::uint32_t free_head_ = kNone;
    std::uint32_t fresh_ = 0;  // records above this were never handed out
    std::uint32_t used_ = 0;
};

}  // namespace tw
