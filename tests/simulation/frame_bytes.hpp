// SPDX-License-Identifier: BSD-3-Clause
// A simulated packet as Ethernet, IP and TCP: the one place where positions become sequence
// numbers. Payload bytes follow from connection, side and position, so that copies are equal and
// everything else differs.
#pragma once

#include <cstdint>
#include <vector>

#include "simulation/plan.hpp"

namespace tw::sim {

[[nodiscard]] std::vector<std::uint8_t> frame_bytes(const Packet& packet,
                                                    const ConnectionPlan& connection,
                                                    bool ttl_less);

// IP address of a host, 4 or 16 bytes.
[[nodiscard]] std::vector<std::uint8_t> address(const ConnectionPlan& connection, Side side);

// The bytes that `from` sends at these positions.
void append_stream(std::vector<std::uint8_t>& out, std::uint32_t connection, Side from, Span part);

// The position that a sequence number stands for: a simulated stream is far shorter than 2^32.
[[nodiscard]] inline Position position_of(std::uint32_t sequence, std::uint32_t isn) {
    const std::uint32_t apart = sequence - isn;
    return apart > 0xF000'0000U ? Position{apart} - (Position{1} << 32) : Position{apart};
}

}  // namespace tw::sim
