// SPDX-License-Identifier: BSD-3-Clause
// What this host is, as far as /proc and /sys say: CPUs, memory, huge pages, PCI devices, kernel
// interfaces, rights of this process. Facts only; doctor.cpp says what they mean. Needs no DPDK and
// changes nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tw::app {

struct HugePages {
    int node = -1;  // NUMA node; -1: the kernel tells totals only
    std::uint64_t page_bytes = 0;
    std::uint64_t total = 0;  // pages
    std::uint64_t free = 0;
};

struct PciDevice {
    std::uint32_t device_class = 0;  // 0x020000: Ethernet
    std::string driver;              // "" = none bound
    int node = -1;
    std::string iommu_group;    // "" = none
    bool group_usable = false;  // /dev/vfio/GROUP can be opened for writing
    std::string interface;      // kernel interface on top of it, "" = none
    std::string uio;            // "uio0": of igb_uio and uio_pci_generic, "" = none
    std::string link_speed;     // "8.0 GT/s PCIe x4"; "" = unknown
    std::string link_speed_max;
};

struct Interface {
    bool up = false;       // by the administrator
    bool carrier = false;  // a link partner is there
    std::uint32_t mtu = 0;
    // What merges segments before they are captured; nothing if the driver does not say.
    std::optional<bool> gro;
    std::optional<bool> lro;
};

struct Process {
    std::uint32_t id = 0;
    std::string command;
};

enum class Capability : std::uint8_t {
    net_admin = 12,
    net_raw = 13,
    ipc_lock = 14,
    sys_admin = 21
};

class Host {
  public:
    // `root` other than "/" is a copy of /proc and /sys, for tests.
    explicit Host(std::filesystem::path root = "/") : root_(std::move(root)) {}

    [[nodiscard]] std::vector<std::uint32_t> online_cpus() const;
    [[nodiscard]] std::vector<std::uint32_t> allowed_cpus() const;  // to this process
    [[nodiscard]] std::vector<std::uint32_t> isolated_cpus() const;
    [[nodiscard]] std::vector<std::uint32_t> tickless_cpus() const;
    [[nodiscard]] std::vector<std::uint32_t> siblings_of(std::uint32_t cpu) const;
    [[nodiscard]] std::string governor_of(std::uint32_t cpu) const;  // "" = no frequency scaling
    [[nodiscard]] int node_of(std::uint32_t cpu) const;              // -1 = unknown

    [[nodiscard]] std::vector<HugePages> huge_pages() const;
    [[nodiscard]] std::uint64_t available_bytes() const;  // ordinary memory
    // Nothing = no limit.
    [[nodiscard]] std::optional<std::uint64_t> locked_bytes_max() const;
    [[nodiscard]] bool has(Capability capability) const;

    [[nodiscard]] bool has_iommu() const;
    [[nodiscard]] std::optional<PciDevice> pci_device(std::string_view address) const;
    [[nodiscard]] std::vector<std::string> network_pci_addresses() const;
    [[nodiscard]] std::optional<Interface> interface(const std::string& name) const;
    [[nodiscard]] std::vector<std::string> interfaces() const;

    // Who uses something that only one process can: other processes, as far as this user may see
    // them (root sees all). `path` from the root of the file system: "dev/vfio/9".
    [[nodiscard]] std::vector<Process> users_of(const std::filesystem::path& path) const;
    // Who listens on a UNIX socket: "@name" is an abstract one. Process id 0: somebody.
    [[nodiscard]] std::optional<Process> listener_on(const std::string& name) const;

  private:
    [[nodiscard]] std::vector<Process> holders_of(const std::string& link) const;
    [[nodiscard]] std::string line(const std::filesystem::path& path) const;
    [[nodiscard]] std::string field(const std::filesystem::path& path, std::string_view name) const;
    [[nodiscard]] std::vector<std::uint32_t> cpu_list(const std::filesystem::path& path) const;
    [[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& path) const;
    [[nodiscard]] std::string link_name(const std::filesystem::path& path) const;
    void add_huge_pages(std::vector<HugePages>& found, const std::filesystem::path& folder,
                        int node) const;

    std::filesystem::path root_;
};

// "0-3,8" as the kernel writes it; stops at what it does not understand.
[[nodiscard]] std::vector<std::uint32_t> parse_cpu_list(std::string_view text);

}  // namespace tw::app
