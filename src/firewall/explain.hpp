// SPDX-License-Identifier: BSD-3-Clause
// What the cases of one conversation say of each other: the loss that an ICMP error or a reset
// answers, what a side that was never told goes on sending, what a proxy does to packets.
#pragma once

#include <span>
#include <vector>

#include "firewall/classify.hpp"

namespace tw::firewall {

// After a packet, so late may the answer to it leave that the firewall gives.
inline constexpr Nanos kAnswerTime = kSecond;

void explain_within_conversations(const Cases& cases, std::vector<Told>& told);

}  // namespace tw::firewall
