// SPDX-License-Identifier: BSD-3-Clause
// The rows of the option table that `tapwitness firewall` reads and `run` leaves aside.
#pragma once

#include <string_view>
#include <vector>

#include "config/options.hpp"

namespace tw::config {

// 1..32 of these; for ports, taps, networks and services.
inline constexpr std::string_view kNameAllowed = "1..32 letters, digits, . _ -";

[[nodiscard]] std::vector<OptionInfo> firewall_rows();

}  // namespace tw::config
