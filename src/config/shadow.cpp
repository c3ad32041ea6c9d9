// SPDX-License-Identifier: BSD-3-Clause
#include "config/shadow.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

#include "config/addresses.hpp"

namespace tw::config {
namespace {

using firewall::Policy;
using firewall::PortRange;
using firewall::Prefix;
using firewall::Rule;

[[nodiscard]] std::vector<Prefix> prefixes_of(const Policy& policy,
                                              std::span<const std::uint32_t> networks) {
    std::vector<Prefix> all;
    for (const std::uint32_t network : networks) {
        const auto& prefixes = policy.networks[network].prefixes;
        all.insert(all.end(), prefixes.begin(), prefixes.end());
    }
    return all;
}

// Sorted, and joined where they touch.
[[nodiscard]] std::vector<PortRange> ports_of(const Policy& policy, const Rule& rule) {
    std::vector<PortRange> all;
    for (const std::uint32_t service : rule.services) {
        const auto& ports = policy.services[service].ports;
        all.insert(all.end(), ports.begin(), ports.end());
    }
    std::sort(all.begin(), all.end(),
              [](const PortRange& a, const PortRange& b) { return a.low < b.low; });
    std::vector<PortRange> joined;
    for (const PortRange& range : all) {
        if (!joined.empty() && range.low <= joined.back().high + 1) {
            joined.back().high = std::max(joined.back().high, range.high);
        } else {
            joined.push_back(range);
        }
    }
    return joined;
}

[[nodiscard]] bool addresses_covered(const Policy& policy, std::span<const std::uint32_t> outer,
                                     std::span<const std::uint32_t> inner) {
    if (outer.empty()) {
        return true;
    }
    // Any address is every address of both families.
    const auto wanted = inner.empty() ? std::vector<Prefix>{{{}, 0, false}, {{}, 0, true}}
                                      : prefixes_of(policy, inner);
    const auto known = prefixes_of(policy, outer);
    return std::all_of(wanted.begin(), wanted.end(), [&](const Prefix& prefix) {
        return std::any_of(known.begin(), known.end(),
                           [&](const Prefix& each) { return covers(each, prefix); });
    });
}

[[nodiscard]] bool ports_covered(const Policy& policy, const Rule& outer, const Rule& inner) {
    if (outer.services.empty()) {
        return true;
    }
    const auto wanted =
        inner.services.empty() ? std::vector<PortRange>{{1, 65'535}} : ports_of(policy, inner);
    const auto known = ports_of(policy, outer);
    return std::all_of(wanted.begin(), wanted.end(), [&](const PortRange& range) {
        return std::any_of(known.begin(), known.end(), [&](const PortRange& each) {
            return each.low <= range.low && range.high <= each.high;
        });
    });
}

}  // namespace

std::vector<Shadow> shadowed_rules(const Policy& policy) {
    std::vector<Shadow> shadows;
    for (std::size_t i = 0; i < policy.rules.size(); ++i) {
        const Rule& rule = policy.rules[i];
        for (std::size_t k = 0; k < i; ++k) {
            const Rule& earlier = policy.rules[k];
            if (earlier.from == rule.from &&
                addresses_covered(policy, earlier.sources, rule.sources) &&
                addresses_covered(policy, earlier.destinations, rule.destinations) &&
                ports_covered(policy, earlier, rule)) {
                shadows.push_back({i, k});
                break;
            }
        }
    }
    return shadows;
}

}  // namespace tw::config
