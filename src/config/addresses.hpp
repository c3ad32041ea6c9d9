// SPDX-License-Identifier: BSD-3-Clause
// Addresses, networks, ports and services as people write them in a policy. Every parser takes the
// whole text or says in a few words why not.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "core/flow/key.hpp"
#include "firewall/policy.hpp"

namespace tw::config {

// The reason follows the value in a message: "10.0.0.5/24 " + "has bits beyond /24; ...".
template <typename Value>
using Parsed = std::expected<Value, std::string>;

// "10.0.0.1", "2001:db8::1"; port 0.
[[nodiscard]] Parsed<flow::Endpoint> parse_address(std::string_view text);
// "10.0.0.1", "10.0.0.1:443", "2001:db8::1", "[2001:db8::1]:443".
[[nodiscard]] Parsed<flow::Endpoint> parse_endpoint(std::string_view text);
// "10.0.0.0/8", "2001:db8::/32", "10.0.0.1" (a host).
[[nodiscard]] Parsed<firewall::Prefix> parse_prefix(std::string_view text);
// "tcp/443", "tcp/8000-8099".
[[nodiscard]] Parsed<firewall::PortRange> parse_service(std::string_view text);

// Whether everything within `inner` is within `outer`. Networks that only together cover another
// are not seen to.
[[nodiscard]] bool covers(const firewall::Prefix& outer, const firewall::Prefix& inner);

}  // namespace tw::config
