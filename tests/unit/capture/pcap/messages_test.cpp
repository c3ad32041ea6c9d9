// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/messages.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace tw::pcap {
namespace {

std::vector<std::uint8_t> bytes_of(std::string_view text) {
    return {text.begin(), text.end()};
}

struct Row {
    const char* description;
    std::string_view bytes;
    std::string_view expected;
};

class Printable : public testing::TestWithParam<Row> {};

TEST_P(Printable, keeps_text_and_replaces_the_rest) {
    EXPECT_EQ(printable(bytes_of(GetParam().bytes)), GetParam().expected);
}

using namespace std::string_view_literals;

INSTANTIATE_TEST_SUITE_P(
    all, Printable,
    testing::Values(
        Row{"plain", "eth0", "eth0"}, Row{"empty", "", ""}, Row{"ends_at_nul", "ab\0cd"sv, "ab"},
        Row{"control", "a\tb\x7f\x1b", "a?b??"}, Row{"two_bytes", "\xC3\xA9", "\xC3\xA9"},
        Row{"three_bytes", "\xE2\x82\xAC", "\xE2\x82\xAC"},
        Row{"four_bytes", "\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
        Row{"c1_control",
            "\xC2\x9B"
            "31m",
            "?31m"},
        Row{"first_after_c1", "\xC2\xA0", "\xC2\xA0"}, Row{"overlong_slash", "\xC0\xAF", "??"},
        Row{"overlong_three", "\xE0\x9F\xBF", "???"}, Row{"surrogate", "\xED\xA0\x80", "???"},
        Row{"beyond_unicode", "\xF4\x90\x80\x80", "????"},
        Row{"overlong_four", "\xF0\x8F\x80\x80", "????"}, Row{"cut", "a\xE2\x82", "a??"},
        Row{"lone_tail", "\x80z", "?z"}, Row{"bad_third", "\xE2\x82z", "??z"}),
    [](const auto& row) { return row.param.description; });

TEST(MessagesTest, text_is_limited) {
    EXPECT_EQ(printable(std::vector<std::uint8_t>(1000, 'x')).size(), kTextBytesMax);
}

TEST(MessagesTest, content_is_named_by_its_magic) {
    EXPECT_EQ(describe_content(bytes_of("snoop\0\0\0\0\0\0\2"sv)), "a snoop capture");
    EXPECT_EQ(describe_content(bytes_of("\x28\xb5\x2f\xfd...")),
              "a zstd file: decompress it first");
    EXPECT_EQ(describe_content(bytes_of("PK\x03\x04zip")), "a zip archive: unpack it first");
    EXPECT_EQ(describe_content(bytes_of("hello\nworld\t!")), "a text file");
    EXPECT_EQ(describe_content(bytes_of("\x01\x02\x03\xFF\x05")),
              "unknown, first bytes 01 02 03 ff");
    EXPECT_EQ(describe_content(bytes_of("\x01")), "unknown, first bytes 01");
}

}  // namespace
}  // namespace tw::pcap
