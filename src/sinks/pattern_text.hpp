// SPDX-License-Identifier: BSD-3-Clause
// A pattern in one sentence for people, made of its numbers.
#pragma once

#include <string>

#include "core/verdict/pattern.hpp"
#include "core/verdict/services.hpp"

namespace tw::sinks {

// "all 212 losses from 10.0.0.9:443 to its clients and no delivered segment were longer than 1,400
// bytes: …"
[[nodiscard]] std::string pattern_text(const verdict::Pattern& pattern);
// "7 of 40 conversations with 10.0.0.9:80 hung; all 7 lost bytes of the server before the tap, …"
[[nodiscard]] std::string service_text(const verdict::Service& service);

}  // namespace tw::sinks
