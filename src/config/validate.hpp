// SPDX-License-Identifier: BSD-3-Clause
// Rules across keys that a row of the option table cannot hold: unique names, device syntax, EAL
// arguments the program sets itself, what a policy names. Independent of the host: no file, device
// or CPU is looked at.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "config/config.hpp"

namespace tw::config {

// What the configuration is for: whether it needs ports, and which of the two taps they are.
enum class Use : std::uint8_t {
    run,             // ports; a policy may be there and must be right
    firewall,        // ports of two taps, one on each side
    firewall_files,  // the taps are files; ports may be missing
    any,             // `check`: what the file itself shows it is for
};

[[nodiscard]] std::vector<Error> validate(const Config& config, Use use = Use::run);

}  // namespace tw::config
