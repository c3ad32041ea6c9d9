// SPDX-License-Identifier: BSD-3-Clause
// What a driver says of a port, and its name where a rule depends on it. Private to the files that
// make up Port.
#pragma once

#include <rte_ethdev.h>

#include <string_view>

namespace tw::dpdk {

inline constexpr std::string_view kPcapDriver = "net_pcap";
inline constexpr std::string_view kAfPacketDriver = "net_af_packet";
inline constexpr std::string_view kMemifDriver = "net_memif";
inline constexpr std::string_view kVirtioDriver = "net_virtio";

[[nodiscard]] inline rte_eth_dev_info device_info(std::uint16_t id) {
    rte_eth_dev_info info{};
    // It fails only for ports that do not exist.
    return rte_eth_dev_info_get(id, &info) == 0 ? info : rte_eth_dev_info{};
}

}  // namespace tw::dpdk
