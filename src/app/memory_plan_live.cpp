// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>

#include "app/memory_plan.hpp"
#include "capture/dpdk/port.hpp"
#include "capture/dpdk/rte_hash_index.hpp"
#include "capture/dpdk/sizing.hpp"
#include "config/device.hpp"
#include "core/flow/key.hpp"

namespace tw::app {

namespace {

[[nodiscard]] bool is_pci(const config::Port& port) {
    const auto device = config::parse_device(port.device);
    return device && device->kind == config::DeviceKind::pci;
}

[[nodiscard]] bool is_bridged(const config::Config& config, const std::string& port) {
    return std::any_of(config.bridges.begin(), config.bridges.end(), [&](const auto& bridge) {
        return bridge.left == port || bridge.right == port;
    });
}

// As far as it can be told before the NICs are asked: they spread connections by themselves,
// virtual devices cannot.
[[nodiscard]] bool takes_dispatcher(const config::Config& config) {
    if (!config.bridges.empty()) {
        return true;
    }
    switch (config.workers.distribution) {
        case config::Distribution::rss:
            return false;
        case config::Distribution::dispatcher:
            return true;
        case config::Distribution::automatic:
            return config.workers.cores.size() > 1 &&
                   !std::all_of(config.ports.begin(), config.ports.end(), is_pci);
    }
    return false;
}

}  // namespace

bool live_is_built() {
    return true;
}

DpdkMemory plan_dpdk_memory(const config::Config& config) {
    const auto workers = static_cast<std::uint16_t>(config.workers.cores.size());
    const bool dispatcher = takes_dispatcher(config);
    dpdk::QueueSetup setup;
    setup.rss.queues = dispatcher ? std::uint16_t{1} : workers;
    setup.ring_frames = dispatcher ? workers * config.workers.ring : 0;
    setup.threads = dispatcher ? workers + 1U : 1U;

    DpdkMemory memory;
    memory.index_bytes =
        dpdk::RteHashIndex::memory_bytes(sizeof(flow::KeyV4), config.flows.max_per_worker) +
        dpdk::RteHashIndex::memory_bytes(sizeof(flow::KeyV6), config.flows.max_ipv6_per_worker);
    memory.buffers_bytes = dispatcher ? workers * dpdk::ring_bytes(config.workers.ring) : 0;
    for (const config::Port& port : config.ports) {
        dpdk::PortOptions options;
        options.device.bus = is_pci(port) ? dpdk::Bus::pci : dpdk::Bus::vdev;
        options.descriptors = port.descriptors;
        setup.bridged = is_bridged(config, port.name);
        memory.buffers_bytes += dpdk::port_memory_bytes(options, setup);
    }
    return memory;
}

}  // namespace tw::app
