// SPDX-License-Identifier: BSD-3-Clause
// What passed, in bounded sums: lengths, transit times, rewrites, and the load over time. A loss is
// judged beside what was not lost; these are the packets that were not. One per worker, written by
// the worker on every pair; read by others when the worker has stopped, or from a copy it hands
// out.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/lazy_array.hpp"
#include "base/time.hpp"
#include "core/taps/pair.hpp"
#include "core/taps/rewrite.hpp"
#include "core/taps/side.hpp"
#include "core/taps/slow_log.hpp"
#include "core/taps/transit_histogram.hpp"

namespace tw::taps {

// Load in slots of 10 ms, by the time of entry: enough for a policer's bucket.
struct LoadSlot {
    std::uint32_t number = 0;        // low bits of time / 10 ms; another value = the slot is old
    std::uint32_t passed_bytes = 0;  // of IP
    std::uint32_t passed_packets = 0;
    std::uint32_t lost_bytes = 0;
    std::uint32_t lost_packets = 0;
    std::uint32_t slowest_us = 0;  // transit of the slowest that passed
};

// Packets that passed in one second.
struct LoadSecond {
    std::uint32_t number = 0;  // low bits of the second
    std::uint32_t packets = 0;
};

class Passage {
  public:
    static constexpr std::uint32_t kLengthMax = 9216;
    static constexpr std::uint32_t kSlots = 1U << 16;  // 655 s
    static constexpr Nanos kSlotTime = 10 * kMillisecond;
    // One past the last moment of the slot that holds it.
    [[nodiscard]] static Nanos slot_end(Nanos time);
    static constexpr std::uint32_t kSeconds = 1U << 14;  // 4.5 h
    // Silences of 67 ms and more that a packet ended and passed, 16 steps per power of two.
    static constexpr std::uint32_t kIdleShift = 26;
    static constexpr std::uint32_t kIdleBuckets = 16 * 18;  // beyond the last: in the last

    // Whose transit times are kept by themselves as well: those of both ways together.
    static constexpr std::uint8_t kTimedClasses = 64;

    explicit Passage(Backing backing);

    // A pair: every packet that entered and left; `changed` as compare() says.
    void passed(const Pair& pair, RewriteSet changed);
    // What a fact of kind lost_between was about.
    void lost(Way way, const Packet& entered);

    // Two lines of counts, then what only some pairs touch.
    struct WaySums {
        std::array<std::uint64_t, kShareClasses> of{};  // pairs by ShareClass
        std::uint64_t dont_fragment = 0;
        std::uint64_t out_of_order = 0;
        std::array<RewriteTally, kRewrites> tallies{};
        TransitHistogram setup;  // SYN and SYN/ACK
        TransitHistogram data;   // all others
        std::array<std::uint32_t, kIdleBuckets> idle{};
        std::array<RewriteExample, kRewrites> examples{};

        [[nodiscard]] std::uint64_t pairs() const { return of[0]; }
        [[nodiscard]] std::uint64_t with_sack() const {
            return of[static_cast<std::size_t>(ShareClass::sack)];
        }
        [[nodiscard]] RewriteCount rewrite(Rewrite rewrite) const;
    };
    [[nodiscard]] const WaySums& way(Way way) const { return ways_[index(way)]; }
    // Pairs by length of the IP packet; [kLengthMax] holds all longer ones.
    [[nodiscard]] std::uint64_t of_length(Way way, std::uint32_t ip_bytes) const {
        return lengths_[index(way) * (kLengthMax + 1) + ip_bytes];
    }
    // Slot of time / kSlotTime; zeroes where it is too old or nothing passed.
    [[nodiscard]] LoadSlot slot(Way way, std::int64_t number) const;
    // Packets that passed in the second from `number` seconds on.
    [[nodiscard]] std::uint32_t packets_in_second(Way way, std::int64_t number) const;
    // Pairs that were silent for at least `idle` before: rounded down to a step.
    [[nodiscard]] std::uint64_t passed_after_idle(Way way, Nanos idle) const;
    [[nodiscard]] const SlowLog& slow(Way way) const { return slow_[index(way)]; }
    // `timed_class`: from 1 on.
    [[nodiscard]] const TransitHistogram& transits(std::uint8_t timed_class, bool setup) const {
        return timed_[place_of(timed_class, setup)];
    }
    [[nodiscard]] std::size_t memory_bytes() const;

    void add(const Passage& other);  // another worker's

  private:
    // nullptr: the time lies before what the slot holds.
    [[nodiscard]] LoadSlot* slot_at(Way way, Nanos time);
    [[nodiscard]] LoadSecond* second_at(Way way, Nanos time);
    [[nodiscard]] static std::size_t place_of(std::uint8_t timed_class, bool setup) {
        return 2U * (timed_class - 1U) + (setup ? 1U : 0U);
    }
    static void note(WaySums& sums, const Pair& pair, RewriteSet changed);

    std::array<WaySums, kWays> ways_;
    std::array<SlowLog, kWays> slow_;
    LazyArray<std::uint64_t> lengths_;
    LazyArray<LoadSlot> load_;
    LazyArray<LoadSecond> seconds_;
    LazyArray<TransitHistogram> timed_;
};

}  // namespace tw::taps
