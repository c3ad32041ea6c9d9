// SPDX-License-Identifier: BSD-3-Clause
// The drawings of the HTML report, as SVG within the page: colours are classes of its style sheet
// (firewall_html_style), so that they follow light, dark and print.
#pragma once

#include "firewall/report.hpp"
#include "sinks/format/html.hpp"

namespace tw::sinks {

// Two rails, outside left and inside right, one line per sighting in order of time; an arrow joins
// the two of a packet. Nothing without an excerpt.
void write_ladder_svg(format::Html& html, const firewall::Evidence& evidence);

// One panel for each way, setup and data, over one logarithmic axis of time.
void write_latency_svg(format::Html& html, const firewall::Report& report);

}  // namespace tw::sinks
