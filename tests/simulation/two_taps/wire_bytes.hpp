// SPDX-License-Identifier: BSD-3-Clause
// A simulated packet between two taps as the bytes of an Ethernet frame.
#pragma once

#include <cstdint>
#include <vector>

#include "simulation/two_taps/wire.hpp"

namespace tw::sim::two_taps {

struct FrameStyle {
    std::uint16_t vlan = 0;  // 0 = no tag
    bool ttl_less = false;   // a copy that the mirror took one hop later
};

[[nodiscard]] std::vector<std::uint8_t> wire_bytes(const Wire& wire, const FrameStyle& style);

}  // namespace tw::sim::two_taps
