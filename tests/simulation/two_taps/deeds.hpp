// SPDX-License-Identifier: BSD-3-Clause
// What each deed of a firewall means in numbers, and the traffic in which it shows.
#pragma once

#include "simulation/two_taps/plan.hpp"
#include "support/random.hpp"

namespace tw::sim::two_taps {

void commit(Deed deed, Plan& plan, test::Random& random);

// Instead of a few connections: many with a few packets each, some over a tuple used before.
void make_many_short(Plan& plan, test::Random& random);

}  // namespace tw::sim::two_taps
