// SPDX-License-Identifier: BSD-3-Clause
#include "app/option_text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "config/options.hpp"
#include "config/values.hpp"

namespace tw::app {
namespace {

[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(end + 1);
    }
}

}  // namespace

std::expected<void, Error> set_option(config::Config& config, std::string_view path,
                                      std::string_view option, std::string_view value) {
    const auto table = config::option_table();
    const auto row = std::find_if(table.begin(), table.end(), [&](const config::OptionInfo& info) {
        return info.path == path;
    });
    TW_CHECK(row != table.end() && row->set);
    const config::Target target{.config = &config};
    const bool list = config::is_list(row->kind);
    if (list) {
        row->clear(target);
    }
    for (const std::string_view part : list ? split(value, ',') : std::vector{value}) {
        if (!row->set(target, part)) {
            return std::unexpected(Error{fmt::format("{}: {} is not allowed; allowed: {}", option,
                                                     config::shown(part), row->allowed)});
        }
    }
    return {};
}

std::expected<void, Error> set_timeouts(config::Config& config, std::string_view value) {
    constexpr std::string_view kOption = "--timeouts";
    constexpr std::array<std::string_view, 3> kNames{"embryonic", "established", "closing"};
    for (const std::string_view part : split(value, ',')) {
        const std::size_t equals = part.find('=');
        const std::string_view name = part.substr(0, equals);
        if (equals == std::string_view::npos ||
            std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
            return std::unexpected(
                Error{fmt::format("{}: {} is not allowed; allowed: NAME=DURATION, separated by "
                                  "commas, NAME one of embryonic, established, closing",
                                  kOption, config::shown(part))});
        }
        if (auto set = set_option(config, fmt::format("flows.timeouts.{}", name),
                                  fmt::format("{} {}", kOption, name), part.substr(equals + 1));
            !set) {
            return set;
        }
    }
    return {};
}

}  // namespace tw::app
