// SPDX-License-Identifier: BSD-3-Clause
// The tool's version as meson.build states it; outputs carry it in their first line.
#pragma once

#include <string_view>

namespace tw::sinks {

[[nodiscard]] std::string_view version();

}  // namespace tw::sinks
