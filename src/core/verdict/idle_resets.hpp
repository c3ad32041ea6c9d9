// SPDX-License-Identifier: BSD-3-Clause
// Pattern idle_then_reset: per service, whether resets come after silence, and how long that was.
#pragma once

#include <cstdint>

#include "base/lazy_array.hpp"
#include "core/event/event.hpp"
#include "core/verdict/pattern.hpp"

namespace tw::verdict {

class IdleResets {
  public:
    // Services with resets; the one with fewest makes room.
    static constexpr std::uint32_t kRowsMax = 512;

    IdleResets() : rows_(kRowsMax, Backing::lazy) {}
    // Of type reset; its finding.lag is how long the connection had been silent.
    void add(const event::Event& reset);
    void look(PatternList& found) const;

  private:
    struct Row {
        flow::Endpoint server;
        std::uint8_t tap;
        std::uint32_t resets;
        std::uint32_t idle;
        std::uint32_t streams_count;
        std::uint32_t stream[3];
        Nanos shortest;
        Nanos longest;
        Nanos first;
        Nanos last;
    };
    [[nodiscard]] Row& row_of(const event::Event& reset);

    LazyArray<Row> rows_;
    std::uint32_t rows_count_ = 0;
};

}  // namespace tw::verdict
