// SPDX-License-Identifier: BSD-3-Clause
// XML 1.0 text: escapes for elements and attributes alike, and nothing that XML cannot hold.
#pragma once

#include <string>
#include <string_view>

namespace tw::sinks::format {

// Appends `text` fit for an element or a quoted attribute. Line feeds and tabs stay in elements and
// become references in attributes, where a parser would turn them into blanks; control characters
// that XML 1.0 forbids, and bytes that are not UTF-8, become U+FFFD.
void append_xml_escaped(std::string& out, std::string_view text, bool attribute);

}  // namespace tw::sinks::format
