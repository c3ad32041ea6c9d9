// SPDX-License-Identifier: BSD-3-Clause
// A port's device in DPDK's words: bus, name, driver arguments, and what these say about it. Pure
// text: nothing is opened or probed here.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace tw::dpdk {

enum class Bus : std::uint8_t { pci, vdev };

struct Device {
    Bus bus = Bus::vdev;
    std::string name;       // "0000:3b:00.0", "net_memif0"
    std::string arguments;  // of the driver, without a leading comma
    std::string interface;  // kernel interface it captures on; "" = none
    std::string file;       // capture file whose end ends the run; "" = none
};

// `arguments` with or without their leading comma.
[[nodiscard]] Device pci_device(std::string_view address, std::string_view arguments);

// A vdev string as DPDK takes it: "net_memif0,role=server". Refuses settings that would lose
// packets silently.
[[nodiscard]] std::expected<Device, Error> vdev_device(std::string_view text);

// A kernel interface through net_af_packet. `number` makes the device name unique in the run.
struct InterfaceRing {
    std::uint32_t frames = 0;  // of kFrameBytes each, power of two
    static constexpr std::uint32_t kFrameBytes = 2048;
    static constexpr std::uint32_t kBlockBytes = 1U << 20;
};
[[nodiscard]] Device interface_device(std::string_view interface, const InterfaceRing& ring,
                                      std::uint32_t number);
// Frames per ring for a limit on locked memory in bytes: the driver locks a receive and a transmit
// ring of this size each.
[[nodiscard]] InterfaceRing interface_ring(std::uint64_t locked_bytes_max);

// A capture file through net_pcap.
[[nodiscard]] std::expected<Device, Error> file_device(std::string_view path, std::uint32_t number);

// The name of the driver behind a device name: "net_pcap" for "net_pcap0".
[[nodiscard]] std::string_view driver_of(std::string_view device_name);

// The value of `key` in "key=value,key=value"; count says how often it is given.
struct Argument {
    std::string_view value;
    std::uint32_t count = 0;
};
[[nodiscard]] Argument find_argument(std::string_view arguments, std::string_view key);

}  // namespace tw::dpdk
