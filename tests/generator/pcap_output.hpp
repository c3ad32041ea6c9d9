// SPDX-License-Identifier: BSD-3-Clause
// Generated traffic into a nanosecond capture file; memory does not grow with it.
#pragma once

#include <optional>

#include "generator/options.hpp"
#include "generator/traffic.hpp"
#include "generator/truth.hpp"

namespace tw::generator {

// Nothing: the file cannot be written, standard error says why.
[[nodiscard]] std::optional<Delivery> write_capture(const SourceOptions& options, Traffic& traffic);

}  // namespace tw::generator
