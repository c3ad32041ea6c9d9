// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/format/utf8.hpp"

#include <cstdint>

namespace tw::sinks::format {
namespace {

[[nodiscard]] std::uint8_t byte_at(std::string_view text, std::size_t index) {
    return static_cast<std::uint8_t>(text[index]);
}

}  // namespace

std::size_t utf8_bytes(std::string_view text, std::size_t at) {
    const std::uint8_t first = byte_at(text, at);
    std::size_t bytes = 0;
    std::uint8_t second_min = 0x80;
    std::uint8_t second_max = 0xBF;
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        bytes = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
        bytes = 3;
        second_min = first == 0xE0 ? 0xA0 : 0x80;
        second_max = first == 0xED ? 0x9F : 0xBF;
    } else if (first >= 0xF0 && first <= 0xF4) {
        bytes = 4;
        second_min = first == 0xF0 ? 0x90 : 0x80;
        second_max = first == 0xF4 ? 0x8F : 0xBF;
    }
    if (bytes == 0 || text.size() - at < bytes || byte_at(text, at + 1) < second_min ||
        byte_at(text, at + 1) > second_max) {
        return 0;
    }
    for (std::size_t i = 2; i < bytes; ++i) {
        if ((byte_at(text, at + i) & 0xC0) != 0x80) {
            return 0;
        }
    }
    return bytes;
}

}  // namespace tw::sinks::format
