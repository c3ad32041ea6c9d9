// SPDX-License-Identifier: BSD-3-Clause
// Built without DPDK: nothing of it takes memory.
#include "app/memory_plan.hpp"

namespace tw::app {

bool live_is_built() {
    return false;
}

DpdkMemory plan_dpdk_memory(const config::Config&) {
    return {};
}

}  // namespace tw::app
