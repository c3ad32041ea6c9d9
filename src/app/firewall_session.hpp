// SPDX-License-Identifier: BSD-3-Clause
// `tapwitness firewall` on captures: estimates the clocks, sends both taps' frames through the
// engine, hands what it tells to the investigation, writes the report and the evidence bundle.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "app/firewall_outputs.hpp"
#include "app/progress.hpp"
#include "app/stop_signal.hpp"
#include "app/tap_clock.hpp"
#include "app/tap_files.hpp"
#include "base/error.hpp"
#include "core/stats/counters.hpp"
#include "core/taps/engine.hpp"
#include "firewall/differences.hpp"
#include "firewall/investigation.hpp"
#include "firewall/policy.hpp"
#include "firewall/timed_rules.hpp"

namespace tw::app {

struct FirewallInput {
    TapFilePair files;
    firewall::Policy policy;
    FirewallPaths outputs;
    std::optional<firewall::EarlierReport> compare;
    taps::EngineOptions engine;  // sides, hints and seed are the session's
    // The inside clock's lead as the operator gives it; absent: estimated.
    std::optional<Nanos> clock_offset;
    std::string command;  // as typed, for the report
    bool progress = true;
};

class FirewallSession {
  public:
    // Everything that can be refused is refused here.
    [[nodiscard]] static std::expected<std::unique_ptr<FirewallSession>, Error> open(
        const FirewallInput& input);
    [[nodiscard]] ExitCode run();

  private:
    explicit FirewallSession(const FirewallInput& input);

    [[nodiscard]] std::expected<void, Error> settle_clocks();
    [[nodiscard]] std::expected<void, Error> analyse();
    void drain();
    [[nodiscard]] firewall::Confidence confidence() const;
    [[nodiscard]] std::expected<void, Error> write_bundle(firewall::Report& report);
    void look(std::uint64_t bytes_read);

    FirewallInput input_;
    std::uint64_t bytes_total_ = 0;   // of all passes
    std::uint64_t bytes_before_ = 0;  // of the passes before this one
    ClockEstimate clocks_;
    std::unique_ptr<TapReader> reader_;
    stats::Counters counters_;
    std::optional<firewall::TimedRules> timed_rules_;
    std::unique_ptr<taps::Engine> engine_;
    std::unique_ptr<firewall::Investigation> investigation_;
    FirewallOutputs outputs_;
    bool interrupted_ = false;
    StopSignal stop_;
    ProgressLine progress_;
};

}  // namespace tw::app
