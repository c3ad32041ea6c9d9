// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/format/json_writer.hpp"

#include <cstddef>

#include "sinks/format/utf8.hpp"

namespace tw::sinks::format {
namespace {

[[nodiscard]] std::uint8_t byte_at(std::string_view text, std::size_t index) {
    return static_cast<std::uint8_t>(text[index]);
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
            out += kReplacementCharacter;
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
