// SPDX-License-Identifier: BSD-3-Clause
// Generated traffic to any DPDK virtual device, on a schedule or as fast as its peer takes it.
#pragma once

#include <atomic>
#include <optional>

#include "generator/options.hpp"
#include "generator/traffic.hpp"
#include "generator/truth.hpp"

namespace tw::generator {

// Set by a signal: scripts in progress are finished, then the truth is told.
extern std::atomic<bool> stop_requested;

// Nothing: the device could not be used, standard error says why. Once per process.
[[nodiscard]] std::optional<Delivery> send_frames(const SourceOptions& options, Traffic& traffic);

}  // namespace tw::generator
