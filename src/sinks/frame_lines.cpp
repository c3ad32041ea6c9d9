// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/frame_lines.hpp"

#include <charconv>
#include <cstring>
#include <string_view>

namespace tw::sinks {
namespace {

// A frame number, a TAB, every name with its comma and the newline.
constexpr std::size_t kLineMax = 20 + 1 + tcp::kFlags * 24 + 1;

}  // namespace

void FrameLines::write_line(std::uint64_t frame_number, tcp::FlagSet flags) {
    char line[kLineMax];
    char* end = std::to_chars(line, line + kLineMax, frame_number).ptr;
    char separator = '\t';
    for (const tcp::FlagInfo& flag : tcp::flag_table()) {
        if (flags.has(flag.id)) {
            *end++ = separator;
            std::memcpy(end, flag.name.data(), flag.name.size());
            end += flag.name.size();
            separator = ',';
        }
    }
    *end++ = '\n';
    file_.append({line, static_cast<std::size_t>(end - line)});
}

}  // namespace tw::sinks
