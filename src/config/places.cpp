// SPDX-License-Identifier: BSD-3-Clause
#include "config/places.hpp"

#include <fmt/format.h>

namespace tw::config {

Place Places::of(const std::string& key) const {
    std::string around = key;
    while (!around.empty() && !keys.contains(around)) {
        const std::size_t cut = around.find_last_of(".[");
        around.resize(cut == std::string::npos ? 0 : cut);
    }
    return around.empty() ? Place{} : keys.at(around);
}

std::string Places::at(const std::string& key) const {
    const Place place = of(key);
    if (place.line == 0) {
        return name.empty() ? "" : fmt::format("{}: ", name);
    }
    return fmt::format("{}:{}:{}: ", name, place.line, place.column);
}

std::string Places::prefix(const std::string& key) const {
    return fmt::format("{}{}: ", at(key), key);
}

}  // namespace tw::config
