// SPDX-License-Identifier: BSD-3-Clause
// The table of options: one row per YAML key. What people read about a key (list options,
// default.yaml), what the loader accepts for it and how it is printed all come from its row. Adding
// an option takes a member in config.hpp and a row in options.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"

namespace tw::config {

inline constexpr std::string_view kLater = "not in this version";

enum class Kind : std::uint8_t {
    text,
    integer,
    duration,  // with unit: 50ms
    size,      // with unit: 64MiB
    boolean,
    choice,
    text_list,
    integer_list,
    choice_list,
    pair_list,  // of names: [[left, right]]
    limit,      // with comparison and unit: ">= 99.99%", "<= 500us"
};

[[nodiscard]] std::string_view kind_name(Kind kind);
[[nodiscard]] bool is_list(Kind kind);

// Where a row's member lives: in the run's Config, or in the element being read (groups.hpp).
struct Target {
    Config* config = nullptr;
    Port* port = nullptr;
    Tap* tap = nullptr;
    Translation* translation = nullptr;
    Named* named = nullptr;
    RuleKeys* rule = nullptr;
};

struct OptionInfo {
    std::string_view path;  // "flows.timeouts.embryonic", "ports[].device", "taps.*.vlan_key"
    Kind kind = Kind::text;
    std::string fallback;    // the default as YAML
    std::string allowed;     // for people: "1..64", "busy | adaptive"
    std::string_view unit;   // "" = none, or said by the value itself
    std::string_view help;   // one line
    std::string_view later;  // not empty: the key, when set, is refused with this sentence
    std::vector<std::string_view> later_values;  // choices that are refused with kLater
    bool live = false;         // a running monitor takes it over at SIGHUP; else it needs a restart
    bool firewall = false;     // read by `tapwitness firewall` alone; `run` leaves it aside
    bool one_or_many = false;  // a list that may be written as its only element

    // Machinery of load.cpp and render.cpp; empty in refused rows. `set` takes one value (one
    // element of a list, one name of a pair) and is false if it is not allowed; `clear` empties a
    // list before its first element.
    std::function<bool(const Target&, std::string_view)> set;
    std::function<void(const Target&)> clear;
    std::function<std::string(const Target&)> render;
};

// In the order of default.yaml: rows of one section stand together.
[[nodiscard]] std::span<const OptionInfo> option_table();

// Every key with its default and a comment: `list options --yaml`, config/default.yaml.
[[nodiscard]] std::string default_yaml();
// What a run uses, every key spelled out; loading it again gives the same Config.
[[nodiscard]] std::string effective_yaml(const Config& config);

}  // namespace tw::config
