// SPDX-License-Identifier: BSD-3-Clause
// Whether bytes from the outside are UTF-8: names of files and devices may be anything, JSON and
// XML may not.
#pragma once

#include <cstddef>
#include <string_view>

namespace tw::sinks::format {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

// Bytes of the well-formed sequence at `at` (Unicode 15, table 3-7), 0 if it is not one.
[[nodiscard]] std::size_t utf8_bytes(std::string_view text, std::size_t at);

}  // namespace tw::sinks::format
