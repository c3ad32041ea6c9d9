// SPDX-License-Identifier: BSD-3-Clause
// What the host must grant before a device is attached. Asked for here because the drivers' own
// messages do not say what to do.
#pragma once

#include <cstdint>
#include <expected>

#include "base/error.hpp"
#include "capture/dpdk/device.hpp"

namespace tw::dpdk {

// Whether the device's card, interface or file exists and this process may use it.
[[nodiscard]] std::expected<void, Error> check_device(const Device& device);

// Bytes this process may lock: its limit, or everything with CAP_IPC_LOCK.
[[nodiscard]] std::uint64_t lockable_bytes();

}  // namespace tw::dpdk
