// SPDX-License-Identifier: BSD-3-Clause
// What the operator's word on the firewall's own addresses adds to a fact: an ICMP error or a reset
// that left from one of them, and was not seen to enter, is the firewall's beyond doubt; nobody
// else could have sent it to the tap.
#pragma once

#include "core/taps/fact.hpp"
#include "firewall/policy.hpp"

namespace tw::firewall {

[[nodiscard]] taps::Fact attributed(const Policy& policy, taps::Fact fact);

}  // namespace tw::firewall
