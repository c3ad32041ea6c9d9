// SPDX-License-Identifier: BSD-3-Clause
// Appends HTML, SVG within it included. What goes into text() and element() can never become
// markup, whatever it is made of; what goes into raw() is the program's own.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace tw::sinks::format {

class Html {
  public:
    void raw(std::string_view markup) { out_ += markup; }
    // Escaped; control characters made visible.
    void text(std::string_view text);
    // element("p class=\"note\"", "a < b"): the tag with its attributes, which are the program's
    // own, the text, and its end.
    void element(std::string_view tag, std::string_view text);

    [[nodiscard]] std::string take() { return std::exchange(out_, {}); }

  private:
    std::string out_;
};

}  // namespace tw::sinks::format
