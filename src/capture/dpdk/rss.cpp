// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/rss.hpp"

#include <fmt/format.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <bit>
#include <string_view>

namespace tw::dpdk {
namespace {

struct TypeName {
    std::uint64_t type;
    std::string_view name;
};

// Addresses for everything, ports for TCP. Never UDP ports: tunnels put a hash of the inner flow
// there, which differs between the two directions; by their addresses these still meet.
constexpr TypeName kWanted[] = {
    {RTE_ETH_RSS_IPV4, "ipv4"},
    {RTE_ETH_RSS_FRAG_IPV4, "ipv4-frag"},
    {RTE_ETH_RSS_NONFRAG_IPV4_TCP, "ipv4-tcp"},
    {RTE_ETH_RSS_NONFRAG_IPV4_OTHER, "ipv4-other"},
    {RTE_ETH_RSS_IPV6, "ipv6"},
    {RTE_ETH_RSS_FRAG_IPV6, "ipv6-frag"},
    {RTE_ETH_RSS_NONFRAG_IPV6_TCP, "ipv6-tcp"},
    {RTE_ETH_RSS_NONFRAG_IPV6_OTHER, "ipv6-other"},
};

[[nodiscard]] Error cannot(const RssAbility& port, std::string_view why) {
    return Error{fmt::format("port {}: {}", port.port, why)};
}

}  // namespace

std::expected<RssPlan, Error> plan_rss(std::span<const RssAbility> ports, std::uint16_t queues) {
    RssPlan plan;
    plan.queues = queues;
    plan.period = UINT16_MAX;
    for (const TypeName& wanted : kWanted) {
        plan.types |= wanted.type;
    }
    for (const RssAbility& port : ports) {
        if (!port.hashes) {
            return std::unexpected(cannot(port, "its driver spreads nothing over queues"));
        }
        if (port.queues_max < queues) {
            return std::unexpected(
                cannot(port, fmt::format("{} receive queue{} for {} workers", port.queues_max,
                                         port.queues_max == 1 ? "" : "s", queues)));
        }
        if (port.table_entries == 0 || port.types == 0) {
            return std::unexpected(cannot(port, port.types == 0
                                                    ? "its driver hashes nothing"
                                                    : "its driver tells of no redirection table"));
        }
        if (!std::has_single_bit(port.table_entries)) {
            // The hash is reduced modulo the table's size; only powers of two agree in their low
            // bits.
            return std::unexpected(
                cannot(port, fmt::format("a redirection table of {} entries", port.table_entries)));
        }
        plan.types &= port.types;
        plan.period = std::min(plan.period, port.table_entries);
    }
    constexpr std::uint64_t kTcp = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_IPV4;
    constexpr std::uint64_t kTcp6 = RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_IPV6;
    if ((plan.types & kTcp) == 0 || (plan.types & kTcp6) == 0) {
        return std::unexpected(
            Error{fmt::format("the ports have no common hash for TCP over IPv4 and IPv6, only: {}",
                              rss_types_text(plan.types))});
    }
    if (plan.period < queues) {
        return std::unexpected(Error{fmt::format(
            "a redirection table of {} entries is too short for {} workers", plan.period, queues)});
    }
    return plan;
}

std::optional<RssPlan> plan_peers(std::span<const RssAbility> ports, std::uint16_t queues) {
    for (const RssAbility& port : ports) {
        if (!port.peer_spreads || port.queues_max < queues) {
            return {};
        }
    }
    return RssPlan{.queues = queues, .by_peers = true};
}

std::optional<RssPlan> plan_symmetric(const RssPlan& plan, std::span<const RssAbility> ports,
                                      std::span<const std::uint8_t> random_key) {
    if (!std::all_of(ports.begin(), ports.end(),
                     [](const RssAbility& port) { return port.symmetric_function; })) {
        return {};
    }
    RssPlan symmetric = plan;
    symmetric.hash = RssHash::symmetric_toeplitz;
    symmetric.random_key.assign(random_key.begin(), random_key.end());
    // A rule per type: where the addresses of any packet can be hashed, the special cases need
    // none, and some drivers refuse them beside it.
    if ((plan.types & RTE_ETH_RSS_IPV4) != 0) {
        symmetric.types &= ~(RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER);
    }
    if ((plan.types & RTE_ETH_RSS_IPV6) != 0) {
        symmetric.types &= ~(RTE_ETH_RSS_FRAG_IPV6 | RTE_ETH_RSS_NONFRAG_IPV6_OTHER);
    }
    return symmetric;
}

std::vector<std::uint8_t> symmetric_key(std::size_t bytes) {
    std::vector<std::uint8_t> key(bytes);
    for (std::size_t i = 0; i < bytes; ++i) {
        key[i] = i % 2 == 0 ? 0x6D : 0x5A;
    }
    return key;
}

std::vector<std::uint8_t> key_of(const RssPlan& plan, std::size_t bytes) {
    if (plan.hash == RssHash::toeplitz) {
        return symmetric_key(bytes);
    }
    std::vector<std::uint8_t> key = plan.random_key;
    key.resize(bytes);
    return key;
}

std::string_view key_text(const RssPlan& plan) {
    return plan.hash == RssHash::toeplitz ? "key 6D5A repeated"
                                          : "the symmetric function with a random key";
}

std::string rss_types_text(std::uint64_t types) {
    std::string text;
    for (const TypeName& wanted : kWanted) {
        if ((types & wanted.type) != 0) {
            text += text.empty() ? "" : " ";
            text += wanted.name;
            types &= ~wanted.type;
        }
    }
    if (types != 0) {
        text += fmt::format("{}others {:#x}", text.empty() ? "" : " ", types);
    }
    return text.empty() ? "nothing" : text;
}

}  // namespace tw::dpdk
