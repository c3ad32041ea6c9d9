// SPDX-License-Identifier: BSD-3-Clause
// Why the capture missed something: looks at what was missed around it, by whom and when. Bounded:
// misses are counted in cells of 100 ms per tap, the oldest cell is forgotten first.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/lazy_array.hpp"
#include "core/event/event.hpp"

namespace tw::verdict {

inline constexpr Nanos kCell = 100 * kMillisecond;

// What the taps carried over time. Cells of kCell; the newest kCells of them.
class LoadHistory {
  public:
    static constexpr std::uint32_t kCells = 65'536;

    LoadHistory() : cells_(kCells, Backing::lazy) {}
    // `bytes_seen` so far, on all taps.
    void advance(Nanos now, std::uint64_t bytes_seen);
    // Of the cell at `time`; nothing if it is not known.
    [[nodiscard]] std::optional<std::uint64_t> at(std::int64_t cell) const;
    // Of one cell over the mean of those within kCleanAround, per cent; 0 = not known.
    [[nodiscard]] std::uint32_t relative(Nanos time) const;
    // Bytes seen from one cell to another.
    [[nodiscard]] std::uint64_t between(std::int64_t from, std::int64_t until) const;

  private:
    struct Cell {
        std::int64_t index;
        std::uint64_t bytes;
    };
    LazyArray<Cell> cells_;
    std::uint64_t bytes_seen_ = 0;
    std::int64_t first_ = 0;  // cells before this were never seen
    std::int64_t last_ = 0;
    bool begun_ = false;
};

[[nodiscard]] std::int64_t cell_of(Nanos time);

class Misses {
  public:
    static constexpr std::uint32_t kCellsMax = 32'768;
    // Directions of connections told apart in one cell; others are only counted.
    static constexpr std::uint32_t kFlowsMax = 6;

    Misses();

    // Something the capture missed.
    void add(const event::Event& event);
    // A finished connection: what passed without a miss shows where none was missed.
    void add(const event::FlowRecord& record);
    // Files: the capture's own count of what it lost.
    void set_capture_dropped(std::uint64_t frames) { dropped_ = frames; }

    // Why `event` was missed: mirror, path, monitor or none, if nothing decides.
    [[nodiscard]] event::Cause cause_of(const event::Event& event, const LoadHistory& load) const;

  private:
    struct Cell {
        std::int64_t index;
        std::uint32_t next;  // of its bucket; index + 1
        std::uint32_t episodes;
        std::uint32_t by_direction[2];
        std::uint32_t others;  // episodes of directions that found no place
        std::uint8_t tap;
        std::uint8_t flows_count;
        std::uint64_t flow[kFlowsMax];  // stream and direction
        std::uint32_t flow_episodes[kFlowsMax];
    };
    // A connection in which nothing was missed.
    struct Clean {
        Nanos first;
        Nanos last;
        std::uint64_t bytes;
        std::uint8_t tap;
    };
    // Sums over the cells around an episode.
    struct Around;
    // Those that were seen last.
    static constexpr std::uint32_t kCleanMax = 256;
    static bool ends_later(const Clean& a, const Clean& b);

    [[nodiscard]] std::uint32_t* bucket_of(std::uint8_t tap, std::int64_t index);
    [[nodiscard]] const Cell* find(std::uint8_t tap, std::int64_t index) const;
    [[nodiscard]] Cell& cell_at(std::uint8_t tap, std::int64_t index);
    void forget(std::uint32_t at);
    [[nodiscard]] Around around(const event::Event& event, const LoadHistory& load) const;
    [[nodiscard]] bool others_unharmed(const Around& sums, const event::Event& event,
                                       const LoadHistory& load) const;
    [[nodiscard]] bool other_way_unharmed(const Around& sums, const event::Event& event) const;

    LazyArray<Cell> cells_;
    LazyArray<std::uint32_t> buckets_;  // index + 1
    std::uint32_t cells_count_ = 0;
    std::uint32_t oldest_ = 0;              // once all are in use: the next to be forgotten
    std::array<Clean, kCleanMax> clean_{};  // heap, the first to be forgotten in front
    std::uint32_t clean_count_ = 0;
    std::array<std::uint64_t, 2> bytes_{};  // of finished connections, index: Direction
    std::uint64_t episodes_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace tw::verdict
