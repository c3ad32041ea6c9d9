// SPDX-License-Identifier: BSD-3-Clause
// The keys of a firewall validation as the file writes them: names are still words, addresses still
// text. policy.hpp makes a firewall::Policy of them once all are read.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "firewall/policy.hpp"

namespace tw::config {

// An entry of `networks` or `services`.
struct Named {
    std::string name;
    std::vector<std::string> values;
};

struct Translation {
    std::string inside;
    std::string outside;
};

// One entry of `policy` or `default`.
struct RuleKeys {
    std::string name;
    std::string from = "outside";
    std::string to;  // "": the other side
    std::vector<std::string> source;
    std::vector<std::string> destination;
    std::vector<std::string> service;
    firewall::Expect expect = firewall::Expect::pass;
    firewall::With with = firewall::With::any;
    bool report_only = false;
    firewall::Limits limits;
};

struct FirewallKeys {
    std::string name;
    firewall::Mode mode = firewall::Mode::routed;
    std::array<std::string, taps::kSides> tap{"outside", "inside"};  // index: Side; names of taps
    std::vector<std::string> addresses;
    std::vector<Translation> nat;
    std::uint32_t expect_rewrites = 0;  // bits by taps::Rewrite
    std::uint32_t connections_max = 262'144;
    Nanos transit_max = kSecond;
    Nanos idle_max = 7500 * kSecond;
    std::vector<Named> networks;
    std::vector<Named> services;
    std::vector<RuleKeys> policy;
    std::vector<RuleKeys> defaults;
    std::vector<std::string> require_seen;
    std::uint32_t connections_min = 1;
    std::uint8_t fail_on = firewall::kFailOnDefault;
};

// What is written of a report, and where. A path of its own wins over `formats`, the command line
// over both. "" = not written, "-" = standard output.
struct ReportKeys {
    enum class Format : std::uint8_t {
        text = 1U << 0,
        json = 1U << 1,
        junit = 1U << 2,
        html = 1U << 3,
        pcapng = 1U << 4,
    };

    std::uint8_t formats = 0;  // each as firewall.EXTENSION in `dir`
    std::string dir = ".";
    std::string text;
    std::string json;
    std::string junit;
    std::string html;
    std::string pcapng;
    std::string events;

    // Where this format goes: "" = it is not asked for.
    [[nodiscard]] std::string path(Format format) const;
};

}  // namespace tw::config
