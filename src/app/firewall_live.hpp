// SPDX-License-Identifier: BSD-3-Clause
// `tapwitness firewall` on live ports; without DPDK, the sentence that says so.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "app/firewall_outputs.hpp"
#include "base/error.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "core/taps/engine.hpp"
#include "firewall/differences.hpp"

namespace tw::app {

struct LiveFirewallOptions {
    FirewallPaths outputs;
    std::optional<firewall::EarlierReport> compare;
    taps::EngineOptions engine;     // what the configuration says of it
    std::optional<Nanos> duration;  // absent: until a signal
    std::string command;            // as typed
};

// Until the time is up, a signal comes, or the capture files end.
[[nodiscard]] std::expected<ExitCode, Error> run_firewall_live(const config::Config& config,
                                                               const LiveFirewallOptions& options);

}  // namespace tw::app
