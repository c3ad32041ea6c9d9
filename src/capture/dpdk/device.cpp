// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "capture/dpdk/driver_names.hpp"

namespace tw::dpdk {
namespace {

constexpr std::string_view kPcap = "net_pcap";
constexpr std::string_view kAfPacket = "net_af_packet";
// 16384 frames hold 1.1 ms at 14.88 Mpps and 20 ms at 800 kpps, which is about what the kernel path
// delivers; the ring takes 32 MiB for receiving and as much for transmitting.
constexpr std::uint32_t kRingFramesMax = 16384;
constexpr std::uint32_t kRingFramesMin = 512;

[[nodiscard]] Error refused(std::string_view text, std::string_view why) {
    return Error{fmt::format("device \"{}\": {}", text, why)};
}

[[nodiscard]] std::expected<Device, Error> checked_pcap(Device device, std::string_view text) {
    const Argument files = find_argument(device.arguments, "rx_pcap");
    if (files.count > 1) {
        return std::unexpected(
            refused(text, "one rx_pcap per port; give every file a port of its own"));
    }
    const Argument endless = find_argument(device.arguments, "infinite_rx");
    if (files.count == 1 && (endless.count == 0 || endless.value == "0")) {
        device.file = files.value;
    }
    return device;
}

[[nodiscard]] std::expected<Device, Error> checked_af_packet(Device device, std::string_view text) {
    const Argument queues = find_argument(device.arguments, "qpairs");
    if (queues.count != 0 && queues.value != "1") {
        // The fan-out mode of the driver is HASH|DEFRAG|ROLLOVER: a full queue spills into the next
        // one, which tears connections apart.
        return std::unexpected(refused(
            text, "qpairs must be 1: the kernel's fan-out spreads one connection over queues"));
    }
    const Argument interface = find_argument(device.arguments, "iface");
    if (interface.value.empty()) {
        return std::unexpected(refused(text, "net_af_packet needs iface=NAME"));
    }
    device.interface = interface.value;
    return device;
}

}  // namespace

std::string_view driver_of(std::string_view device_name) {
    std::size_t end = device_name.size();
    while (end > 0 && device_name[end - 1] >= '0' && device_name[end - 1] <= '9') {
        --end;
    }
    for (const std::string_view driver : {kPcap, kAfPacket}) {
        if (device_name.starts_with(driver)) {
            return device_name.substr(0, driver.size());
        }
    }
    return device_name.substr(0, end);
}

Argument find_argument(std::string_view arguments, std::string_view key) {
    Argument found;
    while (!arguments.empty()) {
        const std::size_t comma = std::min(arguments.find(','), arguments.size());
        const std::string_view pair = arguments.substr(0, comma);
        const std::size_t equals = std::min(pair.find('='), pair.size());
        if (pair.substr(0, equals) == key) {
            found.value = pair.substr(std::min(equals + 1, pair.size()));
            ++found.count;
        }
        arguments.remove_prefix(std::min(comma + 1, arguments.size()));
    }
    return found;
}

Device pci_device(std::string_view address, std::string_view arguments) {
    if (arguments.starts_with(',')) {
        arguments.remove_prefix(1);
    }
    Device device;
    device.bus = Bus::pci;
    device.name = address;
    device.arguments = arguments;
    return device;
}

std::expected<Device, Error> vdev_device(std::string_view text) {
    const std::size_t comma = std::min(text.find(','), text.size());
    Device device;
    device.name = text.substr(0, comma);
    device.arguments = text.substr(std::min(comma + 1, text.size()));
    if (const auto mistake = mistyped_argument(device)) {
        return std::unexpected(refused(text, *mistake));
    }
    const std::string_view driver = driver_of(device.name);
    if (driver == kPcap) {
        return checked_pcap(std::move(device), text);
    }
    if (driver == kAfPacket) {
        return checked_af_packet(std::move(device), text);
    }
    return device;
}

InterfaceRing interface_ring(std::uint64_t locked_bytes_max) {
    const std::uint64_t frames = locked_bytes_max / 2 / InterfaceRing::kFrameBytes;
    const auto bounded = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(frames, kRingFramesMin, kRingFramesMax));
    return InterfaceRing{std::bit_floor(bounded)};
}

Device interface_device(std::string_view interface, const InterfaceRing& ring,
                        std::uint32_t number) {
    Device device;
    device.name = fmt::format("{}_tw{}", kAfPacket, number);
    device.interface = interface;
    // Only bridged ports send. They want the kernel's queue: past it, frames are lost whenever the
    // NIC is busy (packet(7), PACKET_QDISC_BYPASS).
    device.arguments =
        fmt::format("iface={},qpairs=1,blocksz={},framesz={},framecnt={},qdisc_bypass=0", interface,
                    InterfaceRing::kBlockBytes, InterfaceRing::kFrameBytes, ring.frames);
    return device;
}

std::expected<Device, Error> file_device(std::string_view path, std::uint32_t number) {
    if (path.find_first_of(",[]\"") != std::string_view::npos) {
        // DPDK splits driver arguments at these and knows no escape.
        return std::unexpected(Error{
            fmt::format("device \"pcap:{}\": DPDK cannot take a path with , [ ] or \"; rename "
                        "it or use `tapwitness read`",
                        path)});
    }
    Device device;
    device.name = fmt::format("{}_tw{}", kPcap, number);
    device.file = path;
    device.arguments = fmt::format("rx_pcap={}", path);
    return device;
}

}  // namespace tw::dpdk
