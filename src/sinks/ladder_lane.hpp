// SPDX-License-Identifier: BSD-3-Clause
// One line of a ladder between its rails: cells of one column each, drawn with box characters, or
// with ASCII where the reader has no others. Knows columns, not segments.
//
//   |            client                tap               server           |
//   0            ...                  middle()                        last()
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tw::sinks {

// All of them one column wide in every terminal.
namespace glyph {
inline constexpr char32_t kLine = U'\u2500';
inline constexpr char32_t kDashes = U'\u254C';
inline constexpr char32_t kRail = U'\u2502';
inline constexpr char32_t kCross = U'\u253C';
inline constexpr char32_t kBoxLine = U'\u2550';
inline constexpr char32_t kBoxLeft = U'\u255E';
inline constexpr char32_t kBoxRight = U'\u2561';
inline constexpr char32_t kLost = U'\u2717';
inline constexpr char32_t kFold = U'\u22EE';
}  // namespace glyph

class Lane {
  public:
    // Room for the longest word there is, an IPv6 endpoint, in a box.
    static constexpr std::size_t kColumnsMin = 56;

    // Rails on both sides, and the tap's.
    Lane(std::size_t columns, char32_t rail);

    [[nodiscard]] std::size_t columns() const { return cells_.size(); }
    [[nodiscard]] std::size_t middle() const { return cells_.size() / 2; }
    [[nodiscard]] std::size_t last() const { return cells_.size() - 1; }

    // What lies beyond the rails is cut off.
    void put(std::size_t at, std::string_view ascii);
    void put(std::size_t at, char32_t glyph);
    // [from, to)
    void fill(std::size_t from, std::size_t to, char32_t glyph);

    [[nodiscard]] std::string text(bool ascii) const;

  private:
    std::u32string cells_;
};

}  // namespace tw::sinks
