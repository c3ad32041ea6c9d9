// SPDX-License-Identifier: BSD-3-Clause
#include "config/groups.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace tw::config {
namespace {

constexpr std::size_t kPortsMax = 32;  // RTE_MAX_ETHPORTS of Debian's DPDK
constexpr std::size_t kRulesMax = 256;
constexpr std::size_t kNamesMax = 1024;

[[nodiscard]] std::string no_name(const Config&, std::size_t) {
    return {};
}

// A list of FirewallKeys, by its member there.
template <auto Member>
void resize(Config& config, std::size_t count) {
    (config.firewall.*Member).resize(count);
}

template <auto Member>
[[nodiscard]] std::size_t count(const Config& config) {
    return (config.firewall.*Member).size();
}

template <auto Member>
[[nodiscard]] std::string name(const Config& config, std::size_t index) {
    return (config.firewall.*Member)[index].name;
}

template <auto Member>
[[nodiscard]] Target rule(Config& config, std::size_t index, const std::string&) {
    return {.config = &config, .rule = &(config.firewall.*Member)[index]};
}

template <auto Member>
[[nodiscard]] Target named(Config& config, std::size_t index, const std::string& name) {
    Named& element = (config.firewall.*Member)[index];
    element.name = name;
    return {.config = &config, .named = &element};
}

using Keys = FirewallKeys;

constexpr std::array<Group, 7> kGroups{{
    {"ports[]", "ports", kPortsMax,
     [](Config& config, std::size_t count) { config.ports.resize(count); },
     [](const Config& config) { return config.ports.size(); }, no_name,
     [](Config& config, std::size_t index, const std::string&) {
         return Target{.config = &config, .port = &config.ports[index]};
     }},
    {"taps.*", "names of taps", kNamesMax, [](Config&, std::size_t) {},
     [](const Config& config) { return config.taps.size(); },
     [](const Config& config, std::size_t index) {
         return std::next(config.taps.begin(), static_cast<std::ptrdiff_t>(index))->first;
     },
     [](Config& config, std::size_t, const std::string& name) {
         return Target{.config = &config, .tap = &config.taps[name]};
     }},
    {"firewall.nat[]", "translations", kNamesMax, resize<&Keys::nat>, count<&Keys::nat>, no_name,
     [](Config& config, std::size_t index, const std::string&) {
         return Target{.config = &config, .translation = &config.firewall.nat[index]};
     }},
    {"networks.*", "names of networks", kNamesMax, resize<&Keys::networks>, count<&Keys::networks>,
     name<&Keys::networks>, named<&Keys::networks>},
    {"services.*", "names of services", kNamesMax, resize<&Keys::services>, count<&Keys::services>,
     name<&Keys::services>, named<&Keys::services>},
    {"policy[]", "rules", kRulesMax, resize<&Keys::policy>, count<&Keys::policy>, no_name,
     rule<&Keys::policy>},
    {"default[]", "rules", 2, resize<&Keys::defaults>, count<&Keys::defaults>, no_name,
     rule<&Keys::defaults>},
}};

}  // namespace

std::span<const Group> group_table() {
    return kGroups;
}

const Group* group_of(std::string_view path) {
    const auto found = std::find_if(kGroups.begin(), kGroups.end(), [&](const Group& group) {
        return path.starts_with(group.pattern);
    });
    return found == kGroups.end() ? nullptr : &*found;
}

}  // namespace tw::config
