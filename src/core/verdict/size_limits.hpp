// SPDX-License-Identifier: BSD-3-Clause
// Pattern pmtu_black_hole: per service and direction, whether what is lost is longer than anything
// that is delivered.
#pragma once

#include <cstdint>

#include "base/lazy_array.hpp"
#include "core/event/event.hpp"
#include "core/verdict/pattern.hpp"

namespace tw::verdict {

class SizeLimits {
  public:
    // Services and directions with losses; the one with fewest makes room.
    static constexpr std::uint32_t kRowsMax = 512;

    SizeLimits() : rows_(kRowsMax, Backing::lazy) {}
    void add(const event::Event& loss);
    void look(PatternList& found) const;

  private:
    static constexpr std::uint32_t kClasses = 64;
    static constexpr std::uint32_t kClassBytes = 32;

    struct Row {
        flow::Endpoint server;
        event::Direction direction;
        std::uint8_t tap;
        std::uint32_t losses;  // whose size is known
        std::uint32_t delivered_most;
        std::uint32_t streams_count;
        std::uint32_t stream[2];
        std::uint64_t bytes;
        Nanos first;
        Nanos last;
        // Losses by the size of their largest segment, and the shortest of each class.
        std::uint32_t by_size[kClasses];
        std::uint32_t shortest[kClasses];
    };
    [[nodiscard]] Row& row_of(const event::Event& loss);

    LazyArray<Row> rows_;
    std::uint32_t rows_count_ = 0;
};

}  // namespace tw::verdict
