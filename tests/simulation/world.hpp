// SPDX-License-Identifier: BSD-3-Clause
// Runs a plan: hosts, the path past the tap in both directions with its faults, the mirror and the
// monitor, in one queue of events by time. Nothing here knows what the product concludes.
#pragma once

#include "simulation/record.hpp"

namespace tw::sim {

[[nodiscard]] Record run(const Plan& plan);

}  // namespace tw::sim
