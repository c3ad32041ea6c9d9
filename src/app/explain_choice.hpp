// SPDX-License-Identifier: BSD-3-Clause
// Which connection is to be explained: parses what the operator typed, and says how well a
// connection fits, so that near misses can be offered.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "core/flow/key.hpp"

namespace tw::app {

struct EndChoice {
    flow::Endpoint endpoint;  // port 0 if none was given
    bool port_given = false;
};

// Two ends in any order.
struct FlowChoice {
    std::array<EndChoice, 2> ends;

    // How much of the addresses and ports of `a` and `b` agrees, the better way round; 0 = nothing.
    [[nodiscard]] int agreement(const flow::Endpoint& a, const flow::Endpoint& b) const;
    [[nodiscard]] bool matches(const flow::Endpoint& a, const flow::Endpoint& b) const;
};

// "10.0.0.5:51000-93.184.216.34:80", "[2001:db8::1]:51000-[2001:db8::2]:443", the ports optional;
// also with -> or -- between them, as `read` prints it.
[[nodiscard]] std::expected<FlowChoice, Error> parse_flow(std::string_view text);

}  // namespace tw::app
