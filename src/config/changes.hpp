// SPDX-License-Identifier: BSD-3-Clause
// What differs between two configurations, key by key, and which of it a running monitor can take
// over (the column `live` of the option table). Keys of a firewall validation are not compared: a
// monitor does not use them.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"

namespace tw::config {

struct Change {
    std::string key;     // concrete: "ports[1].device", "taps.core.direction_skew"
    std::string before;  // as YAML; "" = the port is not there
    std::string after;
    bool live = false;
};

// In the order of the option table.
[[nodiscard]] std::vector<Change> changes(const Config& before, const Config& after);

// Copies every live key of `next`; the others keep what the program was started with.
void take_live(Config& running, const Config& next);

}  // namespace tw::config
