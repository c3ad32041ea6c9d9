// SPDX-License-Identifier: BSD-3-Clause
#include "app/live_devices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/doctor.hpp"
#include "capture/dpdk/host_access.hpp"
#include "capture/pcap/file_source.hpp"
#include "config/device.hpp"
#include "sinks/format/human.hpp"

namespace tw::app {
namespace {

// 64 MiB of them.
constexpr std::size_t kCutFramesMax = 4U << 20;

[[nodiscard]] std::expected<dpdk::Device, Error> device_of(const config::Port& port,
                                                           std::uint32_t number,
                                                           std::uint64_t lockable_bytes) {
    const auto parsed = config::parse_device(port.device);
    if (!parsed) {
        return std::unexpected(Error{
            fmt::format("\"{}\" is no device; allowed: {}", port.device, config::kDeviceForms)});
    }
    switch (parsed->kind) {
        case config::DeviceKind::pci:
            return dpdk::pci_device(parsed->value, parsed->arguments);
        case config::DeviceKind::vdev:
            return dpdk::vdev_device(parsed->value);
        case config::DeviceKind::interface:
            return dpdk::interface_device(parsed->value, dpdk::interface_ring(lockable_bytes),
                                          number);
        case config::DeviceKind::capture_file:
            return dpdk::file_device(parsed->value, number);
    }
    return std::unexpected(Error{"unreachable"});
}

[[nodiscard]] std::expected<std::uint8_t, Error> tap_of(const config::Port& port,
                                                        std::vector<std::string>& taps) {
    const std::string& name = port.tap.empty() ? port.name : port.tap;
    const auto known = std::find(taps.begin(), taps.end(), name);
    if (known == taps.end()) {
        if (taps.size() == kTapsMax) {
            return std::unexpected(Error{fmt::format("more than {} taps", kTapsMax)});
        }
        taps.push_back(name);
        return static_cast<std::uint8_t>(taps.size() - 1);
    }
    return static_cast<std::uint8_t>(known - taps.begin());
}

// What libpcap, behind net_pcap, cannot read though we can.
[[nodiscard]] std::expected<void, Error> check_file(const pcap::FileSource& source) {
    const auto refuse = [&source](const std::string& what) -> std::expected<void, Error> {
        return std::unexpected(Error{
            fmt::format("{}: DPDK's driver for capture files cannot read {}; `tapwitness read` can",
                        source.path(), what)});
    };
    if (source.format_name().find("gzip") != std::string::npos) {
        return refuse("compressed ones");
    }
    const auto interfaces = source.ledger().interfaces;
    for (const pcap::InterfaceLedger& interface : interfaces) {
        if (interface.link != interfaces.front().link ||
            interface.snaplen != interfaces.front().snaplen) {
            return refuse("interfaces of different link types or snap lengths");
        }
    }
    return {};
}

// net_pcap tells neither where a file ends, nor what its frames begin with, nor how long they were.
[[nodiscard]] std::expected<void, Error> look_into_file(dpdk::PortOptions& port,
                                                        std::vector<std::string>& warnings) {
    std::error_code ignored;
    const auto status = std::filesystem::status(port.device.file, ignored);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
        // It is read twice: once to count, once by the driver.
        return std::unexpected(Error{fmt::format(
            "{}: not a regular file; `tapwitness read` takes pipes", port.device.file)});
    }
    // "-" would be standard input.
    const bool bare = port.device.file.find('/') == std::string::npos;
    auto opened = pcap::FileSource::open((bare ? "./" : "") + port.device.file);
    if (!opened) {
        return std::unexpected(std::move(opened.error()));
    }
    pcap::FileSource& source = **opened;
    std::uint64_t index = 0;
    for (auto frames = source.next(); !frames.empty(); frames = source.next()) {
        for (const Frame& frame : frames) {
            if (frame.captured_bytes < frame.wire_bytes) {
                port.cut_from_bytes = std::min(port.cut_from_bytes, frame.captured_bytes);
                if (port.cut_frames.size() <= kCutFramesMax) {
                    port.cut_frames.push_back({index, frame.wire_bytes});
                }
            }
            ++index;
        }
    }
    if (port.cut_frames.size() > kCutFramesMax) {
        port.cut_frames.clear();
        warnings.push_back(
            fmt::format("{}: more than {} cut frames: their IP headers tell how long they were",
                        port.device.file, sinks::format::count_text(kCutFramesMax)));
    }
    port.frames_expected = source.frames_read();
    if (source.warning()) {
        warnings.push_back(*source.warning());
    }
    const auto interfaces = source.ledger().interfaces;
    port.link = interfaces.empty() ? LinkType::ethernet : interfaces.front().link;
    return check_file(source);
}

}  // namespace

std::expected<LiveDevices, Error> live_devices(const config::Config& config, const Host& host) {
    LiveDevices devices;
    const std::uint64_t interfaces = std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(
               std::count_if(config.ports.begin(), config.ports.end(),
                             [](const auto& port) { return port.device.starts_with("iface:"); })));
    const std::uint64_t lockable_each = dpdk::lockable_bytes() / interfaces;
    std::uint32_t files = 0;
    for (std::uint32_t i = 0; i < config.ports.size(); ++i) {
        const config::Port& port = config.ports[i];
        const std::string place = config.places.prefix(fmt::format("ports[{}].device", i));
        auto device = device_of(port, i, lockable_each);
        if (!device) {
            return std::unexpected(Error{place + device.error().text, device.error().code});
        }
        if (auto usable = dpdk::check_device(*device); !usable) {
            return std::unexpected(Error{place + usable.error().text, usable.error().code});
        }
        // Interfaces and files are looked at above; a device of DPDK's own tells too little.
        if (device->interface.empty() && device->file.empty()) {
            if (auto refused = refusal(host, config, i)) {
                return std::unexpected(std::move(*refused));
            }
        }
        auto tap = tap_of(port, devices.taps);
        if (!tap) {
            return std::unexpected(std::move(tap.error()));
        }
        dpdk::PortOptions options;
        options.name = port.name;
        options.device = std::move(*device);
        options.tap = *tap;
        options.descriptors = port.descriptors;
        if (!options.device.file.empty()) {
            ++files;
            if (auto looked = look_into_file(options, devices.warnings); !looked) {
                return std::unexpected(Error{place + looked.error().text, looked.error().code});
            }
        }
        devices.ports.push_back(std::move(options));
    }
    if (files != 0 && files != config.ports.size()) {
        return std::unexpected(
            Error{"capture files bring their own time and cannot run beside live ports; use either "
                  "only pcap: ports or none"});
    }
    devices.from_files = files != 0;
    return devices;
}

}  // namespace tw::app
