// SPDX-License-Identifier: BSD-3-Clause
// Bounded ring for one producer thread and one consumer thread, elements by value. Never blocks:
// a full ring refuses, and the caller counts it. Capacity is fixed at construction.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace tw {

template <typename T>
class SpscRing {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    // capacity is rounded up to a power of two.
    explicit SpscRing(std::size_t capacity)
        : mask_(std::bit_ceil(capacity < 2 ? std::size_t{2} : capacity) - 1),
          slots_(new T[mask_ + 1]) {}

    // writer: producer. False when full; nothing is stored then.
    [[nodiscard]] bool push(const T& value) {
        const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
        if (tail - head_seen_ > mask_) {
            head_seen_ = head_.load(std::memory_order_acquire);
            if (tail - head_seen_ > mask_) {
                return false;
            }
        }
        slots_[tail & mask_] = value;
        tail_.store(tail + 1, std::memory_order_release);
        return true;
    }

    // reader: consumer. False when empty.
    [[nodiscard]] bool pop(T& value) {
        const std::uint64_t head = head_.load(std::memory_order_relaxed);
        if (head == tail_.load(std::memory_order_acquire)) {
            return false;
        }
        value = slots_[head & mask_];
        head_.store(head + 1, std::memory_order_release);
        return true;
    }

    // reader: consumer. The oldest element where it lies, until drop(); nullptr when empty.
    [[nodiscard]] const T* front() const {
        const std::uint64_t head = head_.load(std::memory_order_relaxed);
        return head == tail_.load(std::memory_order_acquire) ? nullptr : &slots_[head & mask_];
    }
    // reader: consumer. Only after front() has shown one.
    void drop() {
        head_.store(head_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }

    // Elements in the ring as seen now: exact for the caller's own side, a snapshot otherwise.
    [[nodiscard]] std::size_t size() const {
        return static_cast<std::size_t>(tail_.load(std::memory_order_acquire) -
                                        head_.load(std::memory_order_acquire));
    }
    [[nodiscard]] std::size_t capacity() const { return mask_ + 1; }
    [[nodiscard]] std::size_t free_space() const { return capacity() - size(); }

  private:
    const std::uint64_t mask_;
    const std::unique_ptr<T[]> slots_;
    // 64 bytes apart so that producer and consumer do not share a cache line.
    alignas(64) std::atomic<std::uint64_t> tail_{0};  // writer: producer; reader: consumer
    std::uint64_t head_seen_ = 0;                     // producer's own copy of head_
    alignas(64) std::atomic<std::uint64_t> head_{0};  // writer: consumer; reader: producer
};

}  // namespace tw
