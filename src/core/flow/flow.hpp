// SPDX-License-Identifier: BSD-3-Clause
// State of one connection. Flow is what every packet needs: two adjacent cache lines, key included.
// ColdFlow is touched when a connection begins, ends or shows a flag; details live in bounded
// pools. Field names of Half are those of the flag rules (core/tcp/analysis.cpp gives the source).
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "core/flow/key.hpp"

namespace tw::flow {

// Bits of Half::bits.
namespace half_bit {
inline constexpr std::uint8_t kBaseSet = 1U << 0;    // ColdFlow::base holds an ISN or a guess
inline constexpr std::uint8_t kWindowSet = 1U << 1;  // a segment of this side was analysed
inline constexpr std::uint8_t kSynWindow = 1U << 2;  // window of a SYN: never scaled
inline constexpr std::uint8_t kKeepAlive = 1U << 3;  // the last segment was a keep-alive
inline constexpr std::uint8_t kProbe = 1U << 4;      // the last segment was a zero window probe
inline constexpr std::uint8_t kSeen = 1U << 5;       // seen_end is valid
inline constexpr std::uint8_t kFin = 1U << 6;        // a FIN of this side was captured
inline constexpr std::uint8_t kProbeTail = 1U << 7;  // the byte below seen_end was a window probe
}  // namespace half_bit

// Bits of Flow::bits.
namespace flow_bit {
inline constexpr std::uint8_t kOccupied = 1U << 0;
inline constexpr std::uint8_t kRttSet = 1U << 1;  // rtt_or_syn is the initial RTT, not a SYN's time
inline constexpr std::uint8_t kEpisodes =
    1U << 2;  // a hole or a run of repeats is open: look at ColdFlow::episodes
inline constexpr std::uint8_t kClientKnown = 1U << 3;  // a SYN or SYN/ACK told
inline constexpr std::uint8_t kClientSide = 1U << 4;   // the client is (or is guessed to be) side 1
inline constexpr std::uint8_t kDetailsLost = 1U << 5;  // a pool was empty: counts are lower bounds
inline constexpr std::uint8_t kMptcp = 1U << 6;        // both sides have details with its options
inline constexpr std::uint8_t kLife = 1U << 7;         // core/tcp/life wants each segment
}  // namespace flow_bit

inline constexpr std::uint8_t kDupsPoisoned = 255;
inline constexpr std::uint8_t kDupsMost = 254;  // the rules ask for 0, 1, 2 or more, poisoned
inline constexpr std::int8_t kScaleUnknown = -1;
inline constexpr std::int8_t kScaleUnused = -2;

// One direction.
struct Half {
    Nanos nxt_time;      // of the segment that last raised nxt
    Nanos ack_time;      // of this side's last analysed segment
    std::uint32_t nxt;   // highest end seen; 0 = none (also when it really is 0, as in tshark)
    std::uint32_t mark;  // highest number the peer may acknowledge without "unseen"; 0 = none
    std::uint32_t ack;   // ACK field of the last segment, whether or not the flag was set
    std::uint32_t
        seen_end;  // end of the bytes seen, by causality and not by the rules of the flags
    std::uint32_t packets;
    std::uint32_t payload_low;  // payload bytes modulo 2^32 ...
    std::uint16_t window;       // raw
    std::uint8_t dups;          // duplicate ACKs, saturating
    std::int8_t scale;          // kScale* or 0..14
    std::uint8_t bits;
    std::uint8_t rtt_code;       // round trip from the tap to this side, at the handshake
    std::uint16_t payload_high;  // ... and the part above, so up to 2^48 bytes
};
static_assert(sizeof(Half) == 48);

struct alignas(64) Flow {
    Half half[2];      // index: side of the key
    Nanos rtt_or_syn;  // initial RTT if kRttSet, else time of the latest SYN (0 = none)
    KeyV4 key_v4;      // IPv4 only; an IPv6 key does not fit, FlowTable keeps it by slot
    std::uint32_t last_seen : 27;  // coarse_time() of the last packet
    std::uint32_t tap : 5;
    std::uint8_t completeness;
    std::uint8_t bits;
    std::uint16_t recent;  // its latest sighting (core/tcp/history), 0 = none
};
static_assert(sizeof(Flow) == 128, "two cache lines per connection");

inline constexpr std::uint32_t kEpisodesIndexMax = (1U << 24) - 1;

struct ColdFlow {
    Nanos first;            // time of the first packet
    std::uint32_t base[2];  // ISN or guess, by side
    std::uint32_t stream;
    std::uint32_t episodes : 24;  // index into the pool of episode records, 0 = none
    std::uint32_t hops_0 : 4;     // hops_code() of the side's SYN or SYN/ACK, 0 = unknown
    std::uint32_t hops_1 : 4;
    std::uint32_t details[2];  // index into the pool of side details, by side, 0 = none
    std::uint32_t
        seen_begin[2];  // first byte seen, by side; what lies below came before the capture

    [[nodiscard]] std::uint8_t hops(std::uint8_t side) const { return side == 0 ? hops_0 : hops_1; }
    void set_hops(std::uint8_t side, std::uint8_t code) {
        if (side == 0) {
            hops_0 = code & 15U;
        } else {
            hops_1 = code & 15U;
        }
    }
};
static_assert(sizeof(ColdFlow) == 40);

// How many routers a frame has passed, from the initial TTLs in use (32, 64, 128, 255), folded into
// 1..15. Two codes differ only if the frames came from different distances; a host that uses
// another initial TTL for some of its frames has one code all the same.
[[nodiscard]] constexpr std::uint8_t hops_code(std::uint8_t ttl) {
    const int initial = ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
    return static_cast<std::uint8_t>((initial - ttl) % 15 + 1);
}

// Steps of 2^26 ns (67 ms), enough for ageing. 27 bits: wraps after 104 days.
[[nodiscard]] inline std::uint32_t coarse_time(Nanos time) {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(time) >> 26) & 0x7FF'FFFFU;
}
// Steps from `then` to `now`; negative if `then` is the later.
[[nodiscard]] inline std::int32_t coarse_since(std::uint32_t then, std::uint32_t now) {
    return static_cast<std::int32_t>((now - then) << 5) >> 5;
}

}  // namespace tw::flow
