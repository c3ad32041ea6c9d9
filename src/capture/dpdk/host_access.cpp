// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/host_access.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/nearest.hpp"

namespace tw::dpdk {
namespace {

// Effective capabilities of this process.
[[nodiscard]] std::uint64_t capabilities() {
    std::ifstream status("/proc/self/status");
    std::string word;
    while (status >> word) {
        if (word == "CapEff:") {
            std::uint64_t bits = 0;
            status >> std::hex >> bits;
            return bits;
        }
    }
    return 0;
}

[[nodiscard]] bool has_capability(unsigned number) {
    return (capabilities() >> number & 1) != 0;
}

[[nodiscard]] std::vector<std::string> interfaces() {
    std::vector<std::string> names;
    struct if_nameindex* all = if_nameindex();
    for (struct if_nameindex* one = all; one != nullptr && one->if_index != 0; ++one) {
        names.emplace_back(one->if_name);
    }
    if_freenameindex(all);
    return names;
}

}  // namespace

std::uint64_t lockable_bytes() {
    rlimit limit{};
    if (has_capability(CAP_IPC_LOCK) || getrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
        limit.rlim_cur == RLIM_INFINITY) {
        return UINT64_MAX;
    }
    return limit.rlim_cur;
}

std::uint16_t pci_vendor(const std::string& address) {
    std::ifstream file(fmt::format("/sys/bus/pci/devices/{}/vendor", address));
    std::uint32_t vendor = 0;
    file >> std::hex >> vendor;  // 0x8086
    return static_cast<std::uint16_t>(vendor);
}

std::expected<void, Error> check_device(const Device& device) {
    if (!device.file.empty() && access(device.file.c_str(), R_OK) != 0) {
        return std::unexpected(Error{fmt::format("{}: {}", device.file, std::strerror(errno))});
    }
    if (device.bus == Bus::pci &&
        access(fmt::format("/sys/bus/pci/devices/{}", device.name).c_str(), F_OK) != 0) {
        return std::unexpected(Error{fmt::format("there is no PCI device {}", device.name)});
    }
    if (device.interface.empty()) {
        return {};
    }
    if (if_nametoindex(device.interface.c_str()) == 0) {
        const std::vector<std::string> names = interfaces();
        const std::vector<std::string_view> known(names.begin(), names.end());
        const auto near = nearest(device.interface, known);
        return std::unexpected(
            Error{fmt::format("there is no interface {}; {}", device.interface,
                              near ? fmt::format("did you mean {}?", *near)
                                   : fmt::format("this host has: {}", fmt::join(names, ", ")))});
    }
    // NET_RAW opens the packet socket, NET_ADMIN sets promiscuous mode.
    if (!has_capability(CAP_NET_RAW) || !has_capability(CAP_NET_ADMIN)) {
        return std::unexpected(Error{fmt::format(
            "capturing on {} needs the capabilities CAP_NET_RAW and CAP_NET_ADMIN: run as root, or "
            "once: setcap cap_net_raw,cap_net_admin+ep $(command -v tapwitness)",
            device.interface)});
    }
    return {};
}

}  // namespace tw::dpdk
