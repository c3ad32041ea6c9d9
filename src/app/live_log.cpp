// SPDX-License-Identifier: BSD-3-Clause
#include "app/live_log.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

namespace tw::app {
namespace {

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

std::expected<std::shared_ptr<spdlog::logger>, Error> open_log(const config::Log& log) {
    std::shared_ptr<spdlog::logger> logger;
    if (log.path.empty() || log.path == "-") {
        logger = std::make_shared<spdlog::logger>(
            "tapwitness", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    } else {
        try {
            logger = std::make_shared<spdlog::logger>(
                "tapwitness", std::make_shared<spdlog::sinks::basic_file_sink_mt>(log.path));
        } catch (const spdlog::spdlog_ex& error) {
            return std::unexpected(Error{fmt::format("log.path: {}", error.what())});
        }
    }
    logger->set_level(level_of(log.level));
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
    logger->flush_on(spdlog::level::info);
    return logger;
}

}  // namespace tw::app
