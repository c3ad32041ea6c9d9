// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/record.hpp"

namespace tw::sim::two_taps {

std::string_view name(Drop drop) {
    constexpr std::array<std::string_view, kDrops> kNames{
        "none",   "chance",     "syn",   "syn_ack",    "length",      "sack",
        "window", "refused",    "idle",  "limit",      "policer",     "queue",
        "reset",  "half_close", "reuse", "lost_state", "after_reset", "not_ready"};
    return kNames[static_cast<std::size_t>(drop)];
}

}  // namespace tw::sim::two_taps
