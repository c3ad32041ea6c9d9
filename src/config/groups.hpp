// SPDX-License-Identifier: BSD-3-Clause
// The keys whose elements the file itself counts or names: ports, taps, networks, rules. One table
// says how a Config makes room for them and which Target an element's rows write to; reading,
// printing and comparing walk it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "config/options.hpp"

namespace tw::config {

struct Group {
    std::string_view pattern;  // "ports[]": a list; "taps.*": names
    std::string_view noun;     // what its elements are: "ports", "names of taps"
    std::size_t max = 0;
    // Room for so many elements of a list or of an ordered list of names.
    void (*resize)(Config& config, std::size_t count) = nullptr;
    std::size_t (*count)(const Config& config) = nullptr;
    std::string (*name)(const Config& config, std::size_t index) = nullptr;  // "" in a list
    Target (*element)(Config& config, std::size_t index, const std::string& name) = nullptr;

    [[nodiscard]] bool is_list() const { return pattern.ends_with("[]"); }
    // "ports" of "ports[]", "firewall.nat" of "firewall.nat[]"
    [[nodiscard]] std::string_view key() const { return pattern.substr(0, pattern.size() - 2); }
};

[[nodiscard]] std::span<const Group> group_table();
// The group a row's path belongs to: "ports[].device", "networks.*". nullptr = none.
[[nodiscard]] const Group* group_of(std::string_view path);

}  // namespace tw::config
