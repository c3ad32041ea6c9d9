// SPDX-License-Identifier: BSD-3-Clause
// The quality clauses of a rule against what was measured. Where the measurement leaves both
// answers open, the result is INCONCLUSIVE: a clause passes only if it holds whatever was not seen.
#pragma once

#include <span>
#include <vector>

#include "firewall/policy.hpp"
#include "firewall/policy_tally.hpp"
#include "firewall/report.hpp"

namespace tw::firewall {

[[nodiscard]] std::vector<LimitRow> limit_rows(const Limits& limits, const Tally& tally,
                                               std::span<const Latency> latencies, Trust trust);

}  // namespace tw::firewall
