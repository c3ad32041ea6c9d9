// SPDX-License-Identifier: BSD-3-Clause
#include "core/flow/plain_index.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "core/flow/key.hpp"
#include "core/frame.hpp"

namespace tw::flow {
namespace {

using Key = std::array<std::uint8_t, 16>;

Key key_of(std::uint32_t number) {
    Key key{};
    std::memcpy(key.data(), &number, sizeof number);
    return key;
}

std::uint32_t find(PlainIndex& index, const Key& key, std::uint32_t hash) {
    const void* pointer = key.data();
    std::uint32_t slot = 0;
    index.find_burst(&pointer, &hash, 1, &slot);
    return slot;
}

TEST(PlainIndex, tells_keys_with_one_hash_apart) {
    PlainIndex index(16, 64, Backing::lazy);
    for (std::uint32_t i = 0; i < 20; ++i) {
        ASSERT_TRUE(index.insert(key_of(i).data(), 42, i));
    }
    for (std::uint32_t i = 0; i < 20; ++i) {
        EXPECT_EQ(find(index, key_of(i), 42), i);
    }
    EXPECT_EQ(find(index, key_of(20), 42), FlowIndex::kNoSlot);
}

// Against std::map, with hashes from a tiny space so that runs collide, wrap and close up all the
// time.
TEST(PlainIndex, agrees_with_a_map_under_random_inserts_and_erases) {
    for (std::uint32_t seed = 1; seed <= 20; ++seed) {
        std::mt19937 random(seed);
        constexpr std::uint32_t kKeys = 64;
        PlainIndex index(16, kKeys, Backing::lazy);
        std::map<std::uint32_t, std::uint32_t> model;  // key number -> slot
        const auto hash_of = [](std::uint32_t number) { return number * 7U % 13U + 120U; };
        for (int step = 0; step < 3000; ++step) {
            const std::uint32_t number = random() % kKeys;
            const Key key = key_of(number);
            if (const auto at = model.find(number); at != model.end()) {
                ASSERT_EQ(find(index, key, hash_of(number)), at->second) << "seed " << seed;
                if (random() % 2 == 0) {
                    index.erase(key.data(), hash_of(number), at->second);
                    model.erase(at);
                }
            } else {
                ASSERT_EQ(find(index, key, hash_of(number)), FlowIndex::kNoSlot) << "seed " << seed;
                ASSERT_TRUE(index.insert(key.data(), hash_of(number), number));
                model[number] = number;
            }
        }
    }
}

TEST(PlainIndex, finds_a_whole_burst_at_once) {
    PlainIndex index(16, 1024, Backing::lazy);
    std::vector<Key> keys;
    for (std::uint32_t i = 0; i < kBurstMax; ++i) {
        keys.push_back(key_of(i));
        if (i % 2 == 0) {
            ASSERT_TRUE(index.insert(keys[i].data(), i * 0x9E3779B1U, i));
        }
    }
    std::array<const void*, kBurstMax> pointers;
    std::array<std::uint32_t, kBurstMax> hashes;
    std::array<std::uint32_t, kBurstMax> slots;
    for (std::uint32_t i = 0; i < kBurstMax; ++i) {
        pointers[i] = keys[i].data();
        hashes[i] = i * 0x9E3779B1U;
    }
    index.find_burst(pointers.data(), hashes.data(), kBurstMax, slots.data());
    for (std::uint32_t i = 0; i < kBurstMax; ++i) {
        EXPECT_EQ(slots[i], i % 2 == 0 ? i : FlowIndex::kNoSlot);
    }
}

TEST(PlainIndex, grows_between_bursts_and_keeps_every_key) {
    constexpr std::uint32_t kKeys = 10'000;
    PlainIndex index(16, kKeys, Backing::lazy, 64);
    for (std::uint32_t i = 0; i < kKeys; ++i) {
        if (i % kBurstMax == 0) {
            index.grow_for_burst();
        }
        ASSERT_TRUE(index.insert(key_of(i).data(), i * 0x9E3779B1U, i)) << i;
    }
    for (std::uint32_t i = 0; i < kKeys; ++i) {
        ASSERT_EQ(find(index, key_of(i), i * 0x9E3779B1U), i);
    }
}

TEST(PlainIndex, refuses_a_slot_beyond_its_capacity) {
    PlainIndex index(16, 8, Backing::lazy);
    EXPECT_FALSE(index.insert(key_of(1).data(), 1, 8));
    EXPECT_TRUE(index.insert(key_of(1).data(), 1, 7));
}

}  // namespace
}  // namespace tw::flow
