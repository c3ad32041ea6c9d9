// SPDX-License-Identifier: BSD-3-Clause
#include "config/document.hpp"

#include <gtest/gtest.h>

#include <string>

namespace tw::config {
namespace {

Node parsed(const std::string& text) {
    auto root = parse_document(text, "x.yaml");
    EXPECT_TRUE(root) << root.error().text;
    return root ? std::move(*root) : Node{};
}

std::string error_of(const std::string& text) {
    const auto root = parse_document(text, "x.yaml");
    return root ? "" : root.error().text;
}

TEST(Document, keeps_structure_and_places) {
    const Node root = parsed("a: 1\nb:\n  - x\n  - {c: y}\n");
    ASSERT_EQ(root.kind, Node::Kind::map);
    ASSERT_EQ(root.keys.size(), 2U);
    EXPECT_EQ(root.keys[1].text, "b");
    EXPECT_EQ(root.keys[1].place.line, 2);
    EXPECT_EQ(root.items[0].text, "1");
    EXPECT_EQ(root.items[0].place.line, 1);
    EXPECT_EQ(root.items[0].place.column, 4);
    const Node& list = root.items[1];
    ASSERT_EQ(list.kind, Node::Kind::sequence);
    ASSERT_EQ(list.items.size(), 2U);
    EXPECT_EQ(list.items[0].place.line, 3);
    EXPECT_EQ(list.items[0].place.column, 5);
    ASSERT_EQ(list.items[1].kind, Node::Kind::map);
    EXPECT_EQ(list.items[1].items[0].text, "y");
}

TEST(Document, without_content_is_an_empty_map) {
    for (const char* text : {"", "\n\n", "# a comment\n", "---\n", "~"}) {
        const Node root = parsed(text);
        EXPECT_EQ(root.kind, Node::Kind::map) << text;
        EXPECT_TRUE(root.items.empty()) << text;
    }
}

TEST(Document, quoted_text_is_a_scalar_even_when_empty) {
    const Node root = parsed("a: \"\"\nb: ''\nc:\nd: \"null\"\n");
    EXPECT_EQ(root.items[0].kind, Node::Kind::scalar);
    EXPECT_EQ(root.items[1].kind, Node::Kind::scalar);
    EXPECT_EQ(root.items[2].kind, Node::Kind::null);
    EXPECT_EQ(root.items[3].kind, Node::Kind::scalar);
}

TEST(Document, refuses_what_no_option_needs) {
    EXPECT_EQ(error_of("a: &x 1\n"),
              "x.yaml:1:4: anchors and aliases are not allowed; write the value out");
    EXPECT_EQ(error_of("a: !!int 1\n"), "x.yaml:1:4: tags are not allowed");
    EXPECT_EQ(error_of("a: 1\n---\nb: 2\n"), "x.yaml:2:1: a second document is not allowed");
    EXPECT_EQ(error_of("? [a]\n: b\n"), "x.yaml:1:3: a key must be a word");
}

TEST(Document, alias_bomb_ends_at_its_first_anchor) {
    std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
    for (char c = 'b'; c < 'z'; ++c) {
        const std::string earlier(1, static_cast<char>(c - 1));
        bomb += std::string(1, c) + ": &" + std::string(1, c) + " [*" + earlier + ",*" + earlier +
                ",*" + earlier + "]\n";
    }
    EXPECT_EQ(error_of(bomb),
              "x.yaml:1:4: anchors and aliases are not allowed; write the value out");
}

TEST(Document, nesting_ends_at_eight_levels) {
    EXPECT_EQ(error_of("a: [[[[[[x]]]]]]"), "");
    EXPECT_EQ(error_of("a: [[[[[[[x]]]]]]]"), "x.yaml:1:11: nested deeper than 8 levels");
    EXPECT_NE(error_of("a: " + std::string(500'000, '[')), "");
    EXPECT_NE(error_of("a: " + std::string(500'000, '{')), "");
}

TEST(Document, counts_its_values) {
    std::string text = "a: [";
    for (int i = 0; i < 20'000; ++i) {
        text += "1,";
    }
    EXPECT_TRUE(error_of(text + "]").ends_with(": more than 10000 values"));
}

TEST(Document, yaml_errors_come_with_their_place) {
    EXPECT_EQ(error_of("a: 1\n\tb: 2\n").substr(0, 22), "x.yaml:2:1: not YAML: ");
    EXPECT_EQ(error_of("a: \"open").substr(0, 7), "x.yaml:");
    EXPECT_EQ(error_of("a: [1, 2\nb: 3\n").substr(0, 7), "x.yaml:");
}

}  // namespace
}  // namespace tw::config
