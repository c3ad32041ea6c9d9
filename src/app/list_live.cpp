// SPDX-License-Identifier: BSD-3-Clause
#include "app/list_live.hpp"

#include "capture/dpdk/stages.hpp"

namespace tw::app {

std::vector<CounterRow> live_counter_rows() {
    std::vector<CounterRow> rows;
    for (const dpdk::StageInfo& stage : dpdk::stage_table()) {
        rows.push_back({std::string(stage.name), "frames", std::string(stage.help)});
    }
    return rows;
}

}  // namespace tw::app
