// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "base/lazy_array.hpp"
#include "base/pool.hpp"
#include "base/spsc_ring.hpp"

namespace tw {
namespace {

TEST(SpscRing, refuses_when_full_and_goes_on_after_a_pop) {
    SpscRing<int> ring(3);
    ASSERT_EQ(ring.capacity(), 4U);
    for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(ring.push(i));
    }
    EXPECT_FALSE(ring.push(99));
    int value = -1;
    ASSERT_TRUE(ring.pop(value));
    EXPECT_EQ(value, 0);
    EXPECT_TRUE(ring.push(4));
    EXPECT_EQ(ring.size(), 4U);
    EXPECT_EQ(ring.free_space(), 0U);
}

TEST(SpscRing, keeps_order_between_two_threads) {
    constexpr std::uint32_t kCount = 200'000;
    SpscRing<std::uint32_t> ring(64);
    std::thread producer([&] {
        for (std::uint32_t i = 0; i < kCount;) {
            if (ring.push(i)) {
                ++i;
            } else {
                std::this_thread::sleep_for(std::chrono::microseconds(50));
            }
        }
    });
    std::uint32_t wrong = 0;
    for (std::uint32_t expected = 0; expected < kCount;) {
        std::uint32_t value = 0;
        if (ring.pop(value)) {
            wrong += value != expected ? 1U : 0U;
            ++expected;
        } else {
            std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
    }
    producer.join();
    EXPECT_EQ(wrong, 0U);
}

TEST(Pool, hands_out_each_record_once_and_refuses_when_empty) {
    Pool<int> pool(3, Backing::lazy);
    std::set<std::uint32_t> taken{pool.take(), pool.take(), pool.take()};
    EXPECT_EQ(taken.size(), 3U);
    EXPECT_FALSE(taken.contains(Pool<int>::kNone));
    EXPECT_EQ(pool.take(), Pool<int>::kNone);
    pool.give_back(*taken.begin());
    EXPECT_EQ(pool.used(), 2U);
    EXPECT_EQ(pool.take(), *taken.begin());
}

TEST(LazyArray, is_zeroed_and_moves_without_copying) {
    for (const Backing backing : {Backing::lazy, Backing::populated}) {
        LazyArray<std::uint64_t> array(1000, backing);
        EXPECT_EQ(array[0], 0U);
        EXPECT_EQ(array[999], 0U);
        array[5] = 7;
        const std::uint64_t* where = array.data();
        const LazyArray<std::uint64_t> moved = std::move(array);
        EXPECT_EQ(moved.data(), where);
        EXPECT_EQ(moved[5], 7U);
        EXPECT_EQ(moved.bytes(), 8000U);
    }
}

}  // namespace
}  // namespace tw
