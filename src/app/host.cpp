// SPDX-License-Identifier: BSD-3-Clause
#include "app/host.hpp"

#include <fmt/format.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <system_error>

namespace tw::app {

namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kCpusMax = 8192;  // NR_CPUS of the largest kernels

[[nodiscard]] std::uint64_t number(std::string_view text, int base = 10) {
    if (base == 16 && text.starts_with("0x")) {
        text.remove_prefix(2);
    }
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value, base);
    return value;
}

[[nodiscard]] int node_number(std::string_view text) {
    return text.empty() || text.starts_with('-') ? -1 : static_cast<int>(number(text));
}

// A socket on which ethtool's questions can be asked, for the life of one look.
class EthtoolSocket {
  public:
    EthtoolSocket() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}
    ~EthtoolSocket() {
        if (socket_ >= 0) {
            ::close(socket_);
        }
    }
    EthtoolSocket(const EthtoolSocket&) = delete;
    EthtoolSocket& operator=(const EthtoolSocket&) = delete;

    [[nodiscard]] std::optional<std::uint32_t> ask(const std::string& name,
                                                   std::uint32_t command) const {
        ifreq request{};
        ethtool_value value{};
        value.cmd = command;
        alignas(ethtool_value) std::array<char, sizeof(ethtool_value)> bytes{};
        std::memcpy(bytes.data(), &value, sizeof value);
        name.copy(request.ifr_name, IFNAMSIZ - 1);
        request.ifr_data = bytes.data();
        if (::ioctl(socket_, SIOCETHTOOL, &request) != 0) {
            return std::nullopt;
        }
        std::memcpy(&value, bytes.data(), sizeof value);
        return value.data;
    }

  private:
    int socket_;
};

}  // namespace

std::vector<std::uint32_t> parse_cpu_list(std::string_view text) {
    std::vector<std::uint32_t> cpus;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        std::uint32_t first = 0;
        auto parsed = std::from_chars(at, end, first);
        if (parsed.ec != std::errc()) {
            break;
        }
        std::uint32_t last = first;
        at = parsed.ptr;
        if (at < end && *at == '-') {
            parsed = std::from_chars(at + 1, end, last);
            at = parsed.ptr;
        }
        for (std::uint32_t cpu = first; cpu <= std::min(last, kCpusMax); ++cpu) {
            cpus.push_back(cpu);
        }
        if (at >= end || *at != ',') {
            break;
        }
        ++at;
    }
    return cpus;
}

std::string Host::line(const fs::path& path) const {
    std::ifstream file(root_ / path);
    std::string text;
    std::getline(file, text);
    return text;
}

std::string Host::field(const fs::path& path, std::string_view name) const {
    std::ifstream file(root_ / path);
    for (std::string text; std::getline(file, text);) {
        if (text.starts_with(name)) {
            const std::size_t begin = text.find_first_not_of(": \t", name.size());
            return begin == std::string::npos ? "" : text.substr(begin);
        }
    }
    return "";
}

std::vector<std::uint32_t> Host::cpu_list(const fs::path& path) const {
    return parse_cpu_list(line(path));
}

