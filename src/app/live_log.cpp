// SPDX-License-Identifier: BSD-3-Clause
#include "app/live_log.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <utility>

namespace tw::app {
namespace {

constexpr const char* kPattern = "%Y-%m-%d %H:%M:%S.%e %^%l%$ %v";

[[nodiscard]] spdlog::level::level_enum level_of(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::debug:
            return spdlog::level::debug;
        case config::LogLevel::info:
            return spdlog::level::info;
        case config::LogLevel::warning:
            return spdlog::level::warn;
        case config::LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

}  // namespace

LiveLog::LiveLog()
    : sink_(std::make_shared<spdlog::sinks::dist_sink_mt>()),
      logger_(std::make_shared<spdlog::logger>("tapwitness", sink_)) {
    logger_->flush_on(spdlog::level::info);
}

std::expected<LiveLog, Error> LiveLog::open(const config::Log& log) {
    auto sink = prepare(log);
    if (!sink) {
        return std::unexpected(std::move(sink.error()));
    }
    LiveLog opened;
    opened.apply(log, std::move(*sink));
    return opened;
}

std::expected<spdlog::sink_ptr, Error> LiveLog::prepare(const config::Log& log) {
    spdlog::sink_ptr sink;
    if (log.path.empty() || log.path == "-") {
        sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    } else {
        try {
            sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(log.path);
        } catch (const spdlog::spdlog_ex& error) {
            return std::unexpected(Error{fmt::format("log.path: {}", error.what())});
        }
    }
    sink->set_pattern(kPattern);
    return sink;
}

void LiveLog::apply(const config::Log& log, spdlog::sink_ptr sink) {
    sink_->set_sinks({std::move(sink)});
    logger_->set_level(level_of(log.level));
}

}  // namespace tw::app
