// SPDX-License-Identifier: BSD-3-Clause
// Findings of a report against what the firewall did: which behaviours the run supports, and the
// parameters that it had.
#pragma once

#include <string>
#include <vector>

#include "firewall/report.hpp"
#include "simulation/two_taps/ground.hpp"

namespace tw::sim::two_taps {

// It happened in this run, or follows from what did.
[[nodiscard]] bool supports(const Ground& ground, firewall::Behaviour behaviour);

// Learnt values that contradict those the firewall was given, in words.
[[nodiscard]] std::vector<std::string> wrong_parameters(const Ground& ground,
                                                        const firewall::Report& report);

// The behaviour that a deed is to be found as; none where the frames show it only by chance.
[[nodiscard]] std::optional<firewall::Behaviour> behaviour_of(Deed deed);

}  // namespace tw::sim::two_taps
