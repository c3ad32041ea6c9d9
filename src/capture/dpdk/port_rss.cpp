// SPDX-License-Identifier: BSD-3-Clause
// Port's part in spreading connections over queues: what its driver offers, writing the plan into
// the device, and reading back what it made of it.
#include <fmt/format.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <spdlog/logger.h>

#include <algorithm>

#include "capture/dpdk/compat.hpp"
#include "capture/dpdk/port.hpp"
#include "capture/dpdk/port_info.hpp"
#include "capture/dpdk/rss_model.hpp"

namespace tw::dpdk {
namespace {

// How a driver takes the symmetric function, by its documentation: none of these has been tried on
// hardware, so what they do is checked while they run.
struct SymmetricDriver {
    std::string_view name;
    bool names_queues = false;  // a rule holds its own redirection table
    bool one_rule = false;      // for the whole port and all types, instead of one per type
};
constexpr SymmetricDriver kSymmetricDrivers[] = {
    {"net_i40e"},
    {"net_ice"},
    {"net_iavf"},
    {.name = "net_hns3", .one_rule = true},
    {.name = "net_hns3_vf", .one_rule = true},
    {.name = "mlx5_pci", .names_queues = true},
};

[[nodiscard]] const SymmetricDriver* symmetric_driver(std::string_view name) {
    if (name == "mlx5_pci" && !compat::kMlx5IsSymmetric) {
        return nullptr;
    }
    const auto* known = std::find_if(std::begin(kSymmetricDrivers), std::end(kSymmetricDrivers),
                                     [name](const SymmetricDriver& d) { return d.name == name; });
    return known == std::end(kSymmetricDrivers) ? nullptr : known;
}

// One hashed type as the headers a rule matches.
struct TypePattern {
    std::uint64_t type;
    rte_flow_item_type ip;
    rte_flow_item_type transport;
};
constexpr TypePattern kTypePatterns[] = {
    {RTE_ETH_RSS_IPV4, RTE_FLOW_ITEM_TYPE_IPV4, RTE_FLOW_ITEM_TYPE_END},
    {RTE_ETH_RSS_FRAG_IPV4, RTE_FLOW_ITEM_TYPE_IPV4, RTE_FLOW_ITEM_TYPE_END},
    {RTE_ETH_RSS_NONFRAG_IPV4_OTHER, RTE_FLOW_ITEM_TYPE_IPV4, RTE_FLOW_ITEM_TYPE_END},
    {RTE_ETH_RSS_NONFRAG_IPV4_TCP, RTE_FLOW_ITEM_TYPE_IPV4, RTE_FLOW_ITEM_TYPE_TCP},
    {RTE_ETH_RSS_IPV6, RTE_FLOW_ITEM_TYPE_IPV6, RTE_FLOW_ITEM_TYPE_END},
    {RTE_ETH_RSS_FRAG_IPV6, RTE_FLOW_ITEM_TYPE_IPV6, RTE_FLOW_ITEM_TYPE_END},
    {RTE_ETH_RSS_NONFRAG_IPV6_OTHER, RTE_FLOW_ITEM_TYPE_IPV6, RTE_FLOW_ITEM_TYPE_END},
    {RTE_ETH_RSS_NONFRAG_IPV6_TCP, RTE_FLOW_ITEM_TYPE_IPV6, RTE_FLOW_ITEM_TYPE_TCP},
};

// rte_flow's own words for what it refused.
[[nodiscard]] std::string refusal(const rte_flow_error& error) {
    return error.message == nullptr ? rte_strerror(rte_errno) : error.message;
}

using Table = std::vector<rte_eth_rss_reta_entry64>;

[[nodiscard]] std::uint16_t& entry_of(Table& table, std::uint16_t entry) {
    return table[entry / RTE_ETH_RETA_GROUP_SIZE].reta[entry % RTE_ETH_RETA_GROUP_SIZE];
}

}  // namespace

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
    ability.symmetric_function = symmetric_driver(driver_) != nullptr;
    ability.peer_spreads = driver_ == kMemifDriver;
    return ability;
}

std::expected<void, Error> Port::apply_rss(const RssPlan& plan, EalLog& log,
                                           spdlog::logger& logger) {
    if (plan.hash == RssHash::symmetric_toeplitz) {
        if (auto done = install_symmetric_rules(plan, log); !done) {
            return done;
        }
    }
    // After the rules: some drivers write a table of their own with the first of them.
    if (auto done = write_table(plan, log); !done) {
        return done;
    }
    return read_hash_back(plan, logger);
}

