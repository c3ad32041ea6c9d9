// SPDX-License-Identifier: BSD-3-Clause
#include "config/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace tw::config {

namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

// Ascending. Whole minutes and longer are exact multiples, so format_* can pick from the end.
constexpr std::array<Unit, 7> kDurationUnits{{{"ns", 1},
                                              {"us", kMicrosecond},
                                              {"ms", kMillisecond},
                                              {"s", kSecond},
                                              {"m", 60 * kSecond},
                                              {"h", 3600 * kSecond},
                                              {"d", 86'400 * kSecond}}};
constexpr std::array<Unit, 5> kSizeUnits{
    {{"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}, {"TiB", 1ULL << 40}}};

[[nodiscard]] bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Nothing beyond int64, so that a duration fits as well.
constexpr std::uint64_t kValueMax = std::numeric_limits<std::int64_t>::max();

template <std::size_t Count>
[[nodiscard]] std::optional<std::uint64_t> parse_with_unit(std::string_view text,
                                                           const std::array<Unit, Count>& units) {
    const auto digits_end =
        std::find_if(text.begin(), text.end(), [](char c) { return !is_digit(c) && c != '_'; });
    const auto digits_count = static_cast<std::size_t>(digits_end - text.begin());
    const auto number = parse_integer(text.substr(0, digits_count));
    std::string_view name = text.substr(digits_count);
    if (!number) {
        return std::nullopt;
    }
    if (*number == 0 && name.empty()) {
        return 0;
    }
    if (name.starts_with(' ')) {
        name.remove_prefix(1);
    }
    for (const Unit& unit : units) {
        if (unit.name == name && *number <= kValueMax / unit.factor) {
            return *number * unit.factor;
        }
    }
    return std::nullopt;
}

template <std::size_t Count>
[[nodiscard]] std::string format_with_unit(std::uint64_t value,
                                           const std::array<Unit, Count>& units) {
    if (value == 0) {
        return "0";
    }
    std::size_t i = Count - 1;
    while (value % units[i].factor != 0) {
        --i;  // ends at factor 1
    }
    return fmt::format("{}{}", value / units[i].factor, units[i].name);
}

[[nodiscard]] bool is_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '/' || c == '.' || c == '-';
}

// Letters first, so that it cannot be taken for a number, an indicator or a document marker.
[[nodiscard]] bool is_plain(std::string_view text) {
    const bool begins_well =
        !text.empty() && ((text.front() >= 'a' && text.front() <= 'z') ||
                          (text.front() >= 'A' && text.front() <= 'Z') || text.front() == '/');
    const bool means_null = text == "null" || text == "Null" || text == "NULL";
    return begins_well && !means_null && !parse_boolean(text) &&
           std::all_of(text.begin(), text.end(), is_word);
}

}  // namespace

std::optional<std::uint64_t> parse_integer(std::string_view text) {
    if (text.empty() || !is_digit(text.front()) || !is_digit(text.back())) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c == '_') {
            continue;
        }
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (!is_digit(c) || value > (kValueMax - digit) / 10) {
            return std::nullopt;
        }
        value = value * 10 + digit;
    }
    return value;
}

std::optional<Nanos> parse_duration(std::string_view text) {
    const auto value = parse_with_unit(text, kDurationUnits);
    return value ? std::optional(static_cast<Nanos>(*value)) : std::nullopt;
}

std::optional<bool> parse_boolean(std::string_view text) {
    for (const std::string_view yes : {"true", "yes", "on", "True", "TRUE"}) {
        if (text == yes) {
            return true;
        }
    }
    for (const std::string_view no : {"false", "no", "off", "False", "FALSE"}) {
        if (text == no) {
            return false;
        }
    }
    return std::nullopt;
}

std::optional<double> parse_percent(std::string_view text) {
    constexpr std::size_t kDigitsMax = 6;
    if (!text.ends_with('%')) {
        return std::nullopt;
    }
    text.remove_suffix(text.ends_with(" %") ? 2 : 1);
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view behind = text.substr(std::min(point + 1, text.size()));
    const auto whole = parse_integer(text.substr(0, point));
    const bool has_point = point != text.size();
    if (!whole || *whole > 100 || has_point == behind.empty() || behind.size() > kDigitsMax ||
        !std::all_of(behind.begin(), behind.end(), is_digit)) {
        return std::nullopt;
    }
    // Millionths of a percent, so that what is printed is what was written.
    std::uint64_t millionths = *whole;
    for (std::size_t i = 0; i < kDigitsMax; ++i) {
        millionths =
            millionths * 10 + (i < behind.size() ? static_cast<std::uint64_t>(behind[i] - '0') : 0);
    }
    if (millionths > 100'000'000) {
        return std::nullopt;
    }
    return static_cast<double>(millionths) / 1e8;
}

std::string format_percent(double share) {
    std::string digits = fmt::format("{:.6f}", share * 100);
    digits.resize(digits.find_last_not_of('0') + 1);
    return (digits.ends_with('.') ? digits.substr(0, digits.size() - 1) : digits) + "%";
}

std::string format_duration(Nanos duration) {
    return format_with_unit(static_cast<std::uint64_t>(std::max<Nanos>(duration, 0)),
                            kDurationUnits);
}

std::string format_size(std::uint64_t bytes) {
    return format_with_unit(bytes, kSizeUnits);
}

std::string format_text(std::string_view text) {
    if (is_plain(text)) {
        return std::string(text);
    }
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
            quoted += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            quoted += c;
        }
    }
    return quoted + "\"";
}

std::string shown(std::string_view text) {
    constexpr std::size_t kShownMax = 60;
    std::string out;
    for (const char c : text.substr(0, kShownMax)) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            out += c;
        }
    }
    return text.size() > kShownMax ? out + "..." : out;
}

}  // namespace tw::config
