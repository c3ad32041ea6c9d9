// SPDX-License-Identifier: BSD-3-Clause
// Times in which packets took far longer than usual, as intervals: what is usual is learnt while
// they pass, so the log holds more than will be told, and the reader filters it with what was usual
// over the whole run. Bounded; what finds no room is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/lazy_array.hpp"
#include "base/time.hpp"
#include "core/taps/transit_histogram.hpp"

namespace tw::taps {

struct SlowInterval {
    Nanos from = 0;  // entry of the first and of the last slow packet
    Nanos until = 0;
    Nanos worst = 0;
    std::uint64_t packets = 0;
};

// Above this a transit is unusual: p50 + 3 (p99 - p50). Where more than 1 % are slow p99 lies among
// them, so p90 bounds the spread: 3 (p90 - p50) is beyond p99 for anything bell-shaped. A floor of
// half of p50 and 20 us keeps the grain of clocks out.
[[nodiscard]] Nanos slow_above(const TransitHistogram& usual);

class SlowLog {
  public:
    static constexpr std::uint32_t kIntervalsMax = 4096;
    static constexpr std::uint32_t kFirstPairs = 1024;  // kept as they are, until usual is known
    static constexpr Nanos kApartMax = 50 * kMillisecond;

    explicit SlowLog(Backing backing);
    // `usual` is read once per kFirstPairs pairs.
    void add(Nanos entered, Nanos transit, const TransitHistogram& usual) {
        if (seen_ < kFirstPairs) {
            first_[seen_] = {entered, transit};
        } else if (transit > limit_) {
            add_slow(entered, transit);
        }
        if ((++seen_ & (kFirstPairs - 1)) == 0) {
            look(usual);
        }
    }
    // Intervals with a packet slower than `limit`, at least `packets_min` of them, in order of
    // time; at most out.size().
    [[nodiscard]] std::size_t above(Nanos limit, std::uint64_t packets_min,
                                    std::span<SlowInterval> out) const;
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }  // intervals without room
    [[nodiscard]] std::size_t bytes() const { return intervals_.bytes() + first_.bytes(); }
    // Another worker's; of its first pairs those above `limit`.
    void add(const SlowLog& other, Nanos limit);

  private:
    struct First {
        Nanos entered;
        Nanos transit;
    };
    void add_slow(Nanos entered, Nanos transit);
    void look(const TransitHistogram& usual);
    void merge_neighbours();

    std::uint64_t seen_ = 0;
    Nanos limit_ = 0;
    std::uint32_t count_ = 0;
    std::uint64_t dropped_ = 0;
    LazyArray<SlowInterval> intervals_;
    LazyArray<First> first_;
};

}  // namespace tw::taps
