// SPDX-License-Identifier: BSD-3-Clause
// One simulation written out: hosts, every packet with its fate, every event with its score.
#pragma once

#include <string>

#include "simulation/score.hpp"

namespace tw::sim {

[[nodiscard]] std::string transcript(const Ground& ground, const Findings& findings,
                                     const Score& score);

}  // namespace tw::sim
