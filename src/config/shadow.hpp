// SPDX-License-Identifier: BSD-3-Clause
// Rules that can never be the first to match, since one earlier rule covers all they name. Several
// rules, or several networks, that only together cover it are not found.
#pragma once

#include <cstddef>
#include <vector>

#include "firewall/policy.hpp"

namespace tw::config {

struct Shadow {
    std::size_t rule = 0;  // indexes into Policy::rules
    std::size_t by = 0;
};

[[nodiscard]] std::vector<Shadow> shadowed_rules(const firewall::Policy& policy);

}  // namespace tw::config
