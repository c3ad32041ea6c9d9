// SPDX-License-Identifier: BSD-3-Clause
// Random numbers of generated traffic: the same for one seed on every machine and library, which
// the distributions of <random> do not promise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace tw::test {

// SplitMix64 (Steele, Lea, Flood 2014): any seed is a good one.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9E37'79B9'7F4A'7C15ULL;
        z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9ULL;
        z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EBULL;
        return z ^ (z >> 31);
    }

    std::uint32_t word() { return static_cast<std::uint32_t>(next() >> 32); }

    // 0 .. limit-1; limit > 0. The bias of at most 2^-32 does not matter here.
    std::uint32_t below(std::uint32_t limit) {
        return static_cast<std::uint32_t>((next() >> 32) * limit >> 32);
    }

    // first .. last, both included.
    std::uint32_t between(std::uint32_t first, std::uint32_t last) {
        return first + below(last - first + 1);
    }

    bool chance(std::uint32_t percent) { return below(100) < percent; }

    template <typename T>
    T pick(std::initializer_list<T> values) {
        return values.begin()[below(static_cast<std::uint32_t>(values.size()))];
    }

    template <typename T>
    T& pick(std::span<T> values) {
        return values[below(static_cast<std::uint32_t>(values.size()))];
    }

  private:
    std::uint64_t state_;
};

}  // namespace tw::test
