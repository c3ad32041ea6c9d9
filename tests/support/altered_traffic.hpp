// SPDX-License-Identifier: BSD-3-Clause
// Traffic changed in ways that must not change what is found in it: other times, other sequence
// numbers, below a VLAN or inside VXLAN, ends in the other order. Also what a pipeline tells of it,
// as lines of text that can be compared and read.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "support/packet_builder.hpp"

namespace tw::test {

struct WireFrame {
    Nanos time = 0;
    Bytes bytes{};
    std::uint32_t wire_bytes = 0;
};
using Traffic = std::vector<WireFrame>;

// What was added; index: 0 = the end with the lower address, then port.
struct Shift {
    std::array<std::uint32_t, 2> seq{};
    Nanos time = 0;
};

[[nodiscard]] Traffic shift_time(Traffic traffic, Nanos time);
// Adds to seq, ack and SACK edges. This and the next change Ethernet, IPv4 and TCP only; other
// frames stay as they are, and checksums are not mended.
[[nodiscard]] Traffic shift_numbers(Traffic traffic, const Shift& shift);
// Whether every frame is of that kind.
[[nodiscard]] bool is_plain(const Traffic& traffic);
// Every address becomes its complement: the end that came first comes second.
[[nodiscard]] Traffic swap_sides(Traffic traffic);
[[nodiscard]] Traffic in_vlan(Traffic traffic);
[[nodiscard]] Traffic in_vxlan(const Traffic& traffic);

// One line per event with its finding, sorted. Times and numbers count from `shift`; addresses and
// ids are left out. `portions`: sizes of the bursts, taken in turn.
[[nodiscard]] std::vector<std::string> lines_of(const Traffic& traffic, const Shift& shift = {},
                                                const std::vector<std::size_t>& portions = {1});

}  // namespace tw::test
