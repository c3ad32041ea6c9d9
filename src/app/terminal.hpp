// SPDX-License-Identifier: BSD-3-Clause
// How the program speaks to the operator: one line per message on standard error, and colour and
// width where there is a terminal to show them.
#pragma once

#include <string_view>

#include "sinks/format/page.hpp"

namespace tw::app {

// "tapwitness: TEXT" on standard error; control characters in it are made visible.
void say(std::string_view text);

// Colour only on a terminal, and not with NO_COLOR (no-color.org) or TERM=dumb; its width.
[[nodiscard]] sinks::format::PageStyle terminal_style(int fd);

// Whether the locale says so: LC_ALL, else LC_CTYPE, else LANG.
[[nodiscard]] bool speaks_utf8();

}  // namespace tw::app
