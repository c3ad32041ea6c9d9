// SPDX-License-Identifier: BSD-3-Clause
// What the two taps tell about themselves: the numbers behind the gates that stand before every
// verdict (wiring, liveness, time). One per worker, added up by src/firewall/gates.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.hpp"
#include "core/taps/packet.hpp"
#include "core/taps/side.hpp"

namespace tw::taps {

// One way at one tap.
struct TapWay {
    std::uint64_t packets = 0;  // TCP, copies of the mirror left out
    std::uint64_t copies = 0;   // de-duplicated: the mirror sent them twice
    std::uint64_t paired = 0;   // those with a twin at the other tap
    // Bytes that receivers acknowledged and this tap never saw, by its own ACKs.
    std::uint64_t missed_bytes = 0;
    std::uint64_t missed_packets = 0;
    Nanos first = 0;
    Nanos last = 0;
};

struct TapHealth {
    std::array<std::array<TapWay, kWays>, kSides> taps{};  // [Side][Way]
    // Of the pairs with data or FIN, which no box makes in a host's name. TTL at entry less TTL at
    // exit; beyond the array: any other.
    static constexpr int kTtlFallMin = -1;
    static constexpr std::size_t kTtlFalls = 5;  // -1, 0, 1, 2, other
    std::array<std::array<std::uint64_t, kTtlFalls>, kWays> ttl_fall{};
    // Smallest transit of each way: their sum must not be negative with one clock (gate T).
    std::array<Nanos, kWays> least_transit{};
    std::array<std::uint64_t, kWays> negative_transits{};
    std::uint64_t conversations_at_both = 0;
    std::array<std::uint64_t, kSides> conversations_at_one{};
    std::uint64_t checksum_unset = 0;  // packets whose checksum was left to the card: no digest
    std::uint64_t untold_sides = 0;    // conversations whose client's side is a mere guess

    // Pairs behind ttl_fall, least_transit and negative_transits.
    [[nodiscard]] std::uint64_t compared(Way way) const;
    // A packet at both taps: counts it as paired, its TTL and its transit.
    void pair(Way way, const Packet& entered, const Packet& left);
    // How far the taps' times contradict each other: with one clock no packet and its answer can
    // both be quicker than nothing. 0 = they do not.
    [[nodiscard]] Nanos skew() const;
    void add(const TapHealth& other);
};

}  // namespace tw::taps
