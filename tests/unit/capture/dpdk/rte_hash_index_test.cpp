// SPDX-License-Identifier: BSD-3-Clause
// rte_hash against the plain index, which has tests of its own: same calls, same answers.
#include "capture/dpdk/rte_hash_index.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <unordered_map>

#include "core/flow/hash.hpp"
#include "core/flow/key.hpp"
#include "core/flow/plain_index.hpp"
#include "core/frame.hpp"
#include "unit/capture/dpdk/live_environment.hpp"

namespace tw::dpdk {
namespace {

using flow::FlowIndex;
using flow::KeyV4;
using flow::KeyV6;
using flow::PlainIndex;

constexpr std::uint64_t kHashSeed = 0x1234'5678'9ABC'DEF0;

void fill(KeyV4& key, std::uint32_t number) {
    key = {};
    key.address[0] = {10, 0, static_cast<std::uint8_t>(number >> 8),
                      static_cast<std::uint8_t>(number)};
    key.address[1] = {10, 255, 0, static_cast<std::uint8_t>(number >> 16)};
    key.port[0] = static_cast<std::uint16_t>(number * 7);
    key.port[1] = 443;
}

void fill(KeyV6& key, std::uint32_t number) {
    key = {};
    key.address[0][15] = static_cast<std::uint8_t>(number);
    key.address[1][0] = static_cast<std::uint8_t>(number >> 8);
    key.address[1][15] = static_cast<std::uint8_t>(number >> 16);
    key.scope = 9;
}

template <typename Key>
[[nodiscard]] std::unique_ptr<RteHashIndex> make(const std::string& name, std::uint32_t keys_max) {
    test::LiveEnvironment::instance();
    auto index = RteHashIndex::create(
        {.name = name, .key_bytes = sizeof(Key), .keys_max = keys_max, .numa_node = -1});
    if (!index) {
        ADD_FAILURE() << index.error().text;
        return nullptr;
    }
    return std::move(*index);
}

template <typename Key>
[[nodiscard]] std::uint32_t find(FlowIndex& index, const Key& key) {
    const void* pointer = &key;
    const std::uint32_t hash = flow::hash_key(key, kHashSeed);
    std::uint32_t slot = 0;
    index.find_burst(&pointer, &hash, 1, &slot);
    return slot;
}

template <typename Key>
class RteHashIndexOf : public ::testing::Test {};
using Keys = ::testing::Types<KeyV4, KeyV6>;
TYPED_TEST_SUITE(RteHashIndexOf, Keys);

TYPED_TEST(RteHashIndexOf, finds_what_was_inserted_until_it_is_erased) {
    const auto index = make<TypeParam>("finds", 100);
    ASSERT_TRUE(index);
    TypeParam one;
    TypeParam other;
    fill(one, 1);
    fill(other, 2);
    EXPECT_EQ(find(*index, one), FlowIndex::kNoSlot);
    ASSERT_TRUE(index->insert(&one, flow::hash_key(one, kHashSeed), 77));
    EXPECT_EQ(find(*index, one), 77U);
    EXPECT_EQ(find(*index, other), FlowIndex::kNoSlot);
    index->erase(&one, flow::hash_key(one, kHashSeed), 77);
    EXPECT_EQ(find(*index, one), FlowIndex::kNoSlot);
}

TYPED_TEST(RteHashIndexOf, slot_zero_is_a_slot) {
    const auto index = make<TypeParam>("zero", 100);
    ASSERT_TRUE(index);
    TypeParam key;
    fill(key, 5);
    ASSERT_TRUE(index->insert(&key, flow::hash_key(key, kHashSeed), 0));
    EXPECT_EQ(find(*index, key), 0U);
}

TYPED_TEST(RteHashIndexOf, holds_as_many_keys_as_promised_and_again_after_erasing) {
    constexpr std::uint32_t kKeys = 20'000;
    const auto index = make<TypeParam>("full", kKeys);
    ASSERT_TRUE(index);
    TypeParam key;
    for (int round = 0; round < 3; ++round) {
        for (std::uint32_t i = 0; i < kKeys; ++i) {
            fill(key, i);
            ASSERT_TRUE(index->insert(&key, flow::hash_key(key, kHashSeed), i)) << i;
        }
        for (std::uint32_t i = 0; i < kKeys; ++i) {
            fill(key, i);
            ASSERT_EQ(find(*index, key), i);
            index->erase(&key, flow::hash_key(key, kHashSeed), i);
        }
    }
}

TYPED_TEST(RteHashIndexOf, equal_hashes_are_told_apart_by_their_keys) {
    const auto index = make<TypeParam>("collide", 100);
    ASSERT_TRUE(index);
    constexpr std::uint32_t kHash = 0xABCD'1234;
    TypeParam keys[3];
    for (std::uint32_t i = 0; i < 3; ++i) {
        fill(keys[i], i);
        ASSERT_TRUE(index->insert(&keys[i], kHash, 10 + i));
    }
    const void* pointers[] = {&keys[2], &keys[0], &keys[1]};
    const std::uint32_t hashes[] = {kHash, kHash, kHash};
    std::uint32_t slots[3];
    index->find_burst(pointers, hashes, 3, slots);
    EXPECT_EQ(slots[0], 12U);
    EXPECT_EQ(slots[1], 10U);
    EXPECT_EQ(slots[2], 11U);
}

// Random bursts, insertions and erasures on both; every answer must agree.
TYPED_TEST(RteHashIndexOf, agrees_with_the_plain_index_on_random_calls) {
    constexpr std::uint32_t kKeys = 3000;
    constexpr std::uint32_t kSeed = 42;
    const auto rte = make<TypeParam>("random", kKeys);
    ASSERT_TRUE(rte);
    PlainIndex plain(sizeof(TypeParam), kKeys, Backing::lazy);
    std::mt19937 generator(kSeed);
    const auto random = [&generator](std::uint32_t below) {
        return static_cast<std::uint32_t>(generator() % below);
    };
    std::vector<std::uint32_t> free_slots;
    for (std::uint32_t i = 0; i < kKeys; ++i) {
        free_slots.push_back(i);
    }
    std::unordered_map<std::uint32_t, std::uint32_t> present;  // key number -> slot
    for (int step = 0; step < 20'000; ++step) {
        TypeParam keys[kBurstMax];
        const void* pointers[kBurstMax];
        std::uint32_t hashes[kBurstMax];
        const std::uint32_t count = random(kBurstMax + 1);
        for (std::uint32_t i = 0; i < count; ++i) {
            fill(keys[i], random(2 * kKeys));
            pointers[i] = &keys[i];
            hashes[i] = flow::hash_key(keys[i], kHashSeed);
        }
        std::uint32_t from_rte[kBurstMax];
        std::uint32_t from_plain[kBurstMax];
        rte->find_burst(pointers, hashes, count, from_rte);
        plain.find_burst(pointers, hashes, count, from_plain);
        for (std::uint32_t i = 0; i < count; ++i) {
            ASSERT_EQ(from_rte[i], from_plain[i]) << "seed " << kSeed << ", step " << step;
        }
        const std::uint32_t number = random(2 * kKeys);
        TypeParam key;
        fill(key, number);
        const std::uint32_t hash = flow::hash_key(key, kHashSeed);
        if (const auto known = present.find(number); known != present.end()) {
            rte->erase(&key, hash, known->second);
            plain.erase(&key, hash, known->second);
            free_slots.push_back(known->second);
            present.erase(known);
        } else if (!free_slots.empty()) {
            const std::uint32_t slot = free_slots.back();
            free_slots.pop_back();
            ASSERT_TRUE(plain.insert(&key, hash, slot));
            ASSERT_TRUE(rte->insert(&key, hash, slot)) << "seed " << kSeed << ", step " << step;
            present.emplace(number, slot);
        }
    }
}

TEST(RteHashIndex, two_of_one_name_are_refused) {
    const auto first = make<KeyV4>("twice", 100);
    ASSERT_TRUE(first);
    const auto second = RteHashIndex::create(
        {.name = "twice", .key_bytes = sizeof(KeyV4), .keys_max = 100, .numa_node = -1});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ExitCode::environment_failed);
}

TEST(RteHashIndex, memory_is_about_what_dpdk_takes_per_slot) {
    // dpdk.md 3.1 at 1 M connections: 48 MB of keys, 16 MB of buckets, 8 MB of free slots.
    const std::size_t v4 = RteHashIndex::memory_bytes(sizeof(KeyV4), 1'000'000);
    EXPECT_GT(v4, std::size_t{70'000'000});
    EXPECT_LT(v4, std::size_t{80'000'000});
    EXPECT_GT(RteHashIndex::memory_bytes(sizeof(KeyV6), 1'000'000), v4);
}

TEST(RteHashIndex, more_than_the_memory_holds_is_refused) {
    test::LiveEnvironment::instance();
    const auto index = RteHashIndex::create(
        {.name = "large", .key_bytes = sizeof(KeyV4), .keys_max = 300'000'000, .numa_node = -1});
    ASSERT_FALSE(index);
    EXPECT_NE(index.error().text.find("300000000 connections"), std::string::npos);
}

}  // namespace
}  // namespace tw::dpdk
