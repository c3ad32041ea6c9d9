// SPDX-License-Identifier: BSD-3-Clause
// A fact between two taps as JSON: the same words within a report (firewall_json.hpp) and as lines
// while it runs.
#pragma once

#include <string>
#include <string_view>

#include "core/taps/fact.hpp"
#include "firewall/investigation.hpp"
#include "sinks/format/json_writer.hpp"

namespace tw::sinks {

inline constexpr std::string_view kFirewallEventsSchema = "tapwitness/firewall-events/1";

// The first line of a file of notices, without its line feed.
[[nodiscard]] std::string firewall_notice_header();
// One notice, without its line feed.
[[nodiscard]] std::string firewall_notice_json(const firewall::Notice& notice);

// Members of the object that is open; `grade` as settled.
void write_fact(format::JsonWriter& json, const taps::Fact& fact, taps::Grade grade);
// "client" and "server" as {"address", "port"} at each tap that saw them: {"outside": …}.
void write_ends(format::JsonWriter& json, const std::array<flow::Endpoint, taps::kSides>& client,
                const std::array<flow::Endpoint, taps::kSides>& server, taps::Side client_side);
// "SYN,ACK"
[[nodiscard]] std::string flags_text(std::uint8_t flags);

}  // namespace tw::sinks
