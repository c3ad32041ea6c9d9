// SPDX-License-Identifier: BSD-3-Clause
// Whether the product found each connection at both taps to be one: by its addresses as each tap
// saw them, translated or not.
#pragma once

#include "simulation/two_taps/score.hpp"

namespace tw::sim::two_taps {

void score_pairings(const Ground& ground, const Findings& findings, Score& out);

}  // namespace tw::sim::two_taps
