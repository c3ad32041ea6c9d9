// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/version.hpp"

#include <rte_version.h>

namespace tw::dpdk {

std::string version_text() {
    return rte_version();
}

}  // namespace tw::dpdk
