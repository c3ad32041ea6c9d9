// SPDX-License-Identifier: BSD-3-Clause
// How far a fact is proven among its neighbours: rule S (a single loss is proven only while the tap
// where it should have left misses nothing around it) and gate H (where the capture is known to
// have lost something, the best is probable). Bounded; does not depend on the order in which
// workers are drained, as long as a fact is settled only once its neighbours are known.
#pragma once

#include <string_view>

#include "core/taps/fact.hpp"

namespace tw::firewall {

[[nodiscard]] std::string_view help(taps::Grade grade);

}  // namespace tw::firewall
