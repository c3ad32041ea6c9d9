// SPDX-License-Identifier: BSD-3-Clause
// The ends of a direction's unacknowledged segments, kept only because tshark stops adding the
// phantom byte of SYN and FIN once 10,000 of them are outstanding (measured on 4.0.17). `read`
// follows the list exactly; live treats it as never full. Memory comes from a shared pool of small
// chunks.
#pragma once

#include <cstdint>

#include "base/pool.hpp"

namespace tw::tcp {

inline constexpr std::uint32_t kFlightMax = 10'000;

struct FlightChunk {
    static constexpr std::uint32_t kEnds = 15;
    std::uint32_t next;
    std::uint32_t ends[kEnds];
};
static_assert(sizeof(FlightChunk) == 64);

// One direction's list; all zero = empty. Both directions of a connection share a cache line.
struct alignas(32) Flight {
    std::uint32_t head;  // chunk, 0 = none
    std::uint32_t tail;
    std::uint32_t count;
    std::uint32_t last_end;
    std::uint8_t head_offset;  // first used element of head
    std::uint8_t tail_used;    // elements used in tail
    bool disordered;           // ends do not ascend within half the circle: scan instead of pop
};
static_assert(sizeof(Flight) == 32);

class FlightPool {
  public:
    explicit FlightPool(std::uint32_t chunks_max) : chunks_(chunks_max, Backing::lazy) {}

    [[nodiscard]] static bool full(const Flight& flight) { return flight.count >= kFlightMax; }
    // False when the pool is empty: the segment is not remembered.
    [[nodiscard]] bool push(Flight& flight, std::uint32_t end);
    // Removes every segment whose end is at or before `ack`.
    void acknowledge(Flight& flight, std::uint32_t ack);
    void clear(Flight& flight);
    // The chunks that push() and acknowledge() will touch, on their way to the cache.
    void prefetch(const Flight& flight) const {
        if (flight.count != 0) {
            __builtin_prefetch(&chunks_[flight.head]);
            __builtin_prefetch(&chunks_[flight.tail], 1);
        }
    }

  private:
    [[nodiscard]] std::uint32_t front(const Flight& flight) {
        return chunks_[flight.head].ends[flight.head_offset];
    }
    void pop_front(Flight& flight);
    void filter(Flight& flight, std::uint32_t ack);

    Pool<FlightChunk> chunks_;
};

}  // namespace tw::tcp
