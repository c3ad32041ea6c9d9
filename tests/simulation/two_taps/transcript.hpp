// SPDX-License-Identifier: BSD-3-Clause
// A simulation between two taps in words: every packet in the order of the wire, with its fate and
// the numbers of its frames.
#pragma once

#include <string>

#include "simulation/two_taps/record.hpp"

namespace tw::sim::two_taps {

[[nodiscard]] std::string words_of(const Wire& wire);
[[nodiscard]] std::string words_of(const Plan& plan, const Record& record);

}  // namespace tw::sim::two_taps
