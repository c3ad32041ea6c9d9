// SPDX-License-Identifier: BSD-3-Clause
// Which parts of its life a capture shows of a connection: Wireshark's tcp.completeness bit set.
#pragma once

#include <cstdint>

namespace tw::tcp::completeness {

inline constexpr std::uint8_t kSyn = 1;
inline constexpr std::uint8_t kSynAck = 2;
inline constexpr std::uint8_t kAck = 4;
inline constexpr std::uint8_t kData = 8;
inline constexpr std::uint8_t kFin = 16;
inline constexpr std::uint8_t kRst = 32;

}  // namespace tw::tcp::completeness
