// SPDX-License-Identifier: BSD-3-Clause
// The doctor's look at ports[].device: what a PCI device, a kernel interface or a file needs before
// DPDK can receive from it.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "app/doctor.hpp"
#include "capture/pcap/file_source.hpp"
#include "config/device.hpp"
#include "config/values.hpp"

namespace tw::app {

namespace {

constexpr std::uint32_t kNetworkClass = 0x02;

[[nodiscard]] std::string process_text(const Process& process) {
    return process.id == 0 ? "another process"
                           : fmt::format("process {}{}{}", process.id,
                                         process.command.empty() ? "" : " ", process.command);
}

// The value of ",key=" in a vdev string; "" = not given.
[[nodiscard]] std::string argument(std::string_view text, std::string_view key) {
    const std::string wanted = fmt::format(",{}=", key);
    const std::size_t at = text.find(wanted);
    const std::size_t begin = at + wanted.size();
    return at == std::string_view::npos
               ? std::string()
               : std::string(text.substr(begin, text.find(',', begin) - begin));
}

class PortDoctor {
  public:
    PortDoctor(const Host& host, const config::Config& config, Findings& findings)
        : host_(host), config_(config), findings_(findings) {}

    void examine(std::size_t index);

  private:
    void pci(const std::string& address);
    void pci_driver(const std::string& address, const PciDevice& device);
    void vfio(const PciDevice& device);
    void pci_users(const std::string& address, const PciDevice& device);
    void pci_place(const std::string& address, const PciDevice& device);
    void interface(const std::string& name);
    void offloads(const std::string& name, const Interface& interface);
    void packet_rights(const std::string& name);
    void capture_file(const std::string& path);
    void vdev(std::string_view text);
    void memif_socket(std::string_view text);

