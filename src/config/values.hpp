// SPDX-License-Identifier: BSD-3-Clause
// Single values as people write them in YAML, both ways: durations and sizes carry units, numbers
// may be grouped (1_000_000). Every parser takes the whole text or nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace tw::config {

[[nodiscard]] std::optional<std::uint64_t> parse_integer(std::string_view text);
// "50ms"; units ns us ms s m h d; "0" needs none. No sign, no fraction.
[[nodiscard]] std::optional<Nanos> parse_duration(std::string_view text);
[[nodiscard]] std::optional<bool> parse_boolean(std::string_view text);
// "99.99%" -> 0.9999; 0 to 100, at most six digits behind the point.
[[nodiscard]] std::optional<double> parse_percent(std::string_view text);

// The largest unit that leaves a whole number.
[[nodiscard]] std::string format_duration(Nanos duration);
[[nodiscard]] std::string format_size(std::uint64_t bytes);
[[nodiscard]] std::string format_percent(double share);
// As a YAML scalar: plain where that is safe, in double quotes with escapes otherwise.
[[nodiscard]] std::string format_text(std::string_view text);

// For a line of an error message: at most 60 bytes, control characters escaped.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace tw::config
