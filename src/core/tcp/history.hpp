// SPDX-License-Identifier: BSD-3-Clause
// The last TCP headers a worker saw, one cache line each, written in order and chained per
// connection. Judging an episode needs what came before its first sign: the first copy of a
// repeat, the ACK that covered it, how the sender counts its IP identification. Looked at for
// episodes only; the past it reaches is bounded by the ring, and what it no longer holds is not
// known.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/lazy_array.hpp"
#include "base/time.hpp"
#include "core/decode/decoded.hpp"
#include "core/flow/flow.hpp"
#include "core/frame.hpp"
#include "core/tcp/options.hpp"

namespace tw::tcp {

struct Sighting {
    Nanos time;
    std::uint64_t frame;  // 0 = not numbered (live)
    std::uint32_t seq;
    std::uint32_t ack;
    std::uint32_t tsval;  // with has_timestamps
    std::uint32_t tsecr;
    SackBlock sack;        // the first block, with has_sack: the latest arrival, or a DSACK
    std::uint32_t number;  // counts the worker's sightings, modulo 2^32
    std::uint32_t owner;   // the connection
    std::uint32_t payload_bytes : 24;  // more than fits is as much as fits
    std::uint32_t sender : 1;          // side of the key
    std::uint32_t payload_known : 1;
    std::uint32_t has_timestamps : 1;
    std::uint32_t has_sack : 1;
    std::uint32_t is_dsack : 1;  // the block reports a duplicate (RFC 2883)
    std::uint32_t v6 : 1;        // no IP identification
    std::uint32_t spare : 2;
    std::uint16_t previous;  // index of the connection's sighting before it; 0 = none
    std::uint16_t window;    // raw
    std::uint16_t ip_id;
    std::uint16_t checksum;
    std::uint8_t flags;
    std::uint8_t ttl;

    // One past the last number it occupies.
    [[nodiscard]] std::uint32_t end() const {
        namespace flag = decode::tcp_flag;
        return seq + payload_bytes + ((flags & flag::kSyn) != 0 ? 1U : 0U) +
               ((flags & flag::kFin) != 0 ? 1U : 0U);
    }
    [[nodiscard]] bool has(std::uint8_t bits) const { return (flags & bits) != 0; }
};
static_assert(sizeof(Sighting) == 64, "one cache line");

class History {
  public:
    static constexpr std::uint32_t kSightings = 1U << 16;  // Flow::recent is an index

    explicit History(Backing backing) : ring_(kSightings, backing) {}

    // `times`: timestamps_alone() of the segment.
    void add(flow::Flow& flow, std::uint32_t owner, const Frame& frame,
             const decode::Decoded& found, const Timestamps& times);

    // The latest sighting of a connection, and the one before another; nullptr where there is none
    // or the ring no longer holds it.
    [[nodiscard]] const Sighting* latest(const flow::Flow& flow, std::uint32_t owner) const {
        const Sighting& sighting = ring_[flow.recent];
        return flow.recent != 0 && sighting.owner == owner ? &sighting : nullptr;
    }
    [[nodiscard]] const Sighting* before(const Sighting& sighting) const {
        const Sighting& earlier = ring_[sighting.previous];
        const bool holds = sighting.previous != 0 && earlier.owner == sighting.owner &&
                           static_cast<std::int32_t>(sighting.number - earlier.number) > 0;
        return holds ? &earlier : nullptr;
    }

    // A connection's name for its sightings.
    [[nodiscard]] static std::uint32_t owner_of(std::uint32_t slot, bool v6) {
        return slot | (v6 ? 1U << 31 : 0U);
    }
    [[nodiscard]] static constexpr std::size_t memory_bytes() {
        return std::size_t{kSightings} * sizeof(Sighting);
    }

  private:
    static void add_options(Sighting& out, const decode::Segment& segment);

    static constexpr std::uint32_t kPayloadMax = (1U << 24) - 1;

    LazyArray<Sighting> ring_;  // element 0 is never used
    std::uint32_t last_ = 0;    // number of the latest sighting
};

inline void History::add(flow::Flow& flow, std::uint32_t owner, const Frame& frame,
                         const decode::Decoded& found, const Timestamps& times) {
    const decode::Segment& segment = found.segment;
    last_ += (last_ + 1) % kSightings == 0 ? 2U : 1U;
    Sighting& out = ring_[last_ % kSightings];
    __builtin_prefetch(&ring_[(last_ + 4) % kSightings], 1);
    // Eight words, each stored by itself, so that the line is written at once and never read. A
    // copy of an array would be loaded in wider pieces than it was stored in, and wait for that.
    const auto pair = [](std::uint64_t low, std::uint64_t high) { return low | high << 32; };
    const std::uint64_t bits = std::min(segment.payload_bytes, kPayloadMax) |
                               (found.sender & 1U) << 24 | (segment.payload_known ? 1U << 25 : 0U) |
                               (times.present ? 1U << 26 : 0U) | (found.v6 ? 1U << 29 : 0U);
    char* const line = reinterpret_cast<char*>(&out);
    const auto store = [line](std::size_t word, std::uint64_t value) {
        std::memcpy(line + word * sizeof value, &value, sizeof value);
    };
    static_assert(std::endian::native == std::endian::little, "the words are laid out so");
    store(0, static_cast<std::uint64_t>(frame.time));
    store(1, frame.number);
    store(2, pair(segment.seq, segment.ack));
    store(3, pair(times.value, times.echo));
    store(4, 0);
    store(5, pair(last_, owner));
    store(6, pair(bits, flow.recent | std::uint64_t{segment.window} << 16));
    store(7, pair(found.ip_id | std::uint64_t{segment.checksum} << 16,
                  segment.flags | std::uint64_t{found.ttl} << 8));
    flow.recent = static_cast<std::uint16_t>(last_ % kSightings);
    if (!times.present && segment.options_bytes != 0) {
        add_options(out, segment);
    }
}

}  // namespace tw::tcp
