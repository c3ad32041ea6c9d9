// SPDX-License-Identifier: BSD-3-Clause
// The JSON report of an earlier run, as far as a later one is compared with it. JSON is YAML, so
// the parser of the configuration reads it.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "firewall/differences.hpp"

namespace tw::config {

[[nodiscard]] std::expected<firewall::EarlierReport, Error> load_earlier_report(
    const std::string& path);
// `name` stands for the file in messages.
[[nodiscard]] std::expected<firewall::EarlierReport, Error> parse_earlier_report(
    std::string_view text, const std::string& name);

}  // namespace tw::config
