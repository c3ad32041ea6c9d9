// SPDX-License-Identifier: BSD-3-Clause
// The run in numbers: connections, what passed, what was lost outside the taps, and how many
// connections were open at one time.
#pragma once

#include <span>

#include "core/taps/conversation.hpp"
#include "firewall/report.hpp"

namespace tw::firewall {

// All but facts and limits_reached.
[[nodiscard]] Totals totals_of(std::span<const taps::Conversation> conversations);

// Most connections open at one moment; `conversations` in the order of their first packet.
[[nodiscard]] std::uint64_t most_at_once(std::span<const taps::Conversation> conversations);

}  // namespace tw::firewall
