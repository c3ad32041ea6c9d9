// SPDX-License-Identifier: BSD-3-Clause
#include "app/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>

namespace tw::app {

void say(std::string_view text) {
    const std::string line = "tapwitness: " + sinks::format::printable(text) + "\n";
    // Nobody is left to tell if this fails.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

sinks::format::PageStyle terminal_style(int fd) {
    if (::isatty(fd) == 0) {
        return {};
    }
    const char* no_color = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    const bool plain = (no_color != nullptr && *no_color != '\0') ||
                       (term != nullptr && std::string_view(term) == "dumb");
    winsize size{};
    const bool known = ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
    return {.colour = !plain, .width = known ? size.ws_col : std::size_t{80}};
}

// The environment says what the terminal expects; setlocale() would say what this host has
// installed.
bool speaks_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* value = std::getenv(name);
        if (value == nullptr || *value == '\0') {
            continue;
        }
        std::string locale(value);
        std::transform(locale.begin(), locale.end(), locale.begin(),
                       [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        return locale.find("UTF-8") != std::string::npos ||
               locale.find("UTF8") != std::string::npos;
    }
    return false;
}

}  // namespace tw::app
