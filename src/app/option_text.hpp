// SPDX-License-Identifier: BSD-3-Clause
// Values of command line options that also exist as YAML keys: the row of the option table parses
// them and says what is allowed, so that both spellings can never differ.
#pragma once

#include <expected>
#include <string_view>

#include "base/error.hpp"
#include "config/config.hpp"

namespace tw::app {

// Sets the key `path` of `config` from `value`; a list is separated by commas. `option` is what the
// operator typed, for the error: "--direction-skew: 5 is not allowed; allowed: 0..10s".
[[nodiscard]] std::expected<void, Error> set_option(config::Config& config, std::string_view path,
                                                    std::string_view option,
                                                    std::string_view value);

// "embryonic=5s,established=300s": any of the timeouts; the others keep their default.
[[nodiscard]] std::expected<void, Error> set_timeouts(config::Config& config,
                                                      std::string_view value);

}  // namespace tw::app
