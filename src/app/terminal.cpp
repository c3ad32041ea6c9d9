// SPDX-License-Identifier: BSD-3-Clause
#include "app/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

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

}  // namespace tw::app