std::expected<void, Error> Port::install_symmetric_rules(const RssPlan& plan, EalLog& log) {
    const SymmetricDriver* driver = symmetric_driver(driver_);
    if (driver == nullptr) {
        return std::unexpected(failed("use the symmetric hash function", ENOTSUP, log));
    }
    std::vector<std::uint16_t> queues;
    for (std::uint16_t entry = 0; driver->names_queues && entry < plan.period; ++entry) {
        queues.push_back(queue_of_entry(plan, entry));
    }
    const std::vector<std::uint8_t> key = key_of(plan, device_info(id_).hash_key_size);
    rte_flow_action_rss rss{};
    rss.func = RTE_ETH_HASH_FUNCTION_SYMMETRIC_TOEPLITZ;
    rss.queue_num = static_cast<std::uint32_t>(queues.size());
    rss.queue = queues.empty() ? nullptr : queues.data();
    if (driver->names_queues) {  // others have the key from rte_eth_dev_configure and allow no more
        rss.key = key.data();
        rss.key_len = static_cast<std::uint32_t>(key.size());
    }
    rte_flow_attr attributes{};
    attributes.ingress = 1;
    const auto add = [&](std::uint64_t types, const rte_flow_item* pattern) -> std::string {
        rss.types = types;
        const rte_flow_action actions[] = {
            {RTE_FLOW_ACTION_TYPE_RSS, &rss},
            {RTE_FLOW_ACTION_TYPE_END, nullptr},
        };
        rte_flow_error error{};
        if (rte_flow_create(id_, &attributes, pattern, actions, &error) == nullptr) {
            return fmt::format("{} ({})", refusal(error), rss_types_text(types));
        }
        has_rules_ = true;
        return {};
    };
    std::string refused;
    log.begin_attempt();
    if (driver->one_rule) {
        const rte_flow_item pattern[] = {{RTE_FLOW_ITEM_TYPE_END, nullptr, nullptr, nullptr}};
        refused = add(plan.types, pattern);
    } else {
        for (const TypePattern& type : kTypePatterns) {
            if ((plan.types & type.type) == 0 || !refused.empty()) {
                continue;
            }
            const rte_flow_item pattern[] = {
                {RTE_FLOW_ITEM_TYPE_ETH, nullptr, nullptr, nullptr},
                {type.ip, nullptr, nullptr, nullptr},
                {type.transport, nullptr, nullptr, nullptr},
                {RTE_FLOW_ITEM_TYPE_END, nullptr, nullptr, nullptr},
            };
            refused = add(type.type, pattern);
        }
    }
    log.end_attempt();
    if (!refused.empty()) {
        return std::unexpected(
            Error{fmt::format("port {} ({}): {} refuses the symmetric hash "
                              "function: {}",
                              options_.name, options_.device.name, driver_, refused),
                  ExitCode::environment_failed});
    }
    return {};
}

void Port::remove_rules() {
    if (has_rules_) {
        has_rules_ = false;
        rte_flow_error ignored{};
        rte_flow_flush(id_, &ignored);
    }
}

std::expected<void, Error> Port::write_table(const RssPlan& plan, EalLog& log) {
    const std::uint16_t entries = device_info(id_).reta_size;
    Table table((entries + RTE_ETH_RETA_GROUP_SIZE - 1U) / RTE_ETH_RETA_GROUP_SIZE);
    for (std::uint16_t entry = 0; entry < entries; ++entry) {
        table[entry / RTE_ETH_RETA_GROUP_SIZE].mask |= std::uint64_t{1}
                                                       << entry % RTE_ETH_RETA_GROUP_SIZE;
        entry_of(table, entry) = queue_of_entry(plan, entry);
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
        if (entry_of(table, entry) != queue_of_entry(plan, entry)) {
            return std::unexpected(
                Error{fmt::format("port {} ({}): entry {} of the RSS redirection table reads back "
                                  "as {}, not {}",
                                  options_.name, driver_, entry, entry_of(table, entry),
                                  queue_of_entry(plan, entry)),
                      ExitCode::environment_failed});
        }
    }
    return {};
}

std::expected<void, Error> Port::read_hash_back(const RssPlan& plan, spdlog::logger& logger) {
    const rte_eth_dev_info info = device_info(id_);
    std::vector<std::uint8_t> key(info.hash_key_size);
    rte_eth_rss_conf read_back{};
    read_back.rss_key = key.empty() ? nullptr : key.data();
    read_back.rss_key_len = info.hash_key_size;
    const bool known = rte_eth_dev_rss_hash_conf_get(id_, &read_back) == 0;
    const bool key_known =
        known && std::any_of(key.begin(), key.end(), [](std::uint8_t byte) { return byte != 0; });
    const std::uint64_t types = known ? read_back.rss_hf & plan.types : plan.types;
    std::vector<std::uint16_t> table(info.reta_size);
    for (std::uint16_t entry = 0; entry < info.reta_size; ++entry) {
        table[entry] = queue_of_entry(plan, entry);
    }
    rss_ = std::make_unique<RssModel>(plan.hash, types,
                                      key_known ? key : key_of(plan, info.hash_key_size), table);
    if (key_known && key != key_of(plan, info.hash_key_size)) {
        const std::uint32_t meet = rss_->samples_that_meet();
        return std::unexpected(Error{
            fmt::format("port {} ({}): the RSS key reads back as {:02x}{:02x}{:02x}{:02x}..., "
                        "not as written; with it both directions of {} in {} connections "
                        "would meet on one worker",
                        options_.name, driver_, key[0], key[1], key[2], key[3], meet,
                        RssModel::kSamples),
            ExitCode::environment_failed});
    }
    if (types != plan.types) {
        logger.warn("port {}: asked {} to hash {}, it says {}", options_.name, driver_,
                    rss_types_text(plan.types), rss_types_text(read_back.rss_hf));
    }
    logger.info(
        "port {}: RSS over {} queues, {}, table of {} entries with period {}, hashes {}; read "
        "back: table{}{}",
        options_.name, plan.queues, key_text(plan), info.reta_size, plan.period,
        rss_types_text(types), key_known ? ", key" : "", known ? ", types" : "");
    return {};
}

}  // namespace tw::dpdk
