// SPDX-License-Identifier: BSD-3-Clause
// The memory a live run takes, before anything is reserved: what `check` prints and holds against
// the host. Two bodies for the part inside DPDK: memory_plan_live.cpp and memory_plan_none.cpp.
#pragma once

#include <cstdint>

#include "config/config.hpp"

namespace tw::app {

// Of DPDK's own memory: huge pages, where the host has them.
struct DpdkMemory {
    std::uint64_t index_bytes = 0;    // one worker's two indexes
    std::uint64_t buffers_bytes = 0;  // packet buffers and rings of all ports and workers
};

// What EAL and its libraries take for themselves, and what allocation wastes.
inline constexpr std::uint64_t kEalSlackBytes = std::uint64_t{64} << 20U;

struct MemoryPlan {
    bool live = false;  // built with DPDK; without it `dpdk` is all zero
    std::uint32_t workers = 1;
    std::uint64_t tables_bytes = 0;   // one worker's connections and what is kept about them
    std::uint64_t outbox_bytes = 0;   // one worker's events and flow records on their way out
    std::uint64_t settler_bytes = 0;  // events and flow records that wait for their neighbours
    DpdkMemory dpdk;
    std::uint64_t v4_connection_bytes = 0;  // all-in: record, share of the pools, index
    std::uint64_t v6_connection_bytes = 0;

    [[nodiscard]] std::uint64_t worker_bytes() const {
        return tables_bytes + outbox_bytes + dpdk.index_bytes;
    }
    [[nodiscard]] std::uint64_t dpdk_bytes() const {
        return workers * dpdk.index_bytes + dpdk.buffers_bytes;
    }
    // Asked of EAL at start.
    [[nodiscard]] std::uint64_t eal_bytes() const {
        return live ? dpdk_bytes() + kEalSlackBytes : 0;
    }
    [[nodiscard]] std::uint64_t total_bytes() const {
        return workers * (tables_bytes + outbox_bytes) + settler_bytes + eal_bytes();
    }
};

[[nodiscard]] MemoryPlan plan_memory(const config::Config& config);

[[nodiscard]] bool live_is_built();
[[nodiscard]] DpdkMemory plan_dpdk_memory(const config::Config& config);

}  // namespace tw::app
