// SPDX-License-Identifier: BSD-3-Clause
// The log of a live run: standard error or a file, one line each, time first. Level and file can
// change while other threads log.
#pragma once

#include <spdlog/logger.h>
#include <spdlog/sinks/dist_sink.h>

#include <expected>
#include <memory>

#include "base/error.hpp"
#include "config/config.hpp"

namespace tw::app {

class LiveLog {
  public:
    [[nodiscard]] static std::expected<LiveLog, Error> open(const config::Log& log);

    [[nodiscard]] spdlog::logger& logger() const { return *logger_; }

    // A reload in two steps: open the file (anew: it may have been moved away), then use it.
    [[nodiscard]] static std::expected<spdlog::sink_ptr, Error> prepare(const config::Log& log);
    void apply(const config::Log& log, spdlog::sink_ptr sink);

  private:
    LiveLog();

    // Holds the one sink in use, which it can exchange under its lock.
    std::shared_ptr<spdlog::sinks::dist_sink_mt> sink_;
    std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace tw::app
