// SPDX-License-Identifier: BSD-3-Clause
// Which DPDK this program runs with. Needs no EAL.
#pragma once

#include <string>

namespace tw::dpdk {

// "DPDK 22.11.11"
[[nodiscard]] std::string version_text();

}  // namespace tw::dpdk
