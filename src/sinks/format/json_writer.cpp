// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/format/json_writer.hpp"

#include <cstddef>

namespace tw::sinks::format {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

[[nodiscard]] std::uint8_t byte_at(std::string_view text, std::size_t index) {
    return static_cast<std::uint8_t>(text[index]);
}

// Bytes of the well-formed UTF-8 sequence at `at` (Unicode 15, table 3-7), 0 if it is not one.
[[nodiscard]] std::size_t utf8_bytes(std::string_view text, std::size_t at) {
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

void append_control(std::string& out, std::uint8_t control) {
    constexpr std::string_view kHex = "0123456789abcdef";
    switch (control) {
        case '\n':
            out += "\\n";
            return;
        case '\t':
            out += "\\t";
            return;
        case '\r':
            out += "\\r";
            return;
        default:
            out += "\\u00";
            out += kHex[control >> 4];
            out += kHex[control & 0xF];
    }
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::uint8_t byte = byte_at(text, at);
        const std::size_t bytes = utf8_bytes(text, at);
        if (bytes == 0) {
            out += kReplacement;
            ++at;
            continue;
        }
        if (byte < 0x20 || byte == 0x7F) {
            append_control(out, byte);
        } else {
            if (byte == '"' || byte == '\\') {
                out += '\\';
            }
            out.append(text.substr(at, bytes));
        }
        at += bytes;
    }
}

void append_seconds(std::string& out, Nanos time) {
    // Unsigned, so that the most negative value has a magnitude too.
    auto magnitude = static_cast<std::uint64_t>(time);
    if (time < 0) {
        out += '-';
        magnitude = std::uint64_t{0} - magnitude;
    }
    constexpr auto kPerSecond = static_cast<std::uint64_t>(kSecond);
    char digits[32];
    char* end = std::to_chars(digits, digits + sizeof digits, magnitude / kPerSecond).ptr;
    *end++ = '.';
    std::uint64_t fraction = magnitude % kPerSecond;
    for (int i = 8; i >= 0; --i) {
        end[i] = static_cast<char>('0' + fraction % 10);
        fraction /= 10;
    }
    out.append(digits, end + 9);
}

}  // namespace tw::sinks::format
