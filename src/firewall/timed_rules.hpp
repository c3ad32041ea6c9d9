// SPDX-License-Identifier: BSD-3-Clause
// Rules that limit the time a packet takes: the engine keeps their packets' times by themselves, as
// many rules as it has room for. Those beyond are judged by what all traffic lets conclude.
#pragma once

#include <cstdint>
#include <vector>

#include "core/taps/engine.hpp"
#include "firewall/policy.hpp"

namespace tw::firewall {

// The class of each row of the report, rules before defaults; 0 = none.
[[nodiscard]] std::vector<std::uint8_t> timed_classes(const Policy& policy);

// Outlives the engine that asks it; the policy outlives both.
class TimedRules final : public taps::TimedClasses {
  public:
    explicit TimedRules(const Policy& policy)
        : policy_(policy), class_of_row_(timed_classes(policy)) {}

    [[nodiscard]] std::uint8_t class_of(const taps::Conversation& record) const override;

  private:
    const Policy& policy_;
    std::vector<std::uint8_t> class_of_row_;
};

}  // namespace tw::firewall
