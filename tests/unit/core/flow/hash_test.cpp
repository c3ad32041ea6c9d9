// SPDX-License-Identifier: BSD-3-Clause
#include "core/flow/hash.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace tw::flow {
namespace {

TEST(FlowHash, spreads_lock_step_tuples_over_all_buckets) {
    constexpr std::uint32_t kBuckets = 1024;
    constexpr std::uint32_t kKeys = 64 * kBuckets;
    std::vector<std::uint32_t> load(kBuckets);
    for (std::uint32_t i = 0; i < kKeys; ++i) {
        KeyV4 key{};
        key.address[0] = {10, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8),
                          static_cast<std::uint8_t>(i)};
        key.address[1] = {192, 168, 0, 1};
        key.port[0] = static_cast<std::uint16_t>(1024 + i);
        key.port[1] = 80;
        ++load[hash_key(key, 99) % kBuckets];
    }
    const auto [low, high] = std::minmax_element(load.begin(), load.end());
    // 64 expected, standard deviation 8: six of them either way.
    EXPECT_GT(*low, 16U);
    EXPECT_LT(*high, 112U);
}

TEST(FlowHash, depends_on_the_seed_and_on_every_byte) {
    KeyV6 key{};
    const std::uint32_t base = hash_key(key, 1);
    EXPECT_NE(base, hash_key(key, 2));
    auto* bytes = reinterpret_cast<std::uint8_t*>(&key);
    for (std::size_t i = 0; i < sizeof key; ++i) {
        bytes[i] ^= 1;
        EXPECT_NE(hash_key(key, 1), base) << "byte " << i;
        bytes[i] ^= 1;
    }
    KeyV4 small{};
    const std::uint32_t small_base = hash_key(small, 1);
    bytes = reinterpret_cast<std::uint8_t*>(&small);
    for (std::size_t i = 0; i < sizeof small; ++i) {
        bytes[i] ^= 1;
        EXPECT_NE(hash_key(small, 1), small_base) << "byte " << i;
        bytes[i] ^= 1;
    }
}

TEST(FlowKey, both_directions_give_one_key_and_opposite_sides) {
    const AddressV4 a{10, 0, 0, 1};
    const AddressV4 b{10, 0, 0, 2};
    KeyV4 forward{};
    KeyV4 backward{};
    EXPECT_EQ(canonical_key(a, 1000, b, 80, 0, forward), 0);
    EXPECT_EQ(canonical_key(b, 80, a, 1000, 0, backward), 1);
    EXPECT_EQ(forward, backward);
}

TEST(FlowKey, equal_addresses_are_ordered_by_port_and_equal_ends_are_one_side) {
    const AddressV4 a{10, 0, 0, 1};
    KeyV4 forward{};
    KeyV4 backward{};
    EXPECT_EQ(canonical_key(a, 80, a, 1000, 0, forward), 0);
    EXPECT_EQ(canonical_key(a, 1000, a, 80, 0, backward), 1);
    EXPECT_EQ(forward, backward);
    EXPECT_EQ(canonical_key(a, 80, a, 80, 0, forward), 0);
}

}  // namespace
}  // namespace tw::flow
