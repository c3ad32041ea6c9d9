// SPDX-License-Identifier: BSD-3-Clause
// What the host must grant before a device is attached. Asked for here because the drivers' own
// messages do not say what to do.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "base/error.hpp"
#include "capture/dpdk/device.hpp"

namespace tw::dpdk {

// Whether the device's card, interface or file exists and this process may use it.
[[nodiscard]] std::expected<void, Error> check_device(const Device& device);

// PCI vendor id of a device; 0 = unknown.
[[nodiscard]] std::uint16_t pci_vendor(const std::string& address);

// Bytes this process may lock: its limit, or everything with CAP_IPC_LOCK.
[[nodiscard]] std::uint64_t lockable_bytes();

}  // namespace tw::dpdk
