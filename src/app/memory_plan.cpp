// SPDX-License-Identifier: BSD-3-Clause
#include "app/memory_plan.hpp"

#include "core/event/outbox.hpp"
#include "core/pipeline.hpp"

namespace tw::app {

MemoryPlan plan_memory(const config::Config& config) {
    FlowOptions flows;
    flows.v4_max = config.flows.max_per_worker;
    flows.v6_max = config.flows.max_ipv6_per_worker;
    flows.timeouts = config.flows.timeouts;
    const event::OutboxOptions outbox;

    MemoryPlan plan;
    plan.live = live_is_built();
    plan.workers = static_cast<std::uint32_t>(config.workers.cores.size());
    plan.tables_bytes = Pipeline::memory_bytes(flows);
    plan.outbox_bytes = outbox.events_max * sizeof(event::Event) +
                        outbox.flow_records_max * sizeof(event::FlowRecord);
    plan.dpdk = plan_dpdk_memory(config);
    return plan;
}

}  // namespace tw::app
