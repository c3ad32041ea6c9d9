// SPDX-License-Identifier: BSD-3-Clause
// The truth between two taps: every packet a host or the firewall sent, where it was seen, and what
// became of it. Written by the world while it runs, read by the scorer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "simulation/two_taps/plan.hpp"
#include "simulation/two_taps/wire.hpp"

namespace tw::sim::two_taps {

inline constexpr std::uint32_t kNone = UINT32_MAX;

// Why the firewall did not send a packet on.
enum class Drop : std::uint8_t {
    none,
    chance,
    syn,
    syn_ack,
    length,
    sack,
    window,
    refused,
    idle,
    limit,
    policer,
    queue,  // the shaper's was full
    reset,
    half_close,
    reuse,
    lost_state,
    after_reset,  // of its own
    not_ready,    // a SYN proxy that has not reached the server yet
};
inline constexpr std::size_t kDrops = static_cast<std::size_t>(Drop::not_ready) + 1;
[[nodiscard]] std::string_view name(Drop drop);

enum class Fate : std::uint8_t {
    lost_outside,  // before it reached the firewall
    on_its_way,    // the simulation ended first
    passed,
    dropped,
    absorbed,  // by a proxy: its bytes go on in other packets
};

// One packet on the wire at one tap.
struct Sighting {
    TapSide tap = TapSide::outside;
    taps::Way way = taps::Way::inward;
    std::uint32_t passing = kNone;
    Nanos wire = 0;
    Wire packet;
    bool missed = false;
    bool lost_beyond = false;           // an exit: it did not reach the host
    std::vector<Nanos> arrivals;        // idem, 0, 1 or 2
    std::vector<std::uint32_t> frames;  // at its tap, from 1; empty = not captured
};

// One packet's way through the firewall; a network copy is a packet of its own.
struct Passing {
    std::uint32_t transmission = kNone;  // none: the firewall made it
    taps::Way way = taps::Way::inward;
    Fate fate = Fate::on_its_way;
    Drop drop = Drop::none;
    bool network_copy = false;
    bool held_back = false;  // so that later ones overtake it
    std::uint32_t entry = kNone;
    std::vector<std::uint32_t> exits;
};

struct Captured {
    Nanos time = 0;
    std::uint32_t sighting = 0;
    bool copy = false;
    bool ttl_less = false;
};

struct Record {
    std::vector<Packet> transmissions;
    std::vector<Passing> passings;
    std::vector<Sighting> sightings;
    // In the order of capture; frame number - 1. Index: TapSide.
    std::array<std::vector<Captured>, taps::kSides> captures;
    Nanos end = 0;
};

}  // namespace tw::sim::two_taps
