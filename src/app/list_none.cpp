// SPDX-License-Identifier: BSD-3-Clause
#include "app/list_live.hpp"

namespace tw::app {

std::vector<CounterRow> live_counter_rows() {
    return {};
}

}  // namespace tw::app
