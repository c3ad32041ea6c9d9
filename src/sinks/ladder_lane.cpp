// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/ladder_lane.hpp"

#include <algorithm>

namespace tw::sinks {
namespace {

[[nodiscard]] char ascii_of(char32_t glyph) {
    switch (glyph) {
        case glyph::kLine:
            return '-';
        case glyph::kDashes:
            return '.';
        case glyph::kRail:
            return '|';
        case glyph::kCross:
        case glyph::kBoxLeft:
        case glyph::kBoxRight:
            return '+';
        case glyph::kBoxLine:
            return '=';
        case glyph::kLost:
            return 'X';
        case glyph::kFold:
            return ':';
        default:
            return glyph < 0x80 ? static_cast<char>(glyph) : '?';
    }
}

// Only glyphs below U+10000 are drawn.
void append_utf8(std::string& out, char32_t glyph) {
    const auto byte = [&out](char32_t value) { out += static_cast<char>(value); };
    if (glyph < 0x80) {
        byte(glyph);
        return;
    }
    if (glyph < 0x800) {
        byte(0xC0 | (glyph >> 6));
    } else {
        byte(0xE0 | (glyph >> 12));
        byte(0x80 | ((glyph >> 6) & 0x3F));
    }
    byte(0x80 | (glyph & 0x3F));
}

}  // namespace

Lane::Lane(std::size_t columns, char32_t rail) : cells_(std::max(columns, kColumnsMin), U' ') {
    cells_.front() = cells_.back() = cells_[middle()] = rail;
}

void Lane::put(std::size_t at, std::string_view ascii) {
    for (std::size_t i = 0; i < ascii.size() && at + i < last(); ++i) {
        cells_[at + i] = static_cast<unsigned char>(ascii[i]);
    }
}

void Lane::put(std::size_t at, char32_t glyph) {
    if (at < cells_.size()) {
        cells_[at] = glyph;
    }
}

void Lane::fill(std::size_t from, std::size_t to, char32_t glyph) {
    for (std::size_t i = from; i < std::min(to, cells_.size()); ++i) {
        cells_[i] = glyph;
    }
}

std::string Lane::text(bool ascii) const {
    std::string out;
    for (const char32_t cell : cells_) {
        if (ascii) {
            out += ascii_of(cell);
        } else {
            append_utf8(out, cell);
        }
    }
    return out;
}

}  // namespace tw::sinks
