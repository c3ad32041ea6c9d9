// SPDX-License-Identifier: BSD-3-Clause
// The drivers people name in a configuration: what they are called, which Debian package brings
// them and which arguments they take. DPDK says none of this when a name or an argument is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "capture/dpdk/device.hpp"

namespace tw::dpdk {

// Why there is no driver for a virtual device: a name mistyped, or a package missing.
[[nodiscard]] std::string no_driver_text(const Device& device);

// An argument the driver does not know but nearly: it would take it for absent and say nothing.
// What is not even near is passed on: another version may know it.
[[nodiscard]] std::optional<std::string> mistyped_argument(const Device& device);

// Which packages may drive a PCI device nobody took; `vendor` is its PCI vendor id.
[[nodiscard]] std::string no_pci_driver_text(std::uint16_t vendor);

[[nodiscard]] std::string no_pool_driver_text();

}  // namespace tw::dpdk
