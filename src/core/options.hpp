// SPDX-License-Identifier: BSD-3-Clause
// What core can be told, with the defaults of a live monitor. config/options.cpp describes each of
// these to people; app fills them.
#pragma once

#include <array>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "base/time.hpp"

namespace tw {

inline constexpr std::uint32_t kTapsMax = 16;

// The same time for each tap; index: Frame::tap.
[[nodiscard]] constexpr std::array<Nanos, kTapsMax> of_every_tap(Nanos time) {
    std::array<Nanos, kTapsMax> times{};
    times.fill(time);
    return times;
}

// Encapsulations that can be opened, one bit each. VLAN, MPLS and PPPoE sit below IP; "ipip" covers
// IPv4/IPv6 in IPv4/IPv6.
enum class Decap : std::uint16_t {
    vlan = 1U << 0,
    mpls = 1U << 1,
    pppoe = 1U << 2,
    gre = 1U << 3,
    erspan = 1U << 4,
    vxlan = 1U << 5,
    geneve = 1U << 6,
    gtpu = 1U << 7,
    ipip = 1U << 8,
};
inline constexpr std::uint16_t kDecapAll = 0x1FF;

struct KeyScope {
    bool vlan = false;    // innermost VLAN id is part of the connection's identity
    bool tunnel = false;  // innermost VNI, TEID or GRE key is
};

struct DecodeOptions {
    std::uint16_t decap = kDecapAll;
    std::array<KeyScope, kTapsMax> key_scope{};  // index: Frame::tap
};

struct FlowTimeouts {
    bool enabled = true;                // off in `read`: tshark never forgets a connection
    Nanos embryonic = 5 * kSecond;      // handshake not finished
    Nanos established = 300 * kSecond;  // idle
    Nanos closing = 10 * kSecond;       // after RST, or FIN of both sides
};

struct FlowOptions {
    std::uint32_t v4_max = 1'000'000;  // connections
    std::uint32_t v6_max = 250'000;
    FlowTimeouts timeouts;
    Backing backing = Backing::populated;
    // Share of connections that may hold a detail record (flag counts, episodes) at one time, as
    // 1/details_divisor; 1 = every one. Holes likewise. Limits are counted, see counters.def.
    std::uint32_t details_divisor = 16;
    std::uint64_t hash_seed = 0;  // random at start, so that nobody can aim at one bucket
};

struct AnalysisOptions {
    // How long after an ACK its data may still be captured late, when the two directions come from
    // different ports, queues or files; of the tap that saw the connection first. Flags never wait.
    std::array<Nanos, kTapsMax> direction_skew = of_every_tap(50 * kMillisecond);
    // Follow unacknowledged segments exactly as tshark does, up to its limit of 10,000 per
    // direction; live treats the list as never full, which changes nothing but FIN/SYN beyond that
    // limit.
    bool exact_flight = false;
};

struct PipelineOptions {
    DecodeOptions decode;
    FlowOptions flows;
    AnalysisOptions analysis;
    // Fill in Observation::stream, which lies in a cold line: one more cache miss for each frame.
    bool observe_streams = false;
    // Stream numbers are first, first + step, …, so that workers of one run never share one.
    std::uint32_t stream_first = 0;
    std::uint32_t stream_step = 1;
};

}  // namespace tw
