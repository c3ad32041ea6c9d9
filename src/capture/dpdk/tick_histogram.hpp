// SPDX-License-Identifier: BSD-3-Clause
// How long something took, in ticks of the time stamp counter, told to within a quarter of its
// power of two. One thread adds, another may read at any time.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "capture/dpdk/poller.hpp"

namespace tw::dpdk {

// Four buckets for each power of two; 0..3 have one each.
inline constexpr std::uint32_t kTickBuckets = 4 * 63;

[[nodiscard]] constexpr std::uint32_t bucket_of(std::uint64_t ticks) {
    if (ticks < 4) {
        return static_cast<std::uint32_t>(ticks);
    }
    const auto width = static_cast<std::uint32_t>(std::bit_width(ticks));
    return (width - 2) * 4 + static_cast<std::uint32_t>(ticks >> (width - 3) & 3);
}

// The most ticks that fall into a bucket.
[[nodiscard]] constexpr std::uint64_t bucket_end(std::uint32_t bucket) {
    if (bucket < 4) {
        return bucket;
    }
    const std::uint32_t shift = bucket / 4 - 1;
    return ((std::uint64_t{4} + bucket % 4) << shift) + ((std::uint64_t{1} << shift) - 1);
}

// What a histogram held at one time, or between two.
struct TickReading {
    std::array<std::uint64_t, kTickBuckets> counts{};
    std::uint64_t longest = 0;

    [[nodiscard]] std::uint64_t total() const {
        std::uint64_t total = 0;
        for (const std::uint64_t count : counts) {
            total += count;
        }
        return total;
    }
    // Ticks that at least `share` (0..1) of the times did not exceed.
    [[nodiscard]] std::uint64_t at_most(double share) const {
        const auto wanted = static_cast<double>(total()) * share;
        std::uint64_t below = 0;
        for (std::uint32_t bucket = 0; bucket < kTickBuckets; ++bucket) {
            below += counts[bucket];
            if (below != 0 && static_cast<double>(below) >= wanted) {
                return std::min(bucket_end(bucket), longest);
            }
        }
        return longest;
    }
    // What came after `earlier`; the longest of it only to within its bucket.
    [[nodiscard]] TickReading since(const TickReading& earlier) const {
        TickReading between;
        for (std::uint32_t bucket = 0; bucket < kTickBuckets; ++bucket) {
            between.counts[bucket] = counts[bucket] - earlier.counts[bucket];
            if (between.counts[bucket] != 0) {
                between.longest = std::min(bucket_end(bucket), longest);
            }
        }
        return between;
    }
};

class TickHistogram {
  public:
    // writer: the poller
    void add(std::uint64_t ticks) {
        if (ticks > longest_.get()) {
            longest_.set(ticks);
        }
        counts_[bucket_of(ticks)].add(1);
    }
    // readers: control thread
    [[nodiscard]] TickReading reading() const {
        TickReading reading;
        // The other way round than add(), so that no counted time is longer than the longest.
        for (std::uint32_t bucket = 0; bucket < kTickBuckets; ++bucket) {
            reading.counts[bucket] = counts_[bucket].get();
        }
        reading.longest = longest_.get();
        return reading;
    }

  private:
    std::array<Count, kTickBuckets> counts_;
    Count longest_;
};

}  // namespace tw::dpdk
