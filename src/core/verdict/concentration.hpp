// SPDX-License-Identifier: BSD-3-Clause
// Patterns one_host and one_prefix: whether the losses are those of one host or one network, though
// others carry most of the traffic.
#pragma once

#include "core/verdict/path_sums.hpp"
#include "core/verdict/pattern.hpp"

namespace tw::verdict {

void look_for_concentration(const PathSums& paths, PatternList& found);

}  // namespace tw::verdict
