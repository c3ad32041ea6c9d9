// SPDX-License-Identifier: BSD-3-Clause
// Port's part in spreading connections over queues: what its driver offers, writing the plan into
// the device, and reading back what it made of it.
#include <fmt/format.h>
#include <rte_ethdev.h>
#include <spdlog/logger.h>

#include <algorithm>

#include "capture/dpdk/port.hpp"
#include "capture/dpdk/port_info.hpp"

namespace tw::dpdk {

RssAbility Port::rss_ability() const {
    const rte_eth_dev_info info = device_info(id_);
    RssAbility ability;
    ability.port = options_.name;
    // net_null offers a table and hashes nothing, net_tap's hash is not symmetric, the others have
    // none: only hardware, or what looks like it, is believed.
    ability.hashes = options_.device.bus == Bus::pci;
    ability.types = info.flow_type_rss_offloads;
    ability.table_entries = info.reta_size;
    ability.queues_max = info.max_rx_queues;
    ability.peer_spreads = driver_ == kMemifDriver;
    return ability;
}

std::expected<void, Error> Port::apply_rss(const RssPlan& plan, EalLog& log,
                                           spdlog::logger& logger) {
    const std::uint16_t entries = device_info(id_).reta_size;
    std::vector<rte_eth_rss_reta_entry64> table((entries + RTE_ETH_RETA_GROUP_SIZE - 1U) /
                                                RTE_ETH_RETA_GROUP_SIZE);
    for (std::uint16_t entry = 0; entry < entries; ++entry) {
        auto& group = table[entry / RTE_ETH_RETA_GROUP_SIZE];
        group.mask |= std::uint64_t{1} << entry % RTE_ETH_RETA_GROUP_SIZE;
        group.reta[entry % RTE_ETH_RETA_GROUP_SIZE] = queue_of_entry(plan, entry);
    }
    log.begin_attempt();
    int error = rte_eth_dev_rss_reta_update(id_, table.data(), entries);
    if (error == 0) {
        for (auto& group : table) {
            std::fill(std::begin(group.reta), std::end(group.reta), std::uint16_t{UINT16_MAX});
        }
        error = rte_eth_dev_rss_reta_query(id_, table.data(), entries);
    }
    log.end_attempt();
    if (error != 0) {
        return std::unexpected(failed("write the RSS redirection table", error, log));
    }
    for (std::uint16_t entry = 0; entry < entries; ++entry) {
        const std::uint16_t queue =
            table[entry / RTE_ETH_RETA_GROUP_SIZE].reta[entry % RTE_ETH_RETA_GROUP_SIZE];
        if (queue != queue_of_entry(plan, entry)) {
            return std::unexpected(Error{
                fmt::format("port {} ({}): entry {} of the RSS redirection table reads back as {}, "
                            "not {}: use workers.distribution: dispatcher",
                            options_.name, driver_, entry, queue, queue_of_entry(plan, entry)),
                ExitCode::environment_failed});
        }
    }
    std::vector<std::uint8_t> key(256);
    rte_eth_rss_conf read_back{};
    read_back.rss_key = key.data();
    read_back.rss_key_len = device_info(id_).hash_key_size;
    const bool known = rte_eth_dev_rss_hash_conf_get(id_, &read_back) == 0;
    logger.info(
        "port {}: RSS over {} queues, key 6D5A repeated, table of {} entries with period {}, "
        "hashes {}",
        options_.name, plan.queues, entries, plan.period,
        known ? rss_types_text(read_back.rss_hf) : "what the driver does not say");
    return {};
}

}  // namespace tw::dpdk
