// SPDX-License-Identifier: BSD-3-Clause
// Sequence numbers between two taps, where a firewall makes them anew: of a conversation's parties,
// Live::shift says by how much.
#pragma once

#include <cstdint>

#include "core/taps/conversations.hpp"
#include "core/taps/in_flight.hpp"
#include "core/taps/packet.hpp"
#include "core/taps/witness.hpp"

namespace tw::taps {

// What twins have in common of the flags.
inline constexpr std::uint8_t kTwinFlags =
    decode::tcp_flag::kSyn | decode::tcp_flag::kFin | decode::tcp_flag::kRst;

// As the sender counts at its entry tap. `party` is the packet's sender.
[[nodiscard]] Numbers numbers_of(const Live& live, const Packet& packet, std::uint8_t party);
// The packet as the other tap would count it.
[[nodiscard]] Packet expected_of(const Live& live, const Packet& packet, std::uint8_t party);
[[nodiscard]] TwinKey twin_key_of(const Live& live, const Packet& packet, std::uint8_t party);

}  // namespace tw::taps
