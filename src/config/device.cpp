// SPDX-License-Identifier: BSD-3-Clause
#include "config/device.hpp"

#include <algorithm>

namespace tw::config {

namespace {

// IFNAMSIZ of the kernel, without the final zero.
constexpr std::size_t kInterfaceNameMax = 15;

[[nodiscard]] bool is_hex(std::string_view text, std::size_t count) {
    return text.size() == count && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           });
}

// 0000:3b:00.0 or 3b:00.0; lower case and with its domain in the result.
[[nodiscard]] std::optional<std::string> pci_address(std::string_view text) {
    constexpr std::string_view kDomainDefault = "0000:";
    std::string address(text);
    if (std::count(text.begin(), text.end(), ':') == 1) {
        address.insert(0, kDomainDefault);
    }
    const std::string_view full = address;
    if (full.size() != 12 || full[4] != ':' || full[7] != ':' || full[10] != '.' ||
        !is_hex(full.substr(0, 4), 4) || !is_hex(full.substr(5, 2), 2) ||
        !is_hex(full.substr(8, 2), 2) || full[11] < '0' || full[11] > '7') {
        return std::nullopt;
    }
    std::transform(address.begin(), address.end(), address.begin(), [](char c) {
        return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return address;
}

[[nodiscard]] bool is_interface_name(std::string_view name) {
    return !name.empty() && name.size() <= kInterfaceNameMax && name != "." && name != ".." &&
           std::none_of(name.begin(), name.end(),
                        [](char c) { return c <= ' ' || c == '/' || c == ':' || c == 0x7F; });
}

// DPDK wants a driver name and a number or suffix: net_memif0. Arguments follow after a comma.
[[nodiscard]] bool is_vdev(std::string_view text) {
    const std::string_view name = text.substr(0, text.find(','));
    return name.starts_with("net_") && name.size() > 4 &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_';
           });
}

}  // namespace

std::optional<Device> parse_device(std::string_view text) {
    constexpr std::string_view kInterface = "iface:";
    constexpr std::string_view kFile = "pcap:";
    if (text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    if (text.starts_with(kInterface)) {
        const std::string_view name = text.substr(kInterface.size());
        return is_interface_name(name)
                   ? std::optional(Device{DeviceKind::interface, std::string(name), ""})
                   : std::nullopt;
    }
    if (text.starts_with(kFile)) {
        const std::string_view path = text.substr(kFile.size());
        return path.empty()
                   ? std::nullopt
                   : std::optional(Device{DeviceKind::capture_file, std::string(path), ""});
    }
    if (is_vdev(text)) {
        return Device{DeviceKind::vdev, std::string(text), ""};
    }
    const std::size_t comma = std::min(text.find(','), text.size());
    if (auto address = pci_address(text.substr(0, comma))) {
        return Device{DeviceKind::pci, std::move(*address), std::string(text.substr(comma))};
    }
    return std::nullopt;
}

}  // namespace tw::config
