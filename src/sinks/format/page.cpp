// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/format/page.hpp"

#include <algorithm>

namespace tw::sinks::format {
namespace {

constexpr std::string_view kIndent = "  ";
constexpr std::string_view kGap = "  ";

[[nodiscard]] std::string_view escape(Tone tone) {
    switch (tone) {
        case Tone::plain:
            return "";
        case Tone::strong:
            return "\033[1m";
        case Tone::good:
            return "\033[1;32m";
        case Tone::bad:
            return "\033[1;31m";
        case Tone::faint:
            return "\033[2m";
    }
    return "";
}

// Where to break `text` so that its first part has at most `width` characters: the last blank that
// fits, or the first one at all if a word is longer than the line.
[[nodiscard]] std::size_t break_at(std::string_view text, std::size_t width) {
    if (text.size() <= width) {
        return text.size();
    }
    const std::size_t fits = text.rfind(' ', width);
    if (fits != std::string_view::npos && fits != 0) {
        return fits;
    }
    return std::min(text.find(' ', width), text.size());
}

[[nodiscard]] std::vector<std::size_t> column_widths(
    const std::vector<std::vector<std::string>>& rows, std::size_t columns) {
    std::vector<std::size_t> widths(columns, 0);
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < std::min(columns, row.size()); ++i) {
            widths[i] = std::max(widths[i], row[i].size());
        }
    }
    return widths;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) {
            c = '?';
        }
    }
    return out;
}

std::vector<std::string> Table::lines() const {
    const std::vector<std::size_t> widths = column_widths(rows_, alignment_.size());
    std::vector<std::string> lines;
    for (const auto& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const bool last = i + 1 == row.size();
            const std::size_t padding = widths[i] - row[i].size();
            if (alignment_[i] == '>') {
                line.append(padding, ' ').append(row[i]);
            } else {
                line.append(row[i]).append(last ? 0 : padding, ' ');
            }
            line.append(last ? "" : kGap);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        lines.push_back(std::move(line));
    }
    return lines;
}

void Page::heading(std::string_view text) {
    blank();
    line(text, Tone::strong);
}

void Page::line(std::string_view text, Tone tone) {
    const bool coloured = style_.colour && tone != Tone::plain;
    if (coloured) {
        text_ += escape(tone);
    }
    text_ += text;
    if (coloured) {
        text_ += "\033[0m";
    }
    text_ += '\n';
}

void Page::paragraph(std::string_view text, std::size_t indent, std::size_t hanging, Tone tone) {
    std::size_t margin = indent;
    // At least 20 characters of text per line, however narrow the terminal.
    const std::size_t width = style_.width == 0 ? SIZE_MAX : std::max(style_.width, hanging + 20);
    do {
        const std::size_t end = break_at(text, width == SIZE_MAX ? SIZE_MAX : width - margin);
        line(std::string(margin, ' ').append(text.substr(0, end)), tone);
        text.remove_prefix(std::min(end + 1, text.size()));
        margin = hanging;
    } while (!text.empty());
}

void Page::table(const Table& table, bool head) {
    Tone tone = head ? Tone::faint : Tone::plain;
    for (const std::string& text : table.lines()) {
        line(std::string(kIndent).append(text), tone);
        tone = Tone::plain;
    }
}

}  // namespace tw::sinks::format
