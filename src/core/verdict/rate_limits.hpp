// SPDX-License-Identifier: BSD-3-Clause
// Pattern policing: at each loss of a connection, the bytes sent so far lie on one line over time.
// That is what a token bucket does, whatever the sender tries between its losses: rate is the
// slope, burst what passed before the line began (Flach et al., SIGCOMM 2016). Sequence numbers
// tell how much was sent, so nothing is counted per packet.
#pragma once

#include <array>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "core/event/event.hpp"
#include "core/verdict/pattern.hpp"

namespace tw::verdict {

class RateLimits {
  public:
    // Directions of connections that are followed; the one with fewest losses makes room.
    static constexpr std::uint32_t kRowsMax = 128;
    static constexpr std::uint32_t kPointsMax = 64;

    RateLimits() : rows_(kRowsMax, Backing::lazy) {}
    void add(const event::Event& loss);
    // The connection ends: when it began, and so its burst, is known.
    void add(const event::FlowRecord& record, PatternList& found);

  private:
    struct Point {
        Nanos time;
        std::uint64_t sent;  // bytes of the direction before the lost ones
        std::uint32_t lost;
    };
    struct Row {
        bool used;
        std::uint8_t tap;
        event::Direction direction;
        std::uint32_t stream;
        std::uint32_t losses;
        std::uint32_t segment_bytes;
        std::uint32_t points_count;
        std::array<Point, kPointsMax> points;  // the first ones
    };
    [[nodiscard]] static bool fit(const Row& row, Nanos start, Pattern& pattern);

    LazyArray<Row> rows_;
    std::uint32_t rows_used_ = 0;
};

}  // namespace tw::verdict
