// SPDX-License-Identifier: BSD-3-Clause
// What the product says of a simulation between two taps: the frames of both mirrors through the
// engine of core/taps and an investigation, as from two files that are read side by side.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/taps/engine.hpp"
#include "firewall/report.hpp"
#include "simulation/two_taps/record.hpp"

namespace tw::sim::two_taps {

struct Claim {
    taps::Fact fact;
    taps::Grade grade = taps::Grade::unproven;  // as settled among its neighbours
    std::optional<firewall::Behaviour> behaviour;
};

struct Findings {
    std::vector<Claim> claims;
    std::vector<taps::Conversation> conversations;
    firewall::Report report;
};

[[nodiscard]] Findings monitor(const Plan& plan, const Record& record);

// Writes what the taps captured as DIR/outside.pcap and DIR/inside.pcap.
void save_captures(const Plan& plan, const Record& record, const std::string& folder);

}  // namespace tw::sim::two_taps
