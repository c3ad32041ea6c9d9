// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/flight.hpp"

#include "base/sequence.hpp"

namespace tw::tcp {
namespace {

// Not after the ACK: covered. Said with after() so that a distance of 2^31 stays, as in tshark.
bool covered(std::uint32_t end, std::uint32_t ack) {
    return !after(end, ack);
}

}  // namespace

bool FlightPool::push(Flight& flight, std::uint32_t end) {
    if (flight.tail == 0 || flight.tail_used == FlightChunk::kEnds) {
        const std::uint32_t chunk = chunks_.take();
        if (chunk == Pool<FlightChunk>::kNone) {
            return false;
        }
        chunks_[chunk].next = 0;
        (flight.tail == 0 ? flight.head : chunks_[flight.tail].next) = chunk;
        flight.tail = chunk;
        flight.tail_used = 0;
    }
    chunks_[flight.tail].ends[flight.tail_used++] = end;
    if (flight.count != 0) {
        const bool ascending =
            distance(front(flight), flight.last_end) <= distance(front(flight), end);
        const bool near = distance(front(flight), end) < 0x8000'0000U;
        flight.disordered = flight.disordered || !ascending || !near;
    }
    flight.last_end = end;
    ++flight.count;
    return true;
}

void FlightPool::pop_front(Flight& flight) {
    --flight.count;
    ++flight.head_offset;
    const bool tail = flight.head == flight.tail;
    if (flight.head_offset < (tail ? flight.tail_used : FlightChunk::kEnds)) {
        return;
    }
    const std::uint32_t done = flight.head;
    const std::uint32_t next = tail ? 0 : chunks_[done].next;
    chunks_.give_back(done);
    flight.head = next;
    flight.head_offset = 0;
    if (tail) {
        flight = Flight{};
    }
}

void FlightPool::acknowledge(Flight& flight, std::uint32_t ack) {
    if (flight.count == 0) {
        return;
    }
    // In an ascending list that spans less than half the circle, an ACK at or beyond the first end
    // covers a prefix; an ACK before it covers nothing, unless it wraps round to cover the last.
    if (!flight.disordered) {
        if (covered(front(flight), ack)) {
            do {
                pop_front(flight);
            } while (flight.count != 0 && covered(front(flight), ack));
            return;
        }
        if (!covered(flight.last_end, ack)) {
            return;
        }
    }
    filter(flight, ack);
}

void FlightPool::filter(Flight& flight, std::uint32_t ack) {
    Flight kept{};
    Flight old = flight;
    // Rewrites in place: the writer never passes the reader, so it reuses the reader's chunks.
    std::uint32_t read_chunk = old.head;
    std::uint32_t read_at = old.head_offset;
    std::uint32_t write_chunk = old.head;
    std::uint32_t write_at = 0;
    kept.head = old.head;
    for (std::uint32_t left = old.count; left != 0; --left) {
        if (read_at == FlightChunk::kEnds) {
            read_chunk = chunks_[read_chunk].next;
            read_at = 0;
        }
        const std::uint32_t end = chunks_[read_chunk].ends[read_at++];
        if (covered(end, ack)) {
            continue;
        }
        if (write_at == FlightChunk::kEnds) {
            write_chunk = chunks_[write_chunk].next;
            write_at = 0;
        }
        chunks_[write_chunk].ends[write_at++] = end;
        if (kept.count != 0) {
            const std::uint32_t first = chunks_[kept.head].ends[0];
            kept.disordered = kept.disordered ||
                              distance(first, kept.last_end) > distance(first, end) ||
                              distance(first, end) >= 0x8000'0000U;
        }
        kept.last_end = end;
        ++kept.count;
    }
    kept.tail = write_chunk;
    kept.tail_used = static_cast<std::uint8_t>(write_at);
    std::uint32_t unused = kept.count == 0 ? kept.head : chunks_[write_chunk].next;
    if (write_chunk == old.tail && kept.count != 0) {
        unused = 0;
    }
    while (unused != 0) {
        const std::uint32_t next = unused == old.tail ? 0 : chunks_[unused].next;
        chunks_.give_back(unused);
        unused = next;
    }
    flight = kept.count == 0 ? Flight{} : kept;
}

void FlightPool::clear(Flight& flight) {
    for (std::uint32_t chunk = flight.head; chunk != 0;) {
        const std::uint32_t next = chunk == flight.tail ? 0 : chunks_[chunk].next;
        chunks_.give_back(chunk);
        chunk = next;
    }
    flight = Flight{};
}

}  // namespace tw::tcp
