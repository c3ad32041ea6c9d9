// SPDX-License-Identifier: BSD-3-Clause
// The parts of firewall_html, each of which writes its section or nothing.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "firewall/report.hpp"
#include "sinks/format/html.hpp"

namespace tw::sinks {

// More than anybody reads: what lies beyond is counted on the page and is in the JSON report.
inline constexpr std::size_t kHtmlRowsMax = 500;
inline constexpr std::size_t kHtmlLaddersMax = 150;

// The style sheet, colours of the drawings included.
[[nodiscard]] std::string_view firewall_html_style();

void write_html_policy(format::Html& html, const firewall::Report& report);
void write_html_findings(format::Html& html, const firewall::Report& report);
void write_html_learnt(format::Html& html, const firewall::Report& report);

// A section with its heading; end with "</section>".
void begin_section(format::Html& html, std::string_view id, std::string_view heading);
// A table that scrolls by itself where it is too wide. A heading that begins with '>' is of a
// column of numbers; end with end_table().
void begin_table(format::Html& html, std::string_view caption,
                 std::initializer_list<std::string_view> headings);
void end_table(format::Html& html);
// "and 12 more in the JSON report", where `count` is beyond `max`.
void write_left_out(format::Html& html, std::size_t count, std::size_t max);

}  // namespace tw::sinks
