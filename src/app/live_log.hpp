// SPDX-License-Identifier: BSD-3-Clause
// The log of a live run: standard error or a file, never standard output, which belongs to the
// events.
#pragma once

#include <expected>
#include <memory>

#include "base/error.hpp"
#include "config/config.hpp"

namespace spdlog {
class logger;
}

namespace tw::app {

[[nodiscard]] std::expected<std::shared_ptr<spdlog::logger>, Error> open_log(
    const config::Log& log);

}  // namespace tw::app
