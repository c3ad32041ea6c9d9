// SPDX-License-Identifier: BSD-3-Clause
// Values as people read them: addresses, counts, sizes, durations, dates. ASCII only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "core/flow/key.hpp"

namespace tw::sinks::format {

// "10.0.0.5", "2001:db8::1" (RFC 5952: lower case, the longest run of zeros shortened, IPv4-mapped
// addresses in mixed notation).
void append_address(std::string& out, const flow::Endpoint& endpoint);
// "10.0.0.5:80", "[2001:db8::1]:80".
[[nodiscard]] std::string endpoint_text(const flow::Endpoint& endpoint);

// to - from, without overflow: time stamps come from files and may be any number.
[[nodiscard]] constexpr Nanos elapsed(Nanos from, Nanos to) {
    Nanos difference = 0;
    if (__builtin_sub_overflow(to, from, &difference)) {
        return to > from ? INT64_MAX : INT64_MIN;
    }
    return difference;
}

// "sender silent" for the name "sender_silent".
[[nodiscard]] std::string spoken(std::string_view name);
// "1,234,567"
[[nodiscard]] std::string count_text(std::uint64_t count);
// "1 hole", "2 holes", "1,000 holes"; `plural` where adding an s is not enough.
[[nodiscard]] std::string count_of(std::uint64_t count, std::string_view noun,
                                   std::string_view plural = {});
// "1,010 bytes" up to 99,999, then "1.23 MB" (powers of 1000).
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
// "250 ns", "1.25 ms", "20.1 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
[[nodiscard]] std::string duration_text(Nanos duration);
// "+20.100 s": an offset from the start, to the millisecond, as one looks for it in a trace;
// negative where time ran backwards.
[[nodiscard]] std::string offset_text(Nanos offset);
// "12.3 %"; never rounds something to 0 % or less than everything to 100 %.
[[nodiscard]] std::string percent_text(std::uint64_t part, std::uint64_t whole);
// "2024-04-05 19:34:38 UTC"
[[nodiscard]] std::string date_text(Nanos time);
// "19:34:38.100000Z": a moment of the day in UTC, to the microsecond.
[[nodiscard]] std::string clock_text(Nanos time);

}  // namespace tw::sinks::format
