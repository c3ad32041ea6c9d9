// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/format/xml.hpp"

#include <cstdint>

#include "sinks/format/utf8.hpp"

namespace tw::sinks::format {
namespace {

// What one character becomes; "" = it stays.
[[nodiscard]] std::string_view instead_of(char c, bool attribute) {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\'':
            return "&apos;";
        case '\n':
            return attribute ? "&#10;" : "";
        case '\t':
            return attribute ? "&#9;" : "";
        case '\r':
            return "&#13;";
        default:
            return static_cast<std::uint8_t>(c) < 0x20 ? kReplacementCharacter : "";
    }
}

}  // namespace

void append_xml_escaped(std::string& out, std::string_view text, bool attribute) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t bytes = utf8_bytes(text, at);
        const std::string_view character = text.substr(at, bytes);
        // U+FFFE and U+FFFF are UTF-8 and no characters of XML.
        const bool outside = character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";
        if (bytes == 0 || outside) {
            out += kReplacementCharacter;
        } else if (const std::string_view other = instead_of(text[at], attribute);
                   bytes == 1 && !other.empty()) {
            out += other;
        } else {
            out += character;
        }
        at += bytes == 0 ? 1 : bytes;
    }
}

}  // namespace tw::sinks::format
