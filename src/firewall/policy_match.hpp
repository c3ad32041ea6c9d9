// SPDX-License-Identifier: BSD-3-Clause
// Which rule of a policy a connection falls under: the first that fits, else the default of its
// direction. The source is the client as the tap on its own side sees it; the destination and its
// port are the server as either tap sees it, or as a NAT hint translates it, so that a rule may
// name a translated server by its inside address or by the one clients use.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/flow/key.hpp"
#include "core/taps/conversation.hpp"
#include "core/taps/fact.hpp"
#include "core/taps/side.hpp"
#include "firewall/policy.hpp"

namespace tw::firewall {

struct Matched {
    const Rule* rule = nullptr;
    bool is_default = false;
    std::uint32_t row = 0;  // of Report::policy: the rules, then the defaults
};

// A connection as both taps name it; port 0 = not seen at that tap.
using Endpoints = std::array<flow::Endpoint, taps::kSides>;

[[nodiscard]] std::optional<Matched> match_rule(const Policy& policy, const Endpoints& client,
                                                const Endpoints& server, taps::Side client_side);
[[nodiscard]] std::optional<Matched> match_rule(const Policy& policy,
                                                const taps::Conversation& conversation);
[[nodiscard]] std::optional<Matched> match_rule(const Policy& policy, const taps::Fact& fact);

}  // namespace tw::firewall
