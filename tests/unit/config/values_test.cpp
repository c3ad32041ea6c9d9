// SPDX-License-Identifier: BSD-3-Clause
#include "config/values.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace tw::config {
namespace {

TEST(Integer, takes_digits_grouped_by_underscores) {
    EXPECT_EQ(parse_integer("0"), 0U);
    EXPECT_EQ(parse_integer("42"), 42U);
    EXPECT_EQ(parse_integer("1_000_000"), 1'000'000U);
    EXPECT_EQ(parse_integer("9223372036854775807"), 9'223'372'036'854'775'807U);
}

TEST(Integer, refuses_everything_else) {
    for (const char* text : {"", " ", "-1", "+1", "1.0", "1e6", "0x10", "_1", "1_", "1 ", "ten",
                             "9223372036854775808", "99999999999999999999999"}) {
        EXPECT_FALSE(parse_integer(text)) << text;
    }
}

TEST(Duration, multiplies_by_its_unit) {
    EXPECT_EQ(parse_duration("7ns"), 7);
    EXPECT_EQ(parse_duration("7us"), 7 * kMicrosecond);
    EXPECT_EQ(parse_duration("50ms"), 50 * kMillisecond);
    EXPECT_EQ(parse_duration("5s"), 5 * kSecond);
    EXPECT_EQ(parse_duration("2m"), 120 * kSecond);
    EXPECT_EQ(parse_duration("1h"), 3600 * kSecond);
    EXPECT_EQ(parse_duration("1d"), 86'400 * kSecond);
    EXPECT_EQ(parse_duration("1_500 ms"), 1500 * kMillisecond);
}

TEST(Duration, needs_a_unit_unless_zero) {
    EXPECT_EQ(parse_duration("0"), 0);
    for (const char* text :
         {"5", "", "s", "ms", "5 ", "5  s", "5S", "5sec", "-5s", "1.5s", "1m30s"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Duration, refuses_what_nanoseconds_cannot_hold) {
    EXPECT_EQ(parse_duration("106751d"), Nanos{106'751} * 86'400 * kSecond);
    EXPECT_FALSE(parse_duration("106752d"));
    EXPECT_FALSE(parse_duration("9223372036854775807h"));
}

TEST(Duration, is_printed_in_the_largest_unit_that_is_whole) {
    EXPECT_EQ(format_duration(0), "0");
    EXPECT_EQ(format_duration(1), "1ns");
    EXPECT_EQ(format_duration(1500 * kMillisecond), "1500ms");
    EXPECT_EQ(format_duration(300 * kSecond), "5m");
    EXPECT_EQ(format_duration(90 * kSecond), "90s");
    EXPECT_EQ(format_duration(86'400 * kSecond), "1d");
}

TEST(Duration, survives_printing_and_parsing) {
    for (const Nanos value : {Nanos{1}, 999 * kMicrosecond, kSecond, 61 * kSecond, 7200 * kSecond,
                              std::numeric_limits<Nanos>::max()}) {
        EXPECT_EQ(parse_duration(format_duration(value)), value);
    }
}

TEST(Size, is_printed_in_binary_units) {
    EXPECT_EQ(format_size(0), "0");
    EXPECT_EQ(format_size(1023), "1023B");
    EXPECT_EQ(format_size(2048), "2KiB");
    EXPECT_EQ(format_size(std::uint64_t{1} << 30), "1GiB");
    EXPECT_EQ(format_size((std::uint64_t{1} << 30) + 1024), "1048577KiB");
}

TEST(Boolean, takes_the_words_of_yaml) {
    for (const char* text : {"true", "yes", "on", "True", "TRUE"}) {
        EXPECT_EQ(parse_boolean(text), true) << text;
    }
    for (const char* text : {"false", "no", "off", "False", "FALSE"}) {
        EXPECT_EQ(parse_boolean(text), false) << text;
    }
    for (const char* text : {"", "1", "0", "y", "n", "enabled", "tRUE"}) {
        EXPECT_FALSE(parse_boolean(text)) << text;
    }
}

TEST(Text, stays_plain_where_yaml_cannot_misread_it) {
    for (const char* text : {"span0", "eth0.100", "/var/log/a-b_c.jsonl", "core"}) {
        EXPECT_EQ(format_text(text), text);
    }
}

TEST(Text, is_quoted_where_yaml_could_misread_it) {
    EXPECT_EQ(format_text(""), R"("")");
    EXPECT_EQ(format_text("-"), R"("-")");
    EXPECT_EQ(format_text("off"), R"("off")");
    EXPECT_EQ(format_text("null"), R"("null")");
    EXPECT_EQ(format_text("12"), R"("12")");
    EXPECT_EQ(format_text("0000:3b:00.0"), R"("0000:3b:00.0")");
    EXPECT_EQ(format_text("a: b"), R"("a: b")");
    EXPECT_EQ(format_text("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(format_text("a\nb\x7F"), R"("a\x0ab\x7f")");
}

TEST(Shown, keeps_a_message_on_one_short_line) {
    EXPECT_EQ(shown("plain"), "plain");
    EXPECT_EQ(shown("a\nb\x1B"), R"(a\x0ab\x1b)");
    EXPECT_EQ(shown(std::string(60, 'x')), std::string(60, 'x'));
    EXPECT_EQ(shown(std::string(61, 'x')), std::string(60, 'x') + "...");
}

}  // namespace
}  // namespace tw::config