    const Host& host_;
    const config::Config& config_;
    Findings& findings_;
    std::string place_;  // "file:3:13: ports[0].device: "
};

void PortDoctor::examine(std::size_t index) {
    const auto device = config::parse_device(config_.ports[index].device);
    if (!device) {
        return;  // validate() refused it
    }
    place_ = config_.places.prefix(fmt::format("ports[{}].device", index));
    switch (device->kind) {
        case config::DeviceKind::pci:
            return pci(device->value);
        case config::DeviceKind::interface:
            return interface(device->value);
        case config::DeviceKind::capture_file:
            return capture_file(device->value);
        case config::DeviceKind::vdev:
            return vdev(device->value);
    }
}

void PortDoctor::pci(const std::string& address) {
    const auto device = host_.pci_device(address);
    const auto others = host_.network_pci_addresses();
    if (!device) {
        findings_.problem(fmt::format("{}there is no PCI device {}", place_, address),
                          others.empty() ? "this host has no PCI network device; use iface:NAME"
                                         : fmt::format("choose from {}", fmt::join(others, ", ")));
        return;
    }
    if (device->device_class >> 16U != kNetworkClass) {
        findings_.problem(fmt::format("{}{} is not a network device (class 0x{:06x})", place_,
                                      address, device->device_class),
                          fmt::format("choose from {}", fmt::join(others, ", ")));
        return;
    }
    pci_driver(address, *device);
    pci_place(address, *device);
}

void PortDoctor::pci_driver(const std::string& address, const PciDevice& device) {
    // These stay with their kernel driver; DPDK works beside it.
    constexpr std::array<std::string_view, 3> kShared{"mlx5_core", "mlx4_core", "mana"};
    constexpr std::array<std::string_view, 3> kForUser{"vfio-pci", "igb_uio", "uio_pci_generic"};
    const auto is_one_of = [&](const auto& drivers) {
        return std::find(drivers.begin(), drivers.end(), device.driver) != drivers.end();
    };
    if (is_one_of(kForUser) || is_one_of(kShared)) {
        findings_.ok(fmt::format("{} is bound to {}", address, device.driver));
        if (device.driver == "vfio-pci") {
            vfio(device);
        }
        pci_users(address, device);
        return;
    }
    const std::string bind =
        fmt::format("modprobe vfio-pci && dpdk-devbind.py --bind=vfio-pci {}", address);
    if (device.driver.empty()) {
        findings_.problem(fmt::format("{}{} has no driver", place_, address), bind);
    } else if (device.interface.empty()) {
        findings_.problem(
            fmt::format("{}{} belongs to the kernel driver {}", place_, address, device.driver),
            bind);
    } else {
        findings_.problem(
            fmt::format("{}{} belongs to the kernel driver {} (interface {})", place_, address,
                        device.driver, device.interface),
            fmt::format("ip link set {} down && {} (the kernel loses the interface), or "
                        "device: \"iface:{}\"",
                        device.interface, bind, device.interface));
    }
}

void PortDoctor::vfio(const PciDevice& device) {
    if (!host_.has_iommu()) {
        findings_.note("no IOMMU: vfio-pci needs its unsafe mode and root",
                       "echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode, or switch "
                       "the IOMMU on: intel_iommu=on iommu=pt");
        return;
    }
    if (!device.group_usable) {
        findings_.problem(
            fmt::format("{}/dev/vfio/{} cannot be opened", place_, device.iommu_group),
            fmt::format("chown $USER /dev/vfio/{}, or pass /dev/vfio into the container",
                        device.iommu_group));
    }
    const auto locked_max = host_.locked_bytes_max();
    if (locked_max && !host_.has(Capability::ipc_lock)) {
        findings_.problem(fmt::format("{}only {} may be locked in memory; vfio locks all DPDK uses",
                                      place_, config::format_size(*locked_max)),
                          "ulimit -l unlimited (systemd: LimitMEMLOCK=infinity)");
    }
}

// The kernel lets one process at a time have a device; the second one learns only "busy".
void PortDoctor::pci_users(const std::string& address, const PciDevice& device) {
    const std::string file = !device.uio.empty()          ? "dev/" + device.uio
                             : device.iommu_group.empty() ? ""
                                                          : "dev/vfio/" + device.iommu_group;
    if (file.empty()) {
        return;
    }
    if (const auto users = host_.users_of(file); !users.empty()) {
        findings_.problem(
            fmt::format("{}{} is in use by {}", place_, address, process_text(users.front())),
            "stop it first: a device serves one process at a time");
    }
}

void PortDoctor::pci_place(const std::string& address, const PciDevice& device) {
    for (const std::uint32_t cpu : config_.workers.cores) {
        const int node = host_.node_of(cpu);
        if (device.node >= 0 && node >= 0 && node != device.node) {
            findings_.note(fmt::format("{} is on NUMA node {}, CPU {} on node {}: every frame "
                                       "crosses between them",
                                       address, device.node, cpu, node),
                           fmt::format("choose workers.cores of node {}", device.node));
            break;
        }
    }
    if (!device.link_speed.empty() && device.link_speed != device.link_speed_max) {
        findings_.note(fmt::format("{} runs at {}, it could at {}", address, device.link_speed,
                                   device.link_speed_max),
                       "move the card to a faster slot");
    }
}

void PortDoctor::interface(const std::string& name) {
    const auto interface = host_.interface(name);
    if (!interface) {
        findings_.problem(fmt::format("{}there is no interface {}", place_, name),
                          fmt::format("choose from {}", fmt::join(host_.interfaces(), ", ")));
        return;
    }
    packet_rights(name);
    if (!interface->up) {
        findings_.problem(fmt::format("{}{} is down", place_, name),
                          fmt::format("ip link set {} up", name));
        return;
    }
    findings_.ok(fmt::format("{} is up{}", name, interface->carrier ? "" : ", without a carrier"));
    if (!interface->carrier) {
        findings_.note(fmt::format("{} has no link partner: nothing will arrive", name),
                       "plug it in");
    }
    offloads(name, *interface);
}

void PortDoctor::offloads(const std::string& name, const Interface& interface) {
    std::vector<std::string_view> on;
    if (interface.gro.value_or(false)) {
        on.emplace_back("gro");
    }
    if (interface.lro.value_or(false)) {
        on.emplace_back("lro");
    }
    if (!on.empty()) {
        findings_.note(
            fmt::format("{} merges segments before they are seen ({}): sizes and repeats "
                        "are not those of the wire",
                        name, fmt::join(on, ", ")),
            fmt::format("ethtool -K {} {} off", name, fmt::join(on, " off ")));
    }
}

void PortDoctor::packet_rights(const std::string& name) {
    if (!host_.has(Capability::net_raw) || !host_.has(Capability::net_admin)) {
        findings_.problem(
            fmt::format("{}capturing on {} needs CAP_NET_RAW and CAP_NET_ADMIN", place_, name),
            "run as root, or once: setcap cap_net_raw,cap_net_admin,cap_ipc_lock+ep "
            "$(command -v tapwitness)");
    }
    // The driver locks a receive and a transmit ring, 32 MiB each if it may.
    constexpr std::uint64_t kRingsBytes = std::uint64_t{64} << 20U;
    const auto locked_max = host_.locked_bytes_max();
    if (locked_max && *locked_max < kRingsBytes && !host_.has(Capability::ipc_lock)) {
        findings_.note(fmt::format("only {} may be locked in memory: the ring of {} will be short",
                                   config::format_size(*locked_max), name),
                       "ulimit -l unlimited (systemd: LimitMEMLOCK=infinity)");
    }
}

void PortDoctor::capture_file(const std::string& path) {
    const auto source = pcap::FileSource::open(path);
    if (!source) {
        findings_.problem(place_ + source.error().text, "name a pcap or pcapng file");
    } else {
        findings_.ok(fmt::format("{}: {}", path, (*source)->format_name()));
    }
}

void PortDoctor::vdev(std::string_view text) {
    if (text.starts_with("net_af_packet")) {
        interface(argument(text, "iface"));
    } else if (const std::string file = argument(text, "rx_pcap"); !file.empty()) {
        capture_file(file);
    } else {
        memif_socket(text);
        findings_.ok(
            fmt::format("{}: a virtual device, made at start", text.substr(0, text.find(','))));
    }
}

// Of a memif, the server makes the socket; nobody else may have it.
void PortDoctor::memif_socket(std::string_view text) {
    const std::string role = argument(text, "role");
    if (!text.starts_with("net_memif") || (role != "server" && role != "master")) {
        return;
    }
    const std::string given = argument(text, "socket");
    const std::string path = given.empty() ? "/run/memif.sock" : given;
    const bool abstract = argument(text, "socket-abstract") != "no";
    if (const auto listener = host_.listener_on((abstract ? "@" : "") + path)) {
        findings_.problem(
            fmt::format("{}the socket {} is served by {}", place_, path, process_text(*listener)),
            "stop it, or name another socket: socket=NAME");
    }
}

}  // namespace

std::optional<Error> refusal(const Host& host, const config::Config& config, std::size_t index) {
    Findings findings;
    PortDoctor(host, config, findings).examine(index);
    for (const Finding& finding : findings.all()) {
        if (finding.health == Health::problem) {
            return Error{fmt::format("{}; {}", finding.text, finding.fix)};
        }
    }
    return std::nullopt;
}

void examine_ports(const Host& host, const config::Config& config, Findings& findings) {
    PortDoctor doctor(host, config, findings);
    for (std::size_t i = 0; i < config.ports.size(); ++i) {
        doctor.examine(i);
    }
}

}  // namespace tw::app
