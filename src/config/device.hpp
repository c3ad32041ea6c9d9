// SPDX-License-Identifier: BSD-3-Clause
// The syntax of ports[].device: four forms, told apart by how they begin. Nothing is opened here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tw::config {

enum class DeviceKind : std::uint8_t { pci, vdev, interface, capture_file };

struct Device {
    DeviceKind kind = DeviceKind::pci;
    // pci: full address "0000:3b:00.0" | vdev: the whole string | interface: its name | file: its
    // path
    std::string value;
    std::string arguments;  // pci only: what follows the address, "" or ",key=value,..."
};

inline constexpr std::string_view kDeviceForms =
    "a PCI address (0000:3b:00.0), a DPDK virtual device (net_NAME,...), iface:NAME, pcap:FILE";

[[nodiscard]] std::optional<Device> parse_device(std::string_view text);

}  // namespace tw::config
