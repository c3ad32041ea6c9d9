// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/format/json_writer.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using tw::Nanos;
using tw::sinks::format::append_json_escaped;
using tw::sinks::format::append_seconds;
using tw::sinks::format::JsonWriter;

std::string escaped(std::string_view text) {
    std::string out;
    append_json_escaped(out, text);
    return out;
}

std::string seconds(Nanos time) {
    std::string out;
    append_seconds(out, time);
    return out;
}

TEST(JsonEscape, quotes_backslashes_and_controls_are_escaped) {
    EXPECT_EQ(escaped("a\"b\\c"), "a\\\"b\\\\c");
    EXPECT_EQ(escaped("\n\t\r"), "\\n\\t\\r");
    EXPECT_EQ(escaped(std::string_view("\0\x1f\x7f", 3)), "\\u0000\\u001f\\u007f");
}

TEST(JsonEscape, well_formed_utf8_passes_unchanged) {
    const std::string text = "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80";
    EXPECT_EQ(escaped(text), text);
}

TEST(JsonEscape, ill_formed_bytes_become_replacement_characters) {
    const std::string r = "\xEF\xBF\xBD";
    EXPECT_EQ(escaped("\xff"), r);
    EXPECT_EQ(escaped("a\x80z"), "a" + r + "z");
    EXPECT_EQ(escaped("\xC0\xAF"), r + r);                  // overlong
    EXPECT_EQ(escaped("\xE0\x80\x80"), r + r + r);          // overlong
    EXPECT_EQ(escaped("\xED\xA0\x80"), r + r + r);          // surrogate
    EXPECT_EQ(escaped("\xF4\x90\x80\x80"), r + r + r + r);  // beyond U+10FFFF
    EXPECT_EQ(escaped("\xE2\x82"), r + r);                  // cut
    EXPECT_EQ(escaped("\xE2\x82z"), r + r + "z");
}

TEST(JsonEscape, any_byte_string_gives_parsable_json) {
    std::string bytes;
    for (int i = 0; i < 256; ++i) {
        bytes += static_cast<char>(i);
        bytes += static_cast<char>(255 - i);
    }
    EXPECT_NO_THROW(nlohmann::json::parse("\"" + escaped(bytes) + "\""));
}

TEST(JsonSeconds, nine_decimals_and_the_sign_are_exact) {
    EXPECT_EQ(seconds(0), "0.000000000");
    EXPECT_EQ(seconds(1), "0.000000001");
    EXPECT_EQ(seconds(-1), "-0.000000001");
    EXPECT_EQ(seconds(1'712'345'678'123'456'789), "1712345678.123456789");
    EXPECT_EQ(seconds(-1'500'000'000), "-1.500000000");
    EXPECT_EQ(seconds(INT64_MAX), "9223372036.854775807");
    EXPECT_EQ(seconds(INT64_MIN), "-9223372036.854775808");
}

TEST(JsonWriter, commas_stand_between_and_nowhere_else) {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.begin_array("empty");
    json.end_array();
    json.begin_array("list");
    json.number(1);
    json.null();
    json.boolean(true);
    json.begin_object();
    json.end_object();
    json.end_array();
    json.key("text");
    json.string(",{[:");
    json.begin_object("inner");
    json.key("a");
    json.number(-5);
    json.key("b");
    json.number(UINT64_MAX);
    json.end_object();
    json.end_object();
    EXPECT_EQ(out, R"({"empty":[],"list":[1,null,true,{}],"text":",{[:",)"
                   R"("inner":{"a":-5,"b":18446744073709551615}})");
}

}  // namespace
