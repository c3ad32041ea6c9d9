// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/format/page.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

namespace {

using tw::sinks::format::Page;
using tw::sinks::format::printable;
using tw::sinks::format::Table;
using tw::sinks::format::Tone;

TEST(Page, without_a_width_nothing_is_wrapped) {
    Page page({});
    const std::string text(500, 'x');
    page.paragraph(text + " end", 2, 4);
    EXPECT_EQ(page.text(), "  " + text + " end\n");
}

TEST(Page, paragraphs_break_at_blanks_and_hang) {
    Page page({.width = 30});
    page.paragraph("aaaa bbbb cccc dddd eeee ffff gggg hhhh", 2, 4);
    EXPECT_EQ(page.text(),
              "  aaaa bbbb cccc dddd eeee\n"
              "    ffff gggg hhhh\n");
}

TEST(Page, no_line_is_wider_than_asked_if_words_allow) {
    const std::string text =
        "the quick brown fox jumps over the lazy dog and says that a hole of 1,010 bytes was "
        "never seen by anybody at all, neither captured nor acknowledged";
    for (std::size_t width = 24; width < 200; ++width) {
        Page page({.width = width});
        page.paragraph(text, 2, 4);
        std::istringstream lines(page.text());
        std::string joined;
        for (std::string line; std::getline(lines, line);) {
            ASSERT_LE(line.size(), width);
            joined += (joined.empty() ? "" : " ") + line.substr(line.find_first_not_of(' '));
        }
        ASSERT_EQ(joined, text);
    }
}

TEST(Page, a_word_longer_than_the_line_stays_whole) {
    Page page({.width = 24});
    page.paragraph("a " + std::string(60, 'b') + " c", 0, 0);
    EXPECT_EQ(page.text(), "a\n" + std::string(60, 'b') + "\nc\n");
}

TEST(Page, empty_paragraph_is_one_empty_line) {
    Page page({.width = 24});
    page.paragraph("", 2, 2);
    EXPECT_EQ(page.text(), "  \n");
}

TEST(Page, colour_only_when_asked) {
    Page plain({});
    plain.line("x", Tone::bad);
    EXPECT_EQ(plain.text(), "x\n");
    Page coloured({.colour = true});
    coloured.line("x", Tone::bad);
    coloured.line("y", Tone::plain);
    EXPECT_EQ(coloured.text(), "\033[1;31mx\033[0m\ny\n");
}

TEST(Table, columns_align_and_lines_have_no_blanks_at_the_end) {
    Table table("><>");
    table.row({"1", "ab", "7"});
    table.row({"100", "c", "12"});
    table.row({"2", "", ""});
    Page page({});
    page.table(table, true);
    EXPECT_EQ(page.text(),
              "    1  ab   7\n"
              "  100  c   12\n"
              "    2\n");
}

TEST(Table, text_in_the_last_column_wraps_within_it) {
    Table table("><");
    table.row({"1", "short"});
    table.row({"100", "aaaa bbbb cccc dddd eeee ffff"});
    Page page({.width = 30});
    page.table(table, false);
    EXPECT_EQ(page.text(),
              "    1  short\n"
              "  100  aaaa bbbb cccc dddd\n"
              "       eeee ffff\n");
}

TEST(Printable, control_characters_cannot_reach_the_terminal) {
    EXPECT_EQ(printable("a\033[31mb\n\x7f"), "a?[31mb??");
}

}  // namespace
