// SPDX-License-Identifier: BSD-3-Clause
// Rows of `tapwitness list counters` that only a live run has. Empty where DPDK is not built in.
#pragma once

#include <string>
#include <vector>

namespace tw::app {

struct CounterRow {
    std::string name;
    std::string unit;
    std::string help;
};
[[nodiscard]] std::vector<CounterRow> live_counter_rows();

}  // namespace tw::app