std::vector<std::string> Host::names_in(const fs::path& path) const {
    std::vector<std::string> names;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(root_ / path, failed)) {
        names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string Host::link_name(const fs::path& path) const {
    std::error_code failed;
    return fs::read_symlink(root_ / path, failed).filename();
}

std::vector<std::uint32_t> Host::online_cpus() const {
    return cpu_list("sys/devices/system/cpu/online");
}
std::vector<std::uint32_t> Host::allowed_cpus() const {
    return parse_cpu_list(field("proc/self/status", "Cpus_allowed_list"));
}
std::vector<std::uint32_t> Host::isolated_cpus() const {
    return cpu_list("sys/devices/system/cpu/isolated");
}
std::vector<std::uint32_t> Host::tickless_cpus() const {
    return cpu_list("sys/devices/system/cpu/nohz_full");
}

std::vector<std::uint32_t> Host::siblings_of(std::uint32_t cpu) const {
    return cpu_list(fmt::format("sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
}

std::string Host::governor_of(std::uint32_t cpu) const {
    return line(fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor", cpu));
}

int Host::node_of(std::uint32_t cpu) const {
    for (const std::string& name : names_in(fmt::format("sys/devices/system/cpu/cpu{}", cpu))) {
        if (name.starts_with("node")) {
            return node_number(name.substr(4));
        }
    }
    return -1;
}

void Host::add_huge_pages(std::vector<HugePages>& found, const fs::path& folder, int node) const {
    constexpr std::string_view kPrefix = "hugepages-";  // hugepages-2048kB
    for (const std::string& name : names_in(folder)) {
        if (name.starts_with(kPrefix)) {
            found.push_back({node, number(std::string_view(name).substr(kPrefix.size())) * 1024,
                             number(line(folder / name / "nr_hugepages")),
                             number(line(folder / name / "free_hugepages"))});
        }
    }
}

std::vector<HugePages> Host::huge_pages() const {
    std::vector<HugePages> found;
    const fs::path nodes = "sys/devices/system/node";
    for (const std::string& name : names_in(nodes)) {
        if (name.starts_with("node") && name.size() > 4) {
            add_huge_pages(found, nodes / name / "hugepages", node_number(name.substr(4)));
        }
    }
    if (found.empty()) {
        add_huge_pages(found, "sys/kernel/mm/hugepages", -1);
    }
    return found;
}

std::uint64_t Host::available_bytes() const {
    const std::uint64_t bytes = number(field("proc/meminfo", "MemAvailable")) * 1024;
    // A container's limit; "max" or no such file means none.
    const std::string group_max = line("sys/fs/cgroup/memory.max");
    if (group_max.empty() || group_max == "max") {
        return bytes;
    }
    const std::uint64_t used = number(line("sys/fs/cgroup/memory.current"));
    return std::min(bytes, number(group_max) - std::min(number(group_max), used));
}

std::optional<std::uint64_t> Host::locked_bytes_max() const {
    const std::string limit = field("proc/self/limits", "Max locked memory");
    return limit.empty() || limit.starts_with("unlimited") ? std::nullopt
                                                           : std::optional(number(limit));
}

bool Host::has(Capability capability) const {
    const std::uint64_t effective = number(field("proc/self/status", "CapEff"), 16);
    return (effective >> static_cast<unsigned>(capability) & 1U) != 0;
}

bool Host::has_iommu() const {
    return !names_in("sys/class/iommu").empty();
}

std::optional<PciDevice> Host::pci_device(std::string_view address) const {
    const fs::path folder = fs::path("sys/bus/pci/devices") / address;
    std::error_code failed;
    if (!fs::exists(root_ / folder, failed)) {
        return std::nullopt;
    }
    const auto speed = [&](std::string_view which) {
        const std::string rate = line(folder / fmt::format("{}_link_speed", which));
        const std::string width = line(folder / fmt::format("{}_link_width", which));
        return rate.empty() || rate.starts_with("Unknown") ? ""
                                                           : fmt::format("{} x{}", rate, width);
    };
    PciDevice device;
    device.device_class = static_cast<std::uint32_t>(number(line(folder / "class"), 16));
    device.driver = link_name(folder / "driver");
    device.node = node_number(line(folder / "numa_node"));
    device.iommu_group = link_name(folder / "iommu_group");
    device.group_usable =
        !device.iommu_group.empty() &&
        ::access((root_ / "dev/vfio" / device.iommu_group).c_str(), R_OK | W_OK) == 0;
    std::vector<std::string> names = names_in(folder / "net");
    for (const std::string& below : names_in(folder)) {
        // A virtio device carries its interface one bus further down.
        if (below.starts_with("virtio")) {
            names = names_in(folder / below / "net");
        }
    }
    const std::vector<std::string> uio = names_in(folder / "uio");
    device.uio = uio.empty() ? "" : uio.front();
    device.interface = names.empty() ? "" : names.front();
    device.link_speed = speed("current");
    device.link_speed_max = speed("max");
    return device;
}

std::vector<std::string> Host::network_pci_addresses() const {
    constexpr std::uint64_t kNetworkClass = 0x02;
    std::vector<std::string> addresses;
    const fs::path devices = "sys/bus/pci/devices";
    for (const std::string& address : names_in(devices)) {
        if (number(line(devices / address / "class"), 16) >> 16U == kNetworkClass) {
            addresses.push_back(address);
        }
    }
    return addresses;
}

std::optional<Interface> Host::interface(const std::string& name) const {
    const fs::path folder = fs::path("sys/class/net") / name;
    std::error_code failed;
    if (!fs::exists(root_ / folder, failed)) {
        return std::nullopt;
    }
    Interface found;
    found.up = (number(line(folder / "flags"), 16) & IFF_UP) != 0;
    found.carrier = line(folder / "carrier") == "1";
    found.mtu = static_cast<std::uint32_t>(number(line(folder / "mtu")));
    if (root_ == "/") {
        const EthtoolSocket socket;
        if (const auto gro = socket.ask(name, ETHTOOL_GGRO)) {
            found.gro = *gro != 0;
        }
        if (const auto flags = socket.ask(name, ETHTOOL_GFLAGS)) {
            found.lro = (*flags & ETH_FLAG_LRO) != 0;
        }
    }
    return found;
}

std::vector<std::string> Host::interfaces() const {
    return names_in("sys/class/net");
}

}  // namespace tw::app
