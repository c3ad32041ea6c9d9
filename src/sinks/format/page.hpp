// SPDX-License-Identifier: BSD-3-Clause
// Lays out text for people: headings, wrapped paragraphs, aligned tables. Plain ASCII; colour only
// if asked. Knows nothing of what it prints.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tw::sinks::format {

struct PageStyle {
    bool colour = false;
    std::size_t width = 0;  // columns; 0 = never wrap (output to a file or pipe)
};

enum class Tone : unsigned char { plain, strong, good, bad, faint };

// Replaces control characters, so that a name from the outside cannot drive the terminal.
[[nodiscard]] std::string printable(std::string_view text);

// Breaks at blanks; a word longer than a line stays whole. `first` columns for the first line,
// `width` for the others; 0 = never break.
[[nodiscard]] std::vector<std::string_view> wrapped_lines(std::string_view text, std::size_t first,
                                                          std::size_t width);

class Table {
  public:
    // '<' left, '>' right: one character per column, each row has as many cells.
    explicit Table(std::string_view alignment) : alignment_(alignment) {}
    void row(std::initializer_list<std::string> cells) { rows_.emplace_back(cells); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    // Each row up to its last cell, and that cell; together they are the line.
    struct Line {
        std::string head;
        std::string last;
    };
    [[nodiscard]] std::vector<Line> lines() const;
    [[nodiscard]] bool last_is_text() const { return alignment_.back() == '<'; }

  private:
    std::string alignment_;
    std::vector<std::vector<std::string>> rows_;
};

class Page {
  public:
    explicit Page(const PageStyle& style) : style_(style) {}

    // A blank line, then the heading.
    void heading(std::string_view text);
    void blank() { text_ += '\n'; }
    // Text that is laid out already.
    void verbatim(std::string_view text) { text_ += text; }
    // As it is, never wrapped: commands to copy.
    void line(std::string_view text, Tone tone = Tone::plain);
    // Wrapped at the width; further lines are indented by `hanging`.
    void paragraph(std::string_view text, std::size_t indent, std::size_t hanging,
                   Tone tone = Tone::plain);
    // Text in the last column wraps within it. With `head`, the first row is the heading.
    void table(const Table& table, bool head);

    [[nodiscard]] const std::string& text() const { return text_; }
    // What was laid out so far goes to the caller: for pages without a bound.
    [[nodiscard]] std::string take_text() { return std::exchange(text_, {}); }

  private:
    // `start`, then `text`, wrapped; further lines are indented by `hanging`.
    void wrapped(std::string start, std::string_view text, std::size_t hanging, Tone tone);

    PageStyle style_;
    std::string text_;
};

}  // namespace tw::sinks::format
