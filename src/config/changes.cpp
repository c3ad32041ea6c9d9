// SPDX-License-Identifier: BSD-3-Clause
#include "config/changes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "config/groups.hpp"
#include "config/options.hpp"

namespace tw::config {
namespace {

constexpr std::string_view kPorts = "ports[].";
constexpr std::string_view kTaps = "taps.*.";

class Comparison {
  public:
    Comparison(Config before, Config after)
        : before_(std::move(before)), after_(std::move(after)) {}

    void run(const OptionInfo& info);
    void ports();
    void taps();

    std::vector<Change> found;

  private:
    void compare(const OptionInfo& info, const std::string& key, const Target& before,
                 const Target& after);

    // Rows print what a Target leads to, which is not const.
    Config before_;
    Config after_;
};

void Comparison::compare(const OptionInfo& info, const std::string& key, const Target& before,
                         const Target& after) {
    Change change{key, info.render(before), info.render(after), info.live};
    if (change.before != change.after) {
        found.push_back(std::move(change));
    }
}

void Comparison::run(const OptionInfo& info) {
    compare(info, std::string(info.path), {.config = &before_}, {.config = &after_});
}

void Comparison::ports() {
    const std::size_t common = std::min(before_.ports.size(), after_.ports.size());
    for (std::size_t i = 0; i < common; ++i) {
        for (const OptionInfo& info : option_table()) {
            if (info.render && info.path.starts_with(kPorts)) {
                compare(info, fmt::format("ports[{}].{}", i, info.path.substr(kPorts.size())),
                        {.config = &before_, .port = &before_.ports[i]},
                        {.config = &after_, .port = &after_.ports[i]});
            }
        }
    }
    for (std::size_t i = common; i < std::max(before_.ports.size(), after_.ports.size()); ++i) {
        found.push_back({fmt::format("ports[{}]", i),
                         i < before_.ports.size() ? before_.ports[i].device : "",
                         i < after_.ports.size() ? after_.ports[i].device : "", false});
    }
}

// A tap that is not written is one with every default.
void Comparison::taps() {
    std::set<std::string> names;
    for (const auto* config : {&before_, &after_}) {
        for (const auto& [name, tap] : config->taps) {
            names.insert(name);
        }
    }
    for (const std::string& name : names) {
        for (const OptionInfo& info : option_table()) {
            if (info.render && !info.firewall && info.path.starts_with(kTaps)) {
                compare(info, fmt::format("taps.{}.{}", name, info.path.substr(kTaps.size())),
                        {.config = &before_, .tap = &before_.taps[name]},
                        {.config = &after_, .tap = &after_.taps[name]});
            }
        }
    }
}

}  // namespace

std::vector<Change> changes(const Config& before, const Config& after) {
    Comparison comparison(before, after);
    comparison.ports();
    comparison.taps();
    for (const OptionInfo& info : option_table()) {
        if (info.render && !info.firewall && group_of(info.path) == nullptr) {
            comparison.run(info);
        }
    }
    return std::move(comparison.found);
}

void take_live(Config& running, const Config& next) {
    running.flows.timeouts = next.flows.timeouts;
    running.analysis.direction_skew = next.analysis.direction_skew;
    for (auto& [name, tap] : running.taps) {
        const auto known = next.taps.find(name);
        tap.direction_skew =
            known == next.taps.end() ? Tap{}.direction_skew : known->second.direction_skew;
    }
    for (const auto& [name, tap] : next.taps) {
        running.taps[name].direction_skew = tap.direction_skew;
    }
    running.filter = next.filter;
    running.events = next.events;
    running.flow_records = next.flow_records;
    running.log = next.log;
}

}  // namespace tw::config
