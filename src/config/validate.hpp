// SPDX-License-Identifier: BSD-3-Clause
// Rules across keys that a row of the option table cannot hold: unique names, device syntax, EAL
// arguments the program sets itself. Independent of the host: no file, device or CPU is looked at.
#pragma once

#include <vector>

#include "base/error.hpp"
#include "config/config.hpp"

namespace tw::config {

[[nodiscard]] std::vector<Error> validate(const Config& config);

}  // namespace tw::config
