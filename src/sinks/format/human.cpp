// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/format/human.hpp"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>

namespace tw::sinks::format {
namespace {

void append_number(std::string& out, unsigned value, int base = 10) {
    char digits[8];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value, base).ptr);
}

void append_v4(std::string& out, const std::uint8_t* address) {
    for (int i = 0; i < 4; ++i) {
        if (i != 0) {
            out += '.';
        }
        append_number(out, address[i]);
    }
}

using Groups = std::array<unsigned, 8>;

struct Run {
    std::size_t begin = 0;
    std::size_t count = 0;
};

// The first of the longest runs of zero groups; one group alone is not shortened (RFC 5952 4.2).
[[nodiscard]] Run longest_zero_run(const Groups& groups) {
    Run best;
    Run current;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (groups[i] != 0) {
            current = {};
            continue;
        }
        if (current.count == 0) {
            current.begin = i;
        }
        ++current.count;
        if (current.count > best.count) {
            best = current;
        }
    }
    return best.count >= 2 ? best : Run{};
}

void append_v6(std::string& out, const flow::AddressV6& address) {
    Groups groups{};
    for (std::size_t i = 0; i < groups.size(); ++i) {
        groups[i] = (static_cast<unsigned>(address[2 * i]) << 8) | address[2 * i + 1];
    }
    const Run zeros = longest_zero_run(groups);
    if (zeros.begin == 0 && zeros.count == 5 && groups[5] == 0xFFFF) {  // RFC 4291 2.5.5.2
        out += "::ffff:";
        append_v4(out, address.data() + 12);
        return;
    }
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (zeros.count != 0 && i == zeros.begin) {
            out += "::";
            i += zeros.count - 1;
            continue;
        }
        if (!out.empty() && i != 0 && out.back() != ':') {
            out += ':';
        }
        append_number(out, groups[i], 16);
    }
}

// Three significant digits without a trailing ".0": 1.25, 20.1, 123.
[[nodiscard]] std::string three_digits(double value) {
    return value < 9.995   ? fmt::format("{:.2f}", value)
           : value < 99.95 ? fmt::format("{:.1f}", value)
                           : fmt::format("{:.0f}", value);
}

// Rounded down to the second, also before 1970.
[[nodiscard]] std::tm utc(Nanos time) {
    const auto clock = static_cast<std::time_t>(time / kSecond - (time % kSecond < 0 ? 1 : 0));
    std::tm date{};
    ::gmtime_r(&clock, &date);
    return date;
}

}  // namespace

void append_address(std::string& out, const flow::Endpoint& endpoint) {
    if (endpoint.v6) {
        append_v6(out, endpoint.address);
    } else {
        append_v4(out, endpoint.address.data());
    }
}

std::string endpoint_text(const flow::Endpoint& endpoint) {
    std::string address;
    append_address(address, endpoint);
    return endpoint.v6 ? fmt::format("[{}]:{}", address, endpoint.port)
                       : fmt::format("{}:{}", address, endpoint.port);
}

std::string spoken(std::string_view name) {
    std::string words(name);
    std::replace(words.begin(), words.end(), '_', ' ');
    return words;
}

std::string count_text(std::uint64_t count) {
    const std::string digits = std::to_string(count);
    std::string text;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i != 0 && (digits.size() - i) % 3 == 0) {
            text += ',';
        }
        text += digits[i];
    }
    return text;
}

std::string count_of(std::uint64_t count, std::string_view noun, std::string_view plural) {
    if (count == 1) {
        return fmt::format("1 {}", noun);
    }
    return plural.empty() ? fmt::format("{} {}s", count_text(count), noun)
                          : fmt::format("{} {}", count_text(count), plural);
}

std::string bytes_text(std::uint64_t bytes) {
    if (bytes < 100'000) {
        return count_of(bytes, "byte");
    }
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    constexpr std::array<std::string_view, 7> kUnits{"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    while (value >= 999.5 && unit + 1 < kUnits.size()) {
        value /= 1000;
        ++unit;
    }
    return fmt::format("{} {}", three_digits(value), kUnits[unit]);
}

std::string duration_text(Nanos duration) {
    if (duration < 0) {
        // The most negative value has no positive twin; it loses a nanosecond of 292 years.
        return fmt::format("-{}", duration_text(duration == INT64_MIN ? INT64_MAX : -duration));
    }
    if (duration < kMicrosecond) {
        return fmt::format("{} ns", duration);
    }
    const auto value = static_cast<double>(duration);
    if (duration < 999'500) {
        return fmt::format("{} us", three_digits(value / 1e3));
    }
    if (duration < 999'500'000) {
        return fmt::format("{} ms", three_digits(value / 1e6));
    }
    if (duration < 100 * kSecond) {
        return fmt::format("{} s", three_digits(value / 1e9));
    }
    const Nanos seconds = duration / kSecond + (duration % kSecond >= kSecond / 2 ? 1 : 0);
    if (seconds < 3600) {
        return fmt::format("{} min {} s", seconds / 60, seconds % 60);
    }
    const Nanos minutes = (seconds + 30) / 60;
    if (minutes < 24 * 60) {
        return fmt::format("{} h {} min", minutes / 60, minutes % 60);
    }
    const Nanos hours = (minutes + 30) / 60;
    return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string offset_text(Nanos offset) {
    return fmt::format("{:+.3f} s", static_cast<double>(offset) / 1e9);
}

std::string percent_text(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0 || part == 0) {
        return "0 %";
    }
    if (part >= whole) {
        return "100 %";
    }
    const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    if (percent < 0.01) {
        return "<0.01 %";
    }
    if (percent > 99.99) {
        return ">99.99 %";
    }
    return percent < 0.995 || percent > 99 ? fmt::format("{:.2f} %", percent)
                                           : fmt::format("{:.1f} %", percent);
}

std::string date_text(Nanos time) {
    return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", utc(time));
}

std::string clock_text(Nanos time) {
    const Nanos part = ((time % kSecond) + kSecond) % kSecond;
    return fmt::format("{:%H:%M:%S}.{:06}Z", utc(time), part / kMicrosecond);
}

}  // namespace tw::sinks::format
