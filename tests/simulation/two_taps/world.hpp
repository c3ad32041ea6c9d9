// SPDX-License-Identifier: BSD-3-Clause
// Runs a plan: hosts on both sides of a firewall, the networks between them and it, two taps and
// what their mirrors deliver, in one queue of events by time. Nothing here knows what the product
// concludes.
#pragma once

#include "simulation/two_taps/record.hpp"

namespace tw::sim::two_taps {

[[nodiscard]] Record run(const Plan& plan);

}  // namespace tw::sim::two_taps
