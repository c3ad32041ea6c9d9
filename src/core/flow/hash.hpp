// SPDX-License-Identifier: BSD-3-Clause
// The table's hash of a key: two or three 64x64-bit multiplications folded, seeded at start. Unlike
// CRC32 it is not linear, so without the seed nobody can aim connections at one bucket; and it has
// nothing in common with the NIC's RSS hash, which has only 16 bits of entropy with a periodic key.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/flow/key.hpp"

namespace tw::flow {

__extension__ using Wide = unsigned __int128;

[[nodiscard]] inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

inline constexpr std::uint64_t kMixA = 0x9E3779B97F4A7C15ULL;  // 2^64 / golden ratio
inline constexpr std::uint64_t kMixB = 0xD1B54A32D192ED03ULL;  // odd, no relation to kMixA

// The second factor is seeded too: a product with zero would swallow the other word.
[[nodiscard]] inline std::uint64_t second_seed(std::uint64_t seed) {
    return (seed << 32 | seed >> 32) ^ kMixA;
}

[[nodiscard]] inline std::uint32_t finish_hash(std::uint64_t mixed, std::uint64_t seed) {
    return static_cast<std::uint32_t>(fold(mixed ^ kMixB, (seed ^ kMixA) | 1) >> 16);
}

[[nodiscard]] inline std::uint32_t hash_key(const KeyV4& key, std::uint64_t seed) {
    std::uint64_t words[2];
    std::memcpy(words, &key, sizeof words);
    return finish_hash(fold(words[0] ^ seed ^ kMixB, words[1] ^ second_seed(seed)), seed);
}

[[nodiscard]] inline std::uint32_t hash_key(const KeyV6& key, std::uint64_t seed) {
    std::uint64_t words[5];
    std::memcpy(words, &key, sizeof words);
    const std::uint64_t second = second_seed(seed);
    std::uint64_t mixed = fold(words[0] ^ seed ^ kMixB, words[1] ^ second);
    mixed ^= fold(words[2] ^ seed, words[3] ^ second ^ kMixB);
    return finish_hash(fold(mixed, words[4] ^ second), seed);
}

}  // namespace tw::flow
