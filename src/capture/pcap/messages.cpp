// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tw::pcap {
namespace {

// Bytes of the UTF-8 character at the front of `bytes` (RFC 3629, section 4); 0 if there is none.
std::size_t utf8_bytes(std::span<const std::uint8_t> bytes) {
    const std::uint8_t first = bytes[0];
    std::size_t count = 0;
    std::uint8_t second_low = 0x80;
    std::uint8_t second_high = 0xBF;
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xC2 && first <= 0xDF) {
        count = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
        count = 3;
        second_low = first == 0xE0 ? 0xA0 : 0x80;   // overlong
        second_high = first == 0xED ? 0x9F : 0xBF;  // surrogates
    } else if (first >= 0xF0 && first <= 0xF4) {
        count = 4;
        second_low = first == 0xF0 ? 0x90 : 0x80;   // overlong
        second_high = first == 0xF4 ? 0x8F : 0xBF;  // beyond U+10FFFF
    } else {
        return 0;
    }
    if (bytes.size() < count || bytes[1] < second_low || bytes[1] > second_high) {
        return 0;
    }
    for (std::size_t index = 2; index < count; ++index) {
        if ((bytes[index] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return count;
}

// C0, DEL, and C1 (U+0080 .. U+009F), which terminals obey too.
bool is_control(std::span<const std::uint8_t> character) {
    if (character.size() == 1) {
        return character[0] < 0x20 || character[0] == 0x7F;
    }
    return character.size() == 2 && character[0] == 0xC2 && character[1] < 0xA0;
}

struct Known {
    std::string_view magic;
    std::string_view name;
};

using namespace std::string_view_literals;

constexpr std::array kKnown = {
    Known{"snoop\0\0\0"sv, "a snoop capture"},
    Known{"btsnoop\0"sv, "a Bluetooth btsnoop capture"},
    Known{"iptrace "sv, "an AIX iptrace capture"},
    Known{"GMBU"sv, "a Microsoft Network Monitor capture"},
    Known{"RTSS"sv, "a Microsoft Network Monitor capture"},
    Known{"TRSNIFF data"sv, "a Sniffer capture"},
    Known{"XCP\0"sv, "a NetXRay capture"},
    Known{"\xac\x01\x00\x1c"sv, "Ixia's variant of pcap"},
    Known{"\xab\x01\x00\x1c"sv, "Ixia's variant of pcap"},
    Known{"\x28\xb5\x2f\xfd"sv, "a zstd file: decompress it first"},
    Known{"\x04\x22\x4d\x18"sv, "an lz4 file: decompress it first"},
    Known{"\xfd"
          "7zXZ\0"sv,
          "an xz file: decompress it first"},
    Known{"BZh"sv, "a bzip2 file: decompress it first"},
    Known{"PK\x03\x04"sv, "a zip archive: unpack it first"},
    Known{"\x7f"
          "ELF"sv,
          "a program"},
};

}  // namespace

std::string printable(std::span<const std::uint8_t> bytes) {
    bytes = bytes.first(std::min(bytes.size(), kTextBytesMax));
    std::string text;
    while (!bytes.empty() && bytes[0] != 0) {
        const std::size_t count = utf8_bytes(bytes);
        if (count == 0 || is_control(bytes.first(count))) {
            text.push_back('?');
        } else {
            text.append(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
        }
        bytes = bytes.subspan(std::max<std::size_t>(count, 1));
    }
    return text;
}

std::string describe_content(std::span<const std::uint8_t> first_bytes) {
    for (const Known& known : kKnown) {
        if (first_bytes.size() >= known.magic.size() &&
            std::equal(known.magic.begin(), known.magic.end(), first_bytes.begin(),
                       [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; })) {
            return std::string(known.name);
        }
    }
    const bool text = std::all_of(first_bytes.begin(), first_bytes.end(), [](std::uint8_t byte) {
        return (byte >= 0x20 && byte < 0x7F) || (byte >= '\t' && byte <= '\r');
    });
    if (text) {
        return "a text file";
    }
    std::string hex;
    for (const std::uint8_t byte :
         first_bytes.first(std::min<std::size_t>(first_bytes.size(), 4))) {
        hex += fmt::format("{}{:02x}", hex.empty() ? "" : " ", byte);
    }
    return "unknown, first bytes " + hex;
}

}  // namespace tw::pcap
