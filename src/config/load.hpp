// SPDX-License-Identifier: BSD-3-Clause
// YAML -> Config. Reports every mistake found (at most kErrorsMax), each as one line
// "file:line:column: key: value is not allowed; allowed: ...". A returned Config also satisfies the
// rules across keys (validate.hpp); what depends on the host is left to `check` and `run`.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "config/config.hpp"
#include "config/validate.hpp"

namespace tw::config {

inline constexpr std::size_t kErrorsMax = 20;
inline constexpr std::size_t kFileBytesMax = 1U << 20U;

using Loaded = std::expected<Config, std::vector<Error>>;

[[nodiscard]] Loaded load(const std::string& path, Use use = Use::run);
// `name` stands for the file in messages.
[[nodiscard]] Loaded load_text(std::string_view text, const std::string& name, Use use = Use::run);

}  // namespace tw::config
