// SPDX-License-Identifier: BSD-3-Clause
// What the drops have in common and the packets that passed have not: the best single predicate,
// with precision and recall. Passed packets are known as sums (Passage) and by conversation.
#pragma once

#include "firewall/study.hpp"

namespace tw::firewall {

// The best first; empty where there are too few drops or nothing sets them apart.
void explain_drops(const Study& study, Lessons& lessons);

}  // namespace tw::firewall
