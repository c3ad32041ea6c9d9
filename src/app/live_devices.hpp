// SPDX-License-Identifier: BSD-3-Clause
// The ports of a configuration in the words of capture/dpdk, with what a capture file says of
// itself: how many frames will come, and of which link type.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "app/host.hpp"
#include "base/error.hpp"
#include "capture/dpdk/port.hpp"
#include "config/config.hpp"

namespace tw::app {

struct LiveDevices {
    std::vector<dpdk::PortOptions> ports;
    std::vector<std::string> taps;      // names; index: Frame::tap
    std::vector<std::string> warnings;  // of capture files
    bool from_files = false;            // all ports are capture files: the run ends with them
};

// Reads capture files once to the end. Opens nothing else. What the host forbids is refused with
// its fix, as `check` tells it.
[[nodiscard]] std::expected<LiveDevices, Error> live_devices(const config::Config& config,
                                                             const Host& host);

}  // namespace tw::app
