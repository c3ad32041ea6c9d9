// SPDX-License-Identifier: BSD-3-Clause
// What the episodes of each connection add up to, from the first until its record leaves; and
// whether some of them still wait, or its record does. Bounded: the connection whose last episode
// is oldest is given up first, and records of that time say so.
#pragma once

#include <array>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "base/pool.hpp"
#include "core/event/event.hpp"
#include "core/stats/counters.hpp"

namespace tw::verdict {

struct StreamEntry {
    std::array<event::OutcomeSums, 2> outcomes;  // index: Direction
    Nanos last;                                  // end of its last episode
    Nanos given_up_until;                        // when it was made: what is older may be missing
    std::uint32_t stream;
    std::uint32_t next;   // of its bucket
    std::uint32_t older;  // of those for which nothing waits
    std::uint32_t newer;
    std::uint32_t waiting;  // episodes that are not settled
    std::uint32_t record;   // that waits for them; 0 = none
};

class StreamSums {
  public:
    StreamSums(std::uint32_t streams_max, stats::Counters& counters);

    // 0 = none
    [[nodiscard]] std::uint32_t find(std::uint32_t stream) const;
    // Never 0 while fewer than streams_max connections have episodes that wait.
    [[nodiscard]] std::uint32_t find_or_add(std::uint32_t stream);
    [[nodiscard]] StreamEntry& operator[](std::uint32_t entry) { return entries_[entry]; }

    void begin_wait(std::uint32_t entry);
    // True if nothing waits any more.
    bool end_wait(std::uint32_t entry);
    void add(std::uint32_t entry, const event::Event& settled);
    // The sums of a connection go into its record. `entry` may be 0; it is free afterwards.
    void finish(std::uint32_t entry, event::FlowRecord& record);

  private:
    void link_newest(std::uint32_t entry);
    void unlink(std::uint32_t entry);
    void remove(std::uint32_t entry);
    [[nodiscard]] std::uint32_t& bucket_of(std::uint32_t stream);

    stats::Counters& counters_;
    Pool<StreamEntry> entries_;
    LazyArray<std::uint32_t> buckets_;
    std::uint32_t oldest_ = 0;
    std::uint32_t newest_ = 0;
    Nanos given_up_until_ = INT64_MIN;
};

}  // namespace tw::verdict
