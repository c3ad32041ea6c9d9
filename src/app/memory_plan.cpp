// SPDX-License-Identifier: BSD-3-Clause
#include "app/memory_plan.hpp"

#include "core/event/outbox.hpp"
#include "core/pipeline.hpp"
#include "core/verdict/settler.hpp"

namespace tw::app {

namespace {

[[nodiscard]] std::uint64_t tables_bytes(const config::Config& config) {
    FlowOptions flows;
    flows.v4_max = config.flows.max_per_worker;
    flows.v6_max = config.flows.max_ipv6_per_worker;
    flows.timeouts = config.flows.timeouts;
    return Pipeline::memory_bytes(flows);
}

// Of a worker whose tables hold these numbers of connections.
[[nodiscard]] std::uint64_t worker_bytes(config::Config config, std::uint32_t v4_max,
                                         std::uint32_t v6_max) {
    config.flows.max_per_worker = v4_max;
    config.flows.max_ipv6_per_worker = v6_max;
    return tables_bytes(config) + plan_dpdk_memory(config).index_bytes;
}

}  // namespace

MemoryPlan plan_memory(const config::Config& config) {
    const event::OutboxOptions outbox;
    MemoryPlan plan;
    plan.live = live_is_built();
    plan.workers = static_cast<std::uint32_t>(config.workers.cores.size());
    plan.tables_bytes = tables_bytes(config);
    plan.outbox_bytes = outbox.events_max * sizeof(event::Event) +
                        outbox.flow_records_max * sizeof(event::FlowRecord);
    plan.settler_bytes = verdict::Settler::memory_bytes({});
    plan.dpdk = plan_dpdk_memory(config);

    const std::uint32_t v4 = config.flows.max_per_worker;
    const std::uint32_t v6 = config.flows.max_ipv6_per_worker;
    const std::uint64_t empty = worker_bytes(config, 0, 0);
    plan.v4_connection_bytes = (worker_bytes(config, v4, 0) - empty + v4 - 1) / v4;
    plan.v6_connection_bytes = (worker_bytes(config, 0, v6) - empty + v6 - 1) / v6;
    return plan;
}

}  // namespace tw::app
