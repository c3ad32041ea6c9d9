// SPDX-License-Identifier: BSD-3-Clause
#include "app/firewall_live.hpp"

#include <memory>
#include <utility>

#include "app/live_firewall.hpp"
#include "app/live_log.hpp"
#include "app/live_run.hpp"

namespace tw::app {

std::expected<ExitCode, Error> run_firewall_live(const config::Config& config,
                                                 const LiveFirewallOptions& options) {
    config::Config live = config;
    // The report is the output.
    live.events.path.clear();
    live.flow_records.path.clear();
    auto log = LiveLog::open(live.log);
    if (!log) {
        return std::unexpected(std::move(log.error()));
    }
    auto run =
        LiveRun::open(live, *log, {}, std::make_unique<LiveFirewall>(live, options, log->logger()));
    if (!run) {
        return std::unexpected(std::move(run.error()));
    }
    return (*run)->run();
}

}  // namespace tw::app
