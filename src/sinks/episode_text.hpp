// SPDX-License-Identifier: BSD-3-Clause
// One episode as one line for people: who, which bytes, how it ended, where to look. Facts only.
#pragma once

#include <string>
#include <string_view>

#include "base/time.hpp"
#include "core/event/event.hpp"

namespace tw::sinks {

// "s2c 93.184.216.34:80 -> 10.0.0.5:51000: 1,010 bytes [1..1011) never seen and never acknowledged;
// first noticed in frame 6". Sequence numbers are relative where the base is known.
[[nodiscard]] std::string episode_text(const event::Event& event);

// How holes and repeats can end, in words for a table.
[[nodiscard]] std::string_view hole_words(event::Resolution resolution);
[[nodiscard]] std::string_view repeat_words(event::Resolution resolution);

}  // namespace tw::sinks
