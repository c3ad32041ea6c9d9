// SPDX-License-Identifier: BSD-3-Clause
// Where a live run's events and flow records go once they are settled; a full disk or a reader that
// sleeps never holds up the control thread. What cannot be written stays where it is, at last in
// the workers' outboxes, whose overflow they count; trouble and its end are said once each.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "core/verdict/settler.hpp"
#include "sinks/json_lines.hpp"

namespace spdlog {
class logger;
}

namespace tw::app {

class LiveOutputs {
  public:
    // `patience`: endless where frames can wait (capture files), else none.
    LiveOutputs(const std::vector<std::string>& taps, sinks::Patience patience,
                spdlog::logger& logger);

    // Writes the first line of each, so that a full disk is known at once.
    [[nodiscard]] std::expected<void, Error> open(const config::Config& config);
    // False if there was nothing, or nothing could be taken.
    bool drain(verdict::Settler& settler);
    void flush(Nanos now);
    // There are outputs, and the readers of all of them went away.
    [[nodiscard]] bool nobody_reads() const;

    // A reload in two steps: first everything that can be refused, then what cannot fail. A file
    // that was moved away is opened anew.
    struct Change {
        std::optional<sinks::OpenFile> events;  // nothing = stays as it is
        std::optional<sinks::OpenFile> flows;
        bool close_events = false;
        bool close_flows = false;
    };
    [[nodiscard]] std::expected<Change, Error> prepare(const config::Config& next);
    // Names of the files begun anew.
    std::vector<std::string> apply(Change change);

    // The capture is over: from here on a reader that is only slow is waited for.
    void set_patience(sinks::Patience patience);
    // Writes the rest. `lost_in_ring` says how many events and records the workers dropped.
    [[nodiscard]] ExitCode finish(std::uint64_t lost_in_ring);

  private:
    struct Trouble {
        bool now = false;
        bool failed_once = false;  // the environment's fault, not a slow reader's
        Nanos since = 0;
    };
    void watch(sinks::OutputFile& file, Trouble& trouble, Nanos now);
    [[nodiscard]] std::uint64_t say_lost(const sinks::OutputFile& file) const;

    spdlog::logger& logger_;
    sinks::EventLines events_;
    sinks::FlowLines flows_;
    Trouble events_trouble_;
    Trouble flows_trouble_;
};

}  // namespace tw::app
