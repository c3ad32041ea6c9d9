// SPDX-License-Identifier: BSD-3-Clause
#include "app/live_version.hpp"

#include "capture/dpdk/version.hpp"

namespace tw::app {

std::string live_version() {
    return dpdk::version_text();
}

}  // namespace tw::app
