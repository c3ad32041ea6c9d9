// SPDX-License-Identifier: BSD-3-Clause
// The report about a firewall as one page to take to a meeting: a single HTML file without scripts
// and without anything from outside, for the screen and for paper. Says what the text report says,
// in its words, and draws the packets.
#pragma once

#include <string>

#include "firewall/report.hpp"

namespace tw::sinks {

[[nodiscard]] std::string firewall_html(const firewall::Report& report);

}  // namespace tw::sinks
