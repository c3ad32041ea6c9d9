// SPDX-License-Identifier: BSD-3-Clause
// A large zero-filled array reserved once. Pages cost memory only when first touched, so `read` can
// reserve for the largest possible flow table and pay for what the capture needs; a live worker
// asks for everything at start instead, on huge pages where the host has them.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <type_traits>
#include <utility>

#include "base/check.hpp"

namespace tw {

enum class Backing : unsigned char {
    lazy,       // reserve addresses, touch later
    populated,  // touch every page now; huge pages where available
};

// Returns nullptr if the host refuses. `bytes` is rounded up to a page (2 MiB for huge pages).
[[nodiscard]] void* reserve_region(std::size_t bytes, Backing backing);
void release_region(void* region, std::size_t bytes);

template <typename T>
class LazyArray {
    static_assert(std::is_trivially_destructible_v<T> && std::is_trivially_copyable_v<T>);

  public:
    LazyArray() = default;
    // Aborts if the host has no memory: callers size from what it has, at start only.
    LazyArray(std::size_t count, Backing backing) : count_(count) {
        if (count != 0) {
            data_ = static_cast<T*>(reserve_region(count * sizeof(T), backing));
            TW_CHECK(data_ != nullptr);
        }
    }
    LazyArray(LazyArray&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
    LazyArray& operator=(LazyArray&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(count_, other.count_);
        return *this;
    }
    LazyArray(const LazyArray&) = delete;
    LazyArray& operator=(const LazyArray&) = delete;
    ~LazyArray() {
        if (data_ != nullptr) {
            release_region(data_, count_ * sizeof(T));
        }
    }

    [[nodiscard]] T& operator[](std::size_t index) {
        TW_DCHECK(index < count_);
        return data_[index];
    }
    [[nodiscard]] const T& operator[](std::size_t index) const {
        TW_DCHECK(index < count_);
        return data_[index];
    }
    [[nodiscard]] T* data() { return data_; }
    [[nodiscard]] const T* data() const { return data_; }
    [[nodiscard]] std::size_t size() const { return count_; }
    [[nodiscard]] std::size_t bytes() const { return count_ * sizeof(T); }

  private:
    T* data_ = nullptr;
    std::size_t count_ = 0;
};

}  // namespace tw
