// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/timed_rules.hpp"

#include "core/taps/passage.hpp"
#include "firewall/policy_match.hpp"

namespace tw::firewall {

std::vector<std::uint8_t> timed_classes(const Policy& policy) {
    std::vector<std::uint8_t> classes;
    std::uint8_t used = 0;
    for (const auto* rules : {&policy.rules, &policy.defaults}) {
        for (const Rule& rule : *rules) {
            const bool timed = rule.limits.asks_times() && used < taps::Passage::kTimedClasses;
            classes.push_back(timed ? ++used : std::uint8_t{0});
        }
    }
    return classes;
}

std::uint8_t TimedRules::class_of(const taps::Conversation& record) const {
    const auto matched = match_rule(policy_, record);
    return matched ? class_of_row_[matched->row] : std::uint8_t{0};
}

}  // namespace tw::firewall
