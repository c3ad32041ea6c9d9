// SPDX-License-Identifier: BSD-3-Clause
// The keys of a firewall validation -> firewall::Policy: names are looked up, addresses and ports
// read, rules compared with each other. Everything wrong is said with its place.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "config/config.hpp"
#include "firewall/policy.hpp"

namespace tw::config {

struct Mistake {
    Place place;
    Error error;
};

struct BuiltPolicy {
    firewall::Policy policy;            // of use only without mistakes
    std::vector<Mistake> mistakes;      // in the order they were found
    std::vector<std::string> warnings;  // a rule that an earlier one covers wholly
};

[[nodiscard]] BuiltPolicy build_policy(const Config& config);

}  // namespace tw::config
