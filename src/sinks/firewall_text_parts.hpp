// SPDX-License-Identifier: BSD-3-Clause
// The parts of firewall_text, each of which writes itself or nothing.
#pragma once

#include <string_view>

#include "firewall/report.hpp"
#include "sinks/format/page.hpp"

namespace tw::sinks {

void write_firewall_policy(format::Page& page, const firewall::Report& report);
void write_firewall_findings(format::Page& page, const firewall::Report& report,
                             const format::PageStyle& style);
void write_firewall_learnt(format::Page& page, const firewall::Report& report);

// "Label      text", wrapped under its text.
void write_labelled(format::Page& page, std::string_view label, std::string_view text,
                    format::Tone tone = format::Tone::plain);

}  // namespace tw::sinks
