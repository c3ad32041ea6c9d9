// SPDX-License-Identifier: BSD-3-Clause
// What `--version` says of live capture: DPDK's version, or that this build has none.
#pragma once

#include <string>

namespace tw::app {

[[nodiscard]] std::string live_version();

}  // namespace tw::app
