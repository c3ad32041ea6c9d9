// SPDX-License-Identifier: BSD-3-Clause
// The known word closest to one that was mistyped, for "did you mean".
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace tw {

// Nothing if no word is near: more than a third of its letters would have to change.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view typed,
                                                      std::span<const std::string_view> known);

}  // namespace tw
