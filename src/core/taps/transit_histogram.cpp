// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/transit_histogram.hpp"

#include <algorithm>
#include <bit>

namespace tw::taps {
namespace {

// A power of two is divided into 2^kStepBits steps; values below that stand for themselves.
constexpr unsigned kStepBits = 5;
constexpr std::uint64_t kSteps = 1U << kStepBits;

}  // namespace

std::uint32_t TransitHistogram::bucket_of(Nanos transit) {
    const auto value = static_cast<std::uint64_t>(transit);
    if (value < kSteps) {
        return static_cast<std::uint32_t>(value);
    }
    const auto power = static_cast<unsigned>(std::bit_width(value)) - 1 - kStepBits;
    const std::uint64_t index = (std::uint64_t{power} << kStepBits) + (value >> power);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(index, kBuckets - 1));
}

Nanos TransitHistogram::bucket_begin(std::uint32_t index) {
    if (index < kSteps) {
        return index;
    }
    const std::uint32_t power = (index >> kStepBits) - 1;
    return static_cast<Nanos>((kSteps + (index & (kSteps - 1))) << power);
}

void TransitHistogram::add(Nanos transit) {
    if (count_ + negative_ == 0) {
        least_ = transit;
        most_ = transit;
    }
    least_ = std::min(least_, transit);
    most_ = std::max(most_, transit);
    if (transit < 0) {
        ++negative_;
        return;
    }
    ++count_;
    ++buckets_[bucket_of(transit)];
}

void TransitHistogram::add(const TransitHistogram& other) {
    if (other.count_ + other.negative_ == 0) {
        return;
    }
    const bool empty = count_ + negative_ == 0;
    least_ = empty ? other.least_ : std::min(least_, other.least_);
    most_ = empty ? other.most_ : std::max(most_, other.most_);
    count_ += other.count_;
    negative_ += other.negative_;
    for (std::uint32_t i = 0; i < kBuckets; ++i) {
        buckets_[i] += other.buckets_[i];
    }
}

Nanos TransitHistogram::quantile(double share) const {
    if (count_ == 0) {
        return 0;
    }
    const double wanted = std::clamp(share, 0.0, 1.0) * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::uint32_t i = 0; i < kBuckets; ++i) {
        seen += buckets_[i];
        if (buckets_[i] != 0 && static_cast<double>(seen) >= wanted) {
            return i + 1 == kBuckets ? most_ : std::min(most_, bucket_begin(i + 1) - 1);
        }
    }
    return most_;
}

}  // namespace tw::taps
