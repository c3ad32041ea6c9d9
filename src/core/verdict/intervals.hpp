// SPDX-License-Identifier: BSD-3-Clause
// Patterns that belong to a moment: burst_loss and mirror_overload, in intervals of 10 s per tap.
#pragma once

#include <array>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "core/event/event.hpp"
#include "core/stats/counters.hpp"
#include "core/verdict/pattern.hpp"

namespace tw::verdict {

inline constexpr Nanos kInterval = 10 * kSecond;

// Whether an episode is a loss on the network.
[[nodiscard]] bool is_network_loss(const event::Event& event);

class Intervals {
  public:
    explicit Intervals(stats::Counters& counters);

    // Episodes come nearly in order of time.
    void add(const event::Event& event, std::uint32_t load);
    // Ends those that lie before `until`; returns how many.
    std::uint32_t advance(Nanos until, PatternList& found);

  private:
    static constexpr std::uint32_t kOpenMax = 32;
    static constexpr std::uint32_t kCells = 100;
    static constexpr Nanos kCellTime = kInterval / kCells;
    static constexpr std::uint32_t kSecondCells = kSecond / kCellTime;
    static constexpr std::uint32_t kFlowsMax = 16;  // told apart in a cell

    struct Flows {
        std::array<std::uint32_t, kFlowsMax> stream;
        std::uint32_t count;
        void note(std::uint32_t stream);
    };
    struct Cell {
        std::uint64_t bytes;
        std::uint32_t episodes;
        Flows flows;
        Nanos first;
        Nanos last;
        void add(const Cell& next);
    };
    struct Interval {
        bool open;
        std::uint8_t tap;
        std::int64_t index;
        std::uint32_t losses;
        std::array<Cell, kCells> cells;
        // Missed by the capture: in all, and put down to the mirror.
        std::uint32_t misses;
        Cell mirror;
        std::uint64_t load_sum;
        std::uint32_t load_count;
    };

    [[nodiscard]] Interval* interval_of(std::uint8_t tap, Nanos time);
    static void note(Cell& cell, const event::Event& event);
    static void look_for_burst(const Interval& interval, PatternList& found);
    static void look_for_overload(const Interval& interval, PatternList& found);

    stats::Counters& counters_;
    LazyArray<Interval> intervals_;
    std::int64_t ended_until_ = INT64_MIN;  // index: intervals before it are over
};

}  // namespace tw::verdict
