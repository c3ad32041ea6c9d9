// SPDX-License-Identifier: BSD-3-Clause
// How long packets took between the taps (catalogue 21): distributions of setup and data for each
// way, and the times in which they took far longer than usual.
#pragma once

#include "firewall/study.hpp"

namespace tw::firewall {

void sum_latencies(const Study& study, Lessons& lessons);

}  // namespace tw::firewall
