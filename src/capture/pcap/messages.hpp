// SPDX-License-Identifier: BSD-3-Clause
// Words shared by the messages about capture files, and the cleaning of text that comes from them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tw::pcap {

inline constexpr std::string_view kExpectedFormat = "a pcap or pcapng file, plain or gzip";
inline constexpr std::string_view kExpectedInput =
    "a pcap or pcapng file, plain or gzip, or - for standard input";

// "-" is shown as "standard input".
[[nodiscard]] inline std::string shown_path(const std::string& path) {
    return path == "-" ? "standard input" : path;
}

// At most kTextBytesMax bytes of `bytes`, up to the first NUL, as text that is safe on a terminal
// and in JSON: control characters and what is not UTF-8 become '?'.
inline constexpr std::size_t kTextBytesMax = 256;
[[nodiscard]] std::string printable(std::span<const std::uint8_t> bytes);

// What a file that is no capture seems to be: "a snoop capture", "a zstd file", "a text file"; or
// its first bytes in hexadecimal.
[[nodiscard]] std::string describe_content(std::span<const std::uint8_t> first_bytes);

}  // namespace tw::pcap
