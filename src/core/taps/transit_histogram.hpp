// SPDX-License-Identifier: BSD-3-Clause
// Times between the taps in logarithmic steps: 32 per power of two, at most 3 % wide, exact below
// 32 ns, up to 17 s.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.hpp"

namespace tw::taps {

class TransitHistogram {
  public:
    static constexpr std::uint32_t kBuckets = 32 * 30;

    void add(Nanos transit);  // negative counts as `negative`, and nowhere else
    void add(const TransitHistogram& other);
    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] std::uint64_t negative() const { return negative_; }
    [[nodiscard]] Nanos least() const { return least_; }  // negative ones included; 0 = no pair
    [[nodiscard]] Nanos most() const { return most_; }
    // Share in 0..1; the upper edge of the bucket, at most most().
    [[nodiscard]] Nanos quantile(double share) const;
    [[nodiscard]] std::uint64_t bucket(std::uint32_t index) const { return buckets_[index]; }
    [[nodiscard]] static Nanos bucket_begin(std::uint32_t index);
    [[nodiscard]] static std::uint32_t bucket_of(Nanos transit);  // not negative

  private:
    std::uint64_t count_ = 0;
    std::uint64_t negative_ = 0;
    Nanos least_ = 0;
    Nanos most_ = 0;
    std::array<std::uint64_t, kBuckets> buckets_{};
};

}  // namespace tw::taps
