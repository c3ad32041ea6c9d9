// SPDX-License-Identifier: BSD-3-Clause
// What a live run does when it watches a firewall: which tap is which side, conclusions as they
// come, the report at the end. Control thread only; the engines run in the workers.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/firewall_live.hpp"
#include "app/firewall_outputs.hpp"
#include "app/live_report.hpp"
#include "app/live_worker.hpp"
#include "base/error.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "core/event/capture_marks.hpp"
#include "core/taps/engine.hpp"
#include "firewall/investigation.hpp"
#include "firewall/timed_rules.hpp"

namespace spdlog {
class logger;
}

namespace tw::app {

class LiveFirewall {
  public:
    using Workers = std::vector<std::unique_ptr<LiveWorker>>;

    LiveFirewall(const config::Config& config, const LiveFirewallOptions& options,
                 spdlog::logger& logger);

    // `taps`: the run's, by index. The error says which is missing.
    [[nodiscard]] std::expected<void, Error> find_taps(const std::vector<std::string>& taps);
    [[nodiscard]] taps::EngineOptions engine_options() const;
    // Frames of each worker to be kept for the bundle; 0 = none.
    [[nodiscard]] std::uint32_t frames_kept() const;
    // Last, so that no mistake elsewhere truncates a file.
    [[nodiscard]] std::expected<void, Error> open_outputs(sinks::Patience patience);

    [[nodiscard]] bool time_is_up(Nanos elapsed) const {
        return options_.duration && elapsed >= *options_.duration;
    }
    // What the workers have told. `now`: time of the wire, 0 = not known.
    bool drain(Workers& workers, Nanos now);
    void add(const event::CaptureMark& mark);
    void flush() { outputs_.flush_events(); }
    // The capture is over: from here on a reader that is only slow is waited for.
    void set_patience(sinks::Patience patience) { outputs_.set_patience(patience); }
    // Once every worker has told everything.
    [[nodiscard]] ExitCode finish(Workers& workers, const LiveTotals& totals);

  private:
    void keep_frames(const taps::Excerpt& excerpt, const Workers& workers);
    void add_hand_over_losses(const Workers& workers, Nanos now);
    [[nodiscard]] firewall::Confidence confidence(const Workers& workers,
                                                  const LiveTotals& totals) const;
    [[nodiscard]] std::expected<void, Error> write_bundle(firewall::Report& report);

    LiveFirewallOptions options_;
    firewall::Policy policy_;
    firewall::TimedRules timed_rules_;
    std::array<std::string, taps::kSides> tap_names_;
    std::array<std::string, taps::kSides> devices_;  // of each tap, for people
    std::array<std::uint8_t, taps::kSides> tap_of_side_{};
    spdlog::logger& logger_;
    firewall::Investigation investigation_;
    FirewallOutputs outputs_;
    // Frames of the excerpts that came, in the order of time once sorted; bounded.
    std::vector<StoredFrame> kept_;
    Nanos last_drain_ = 0;
    std::uint64_t hand_over_lost_ = 0;  // packets, as far as known
    std::uint64_t kept_too_late_ = 0;   // overwritten before the verdict came
};

}  // namespace tw::app
