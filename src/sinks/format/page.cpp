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

std::vector<std::string_view> wrapped_lines(std::string_view text, std::size_t first,
                                            std::size_t width) {
    std::vector<std::string_view> lines;
    std::size_t fits = first;
    do {
        const std::size_t end = fits == 0 ? text.size() : break_at(text, fits);
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        fits = width;
    } while (!text.empty());
    return lines;
}

std::vector<Table::Line> Table::lines() const {
    const std::vector<std::size_t> widths = column_widths(rows_, alignment_.size());
    std::vector<Line> lines;
    for (const auto& row : rows_) {
        Line line;
        for (std::size_t i = 0; i + 1 < row.size(); ++i) {
            const std::size_t padding = widths[i] - row[i].size();
            line.head.append(alignment_[i] == '>' ? padding : 0, ' ').append(row[i]);
            line.head.append(alignment_[i] == '>' ? 0 : padding, ' ').append(kGap);
        }
        const bool right = !last_is_text() && !row.empty();
        line.last.append(right ? widths[row.size() - 1] - row.back().size() : 0, ' ');
        line.last.append(row.empty() ? "" : row.back());
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
    wrapped(std::string(indent, ' '), text, hanging, tone);
}

void Page::wrapped(std::string start, std::string_view text, std::size_t hanging, Tone tone) {
    // At least 20 characters of text per line, however narrow the terminal.
    const std::size_t margin = std::max(start.size(), hanging);
    const std::size_t width = style_.width == 0 ? 0 : std::max(style_.width, margin + 20);
    const std::size_t first = width == 0 ? 0 : width - start.size();
    const std::size_t rest = width == 0 ? 0 : width - hanging;
    for (const std::string_view part : wrapped_lines(text, first, rest)) {
        line(start.append(part), tone);
        start.assign(hanging, ' ');
    }
}

void Page::table(const Table& table, bool head) {
    Tone tone = head ? Tone::faint : Tone::plain;
    for (const Table::Line& row : table.lines()) {
        std::string start = std::string(kIndent).append(row.head);
        const std::size_t margin = start.size();
        if (row.last.find_first_not_of(' ') == std::string::npos) {
            start.erase(start.find_last_not_of(' ') + 1);
            line(start, tone);
        } else if (table.last_is_text()) {
            wrapped(start, row.last, margin, tone);
        } else {
            line(start.append(row.last), tone);
        }
        tone = Tone::plain;
    }
}

}  // namespace tw::sinks::format
