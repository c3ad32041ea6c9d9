// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/driver_names.hpp"

#include <fmt/format.h>
#include <rte_build_config.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/nearest.hpp"
#include "capture/dpdk/compat.hpp"

namespace tw::dpdk {
namespace {

struct VirtualDriver {
    std::string_view name;
    std::string_view package;    // without the number of the ABI
    std::string_view arguments;  // as the driver registers them in 22.11, comma-separated
};

constexpr std::array kVirtualDrivers = {
    VirtualDriver{"net_af_packet", "librte-net-af-packet",
                  "iface,qpairs,blocksz,framesz,framecnt,qdisc_bypass"},
    VirtualDriver{"net_af_xdp", "librte-net-af-xdp",
                  "iface,start_queue,queue_count,shared_umem,xdp_prog,busy_budget,force_copy"},
    VirtualDriver{"net_bonding", "librte-net-bond",
                  "slave,member,primary,mode,xmit_policy,agg_mode,socket_id,mac,"
                  "lsc_poll_period_ms,up_delay,down_delay"},
    VirtualDriver{"net_memif", "librte-net-memif",
                  "id,role,bsize,rsize,socket,socket-abstract,owner-uid,owner-gid,mac,zero-copy,"
                  "secret"},
    VirtualDriver{"net_null", "librte-net-null", "size,copy,no-rx"},
    VirtualDriver{"net_pcap", "librte-net-pcap",
                  "rx_pcap,tx_pcap,rx_iface,rx_iface_in,tx_iface,iface,phy_mac,infinite_rx"},
    VirtualDriver{"net_ring", "librte-net-ring", "nodeaction,internal"},
    VirtualDriver{"net_tap", "librte-net-tap", "iface,mac,remote,persist,speed"},
    VirtualDriver{"net_vhost", "librte-net-vhost",
                  "iface,queues,client,iommu-support,postcopy-support,tso,linear-buffer,ext-buffer,"
                  "legacy-ol-flags"},
    VirtualDriver{"net_virtio_user", "librte-net-virtio",
                  "path,mac,cq,queue_size,queues,iface,server,mrg_rxbuf,in_order,packed_vq,speed,"
                  "vectorized"},
};

struct Vendor {
    std::uint16_t id;
    std::string_view packages;
};

// The makers of network cards most often found; others have a page in DPDK's NIC guides.
constexpr std::array kVendors = {
    Vendor{0x8086, "e1000, igc, ixgbe, i40e, ice or iavf (Intel)"},
    Vendor{0x15b3, "mlx5 or mlx4 (NVIDIA, Mellanox)"},
    Vendor{0x14e4, "bnxt (Broadcom)"},
    Vendor{0x1d0f, "ena (Amazon)"},
    Vendor{0x1af4, "virtio"},
    Vendor{0x15ad, "vmxnet3 (VMware)"},
    Vendor{0x1077, "qede (Marvell)"},
    Vendor{0x1425, "cxgbe (Chelsio)"},
    Vendor{0x19e5, "hinic or hns3 (Huawei)"},
    Vendor{0x1924, "sfc (AMD, Solarflare)"},
};

[[nodiscard]] const VirtualDriver* driver_of_device(const Device& device) {
    // As DPDK does: any device name that begins with the driver's.
    const auto found = std::find_if(
        kVirtualDrivers.begin(), kVirtualDrivers.end(),
        [&](const VirtualDriver& driver) { return device.name.starts_with(driver.name); });
    return found == kVirtualDrivers.end() ? nullptr : &*found;
}

[[nodiscard]] std::vector<std::string_view> split(std::string_view list) {
    std::vector<std::string_view> words;
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        words.push_back(list.substr(0, comma));
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return words;
}

}  // namespace

std::string no_driver_text(const Device& device) {
    if (const VirtualDriver* driver = driver_of_device(device)) {
        return fmt::format("the driver {} is not installed in {}: apt install {}{}", driver->name,
                           RTE_EAL_PMD_PATH, driver->package, compat::kAbi);
    }
    std::vector<std::string_view> names;
    for (const VirtualDriver& driver : kVirtualDrivers) {
        names.push_back(driver.name);
    }
    const std::string_view typed = driver_of(device.name);
    const auto near = nearest(typed, names);
    return fmt::format("no driver is called {}{}", typed,
                       near ? fmt::format("; did you mean {}?", *near)
                            : fmt::format(", or its package librte-net-*{} is not installed in {}",
                                          compat::kAbi, RTE_EAL_PMD_PATH));
}

std::optional<std::string> mistyped_argument(const Device& device) {
    const VirtualDriver* driver = driver_of_device(device);
    if (driver == nullptr) {
        return std::nullopt;
    }
    const std::vector<std::string_view> known = split(driver->arguments);
    for (const std::string_view pair : split(device.arguments)) {
        const std::string_view key = pair.substr(0, pair.find('='));
        if (std::find(known.begin(), known.end(), key) != known.end()) {
            continue;
        }
        if (const auto near = nearest(key, known)) {
            return fmt::format("{} has no argument {}; did you mean {}?", driver->name, key, *near);
        }
    }
    return std::nullopt;
}

std::string no_pci_driver_text(std::uint16_t vendor) {
    for (const Vendor& one : kVendors) {
        if (one.id == vendor) {
            return fmt::format("apt install librte-net-NAME{}, NAME being {}", compat::kAbi,
                               one.packages);
        }
    }
    return fmt::format("see whether DPDK has a driver for vendor {:04x}: apt search librte-net",
                       vendor);
}

std::string no_pool_driver_text() {
    return fmt::format("the driver of packet buffer pools is not installed in {}: apt install {}{}",
                       RTE_EAL_PMD_PATH, "librte-mempool-ring", compat::kAbi);
}

}  // namespace tw::dpdk
