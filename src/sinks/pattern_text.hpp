// SPDX-License-Identifier: BSD-3-Clause
#pragma once
#include <string>
#include "core/verdict/patterns.hpp"
namespace tw::sinks {
inline std::string pattern_text(const verdict::Pattern& pattern) {
    return std::to_string(pattern.matching);
}
}  // namespace tw::sinks
