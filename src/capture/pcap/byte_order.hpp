// SPDX-License-Identifier: BSD-3-Clause
// Numbers of a capture file: in the byte order of the host that wrote it, at any alignment. The
// caller has checked that the bytes are there.
#pragma once

#include <cstdint>
#include <cstring>

namespace tw::pcap {

[[nodiscard]] inline std::uint16_t load16(const std::uint8_t* bytes, bool swapped) {
    std::uint16_t value;
    std::memcpy(&value, bytes, sizeof value);
    return swapped ? __builtin_bswap16(value) : value;
}

[[nodiscard]] inline std::uint32_t load32(const std::uint8_t* bytes, bool swapped) {
    std::uint32_t value;
    std::memcpy(&value, bytes, sizeof value);
    return swapped ? __builtin_bswap32(value) : value;
}

[[nodiscard]] inline std::uint64_t load64(const std::uint8_t* bytes, bool swapped) {
    std::uint64_t value;
    std::memcpy(&value, bytes, sizeof value);
    return swapped ? __builtin_bswap64(value) : value;
}

}  // namespace tw::pcap
