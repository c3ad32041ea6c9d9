// SPDX-License-Identifier: BSD-3-Clause
// A window onto received bytes: what was captured of it, and how long it was on the wire. The only
// way the decoder reads wire bytes; ask has() before reading, which DCHECKs. Never owns, never
// grows: skip() and limit() only narrow the window.
//
//   at
//   |<-- captured: readable -->|
//   |<------------- wire: what the headers so far say was sent ----------->|
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/check.hpp"

namespace tw {

class ByteReader {
  public:
    // Captures may claim less wire than they captured, which is taken at its bytes, and lengths no
    // frame has, where Wireshark stops at 2^31 - 1.
    ByteReader(const std::uint8_t* data, std::uint32_t captured_bytes, std::uint32_t wire_bytes)
        : at_(data), captured_(captured_bytes), wire_(wire_bytes) {
        constexpr std::uint32_t kWireBytesMax = 0x7FFF'FFFF;
        if (wire_bytes < captured_bytes) [[unlikely]] {
            wire_ = captured_bytes;
        } else if (wire_bytes > kWireBytesMax) [[unlikely]] {
            wire_ = std::max(captured_bytes, kWireBytesMax);
        }
    }

    [[nodiscard]] bool has(std::uint32_t count) const { return captured_ >= count; }
    [[nodiscard]] std::uint32_t captured_bytes() const { return captured_; }
    [[nodiscard]] std::uint32_t wire_bytes() const { return wire_; }

    [[nodiscard]] std::uint8_t u8(std::uint32_t offset) const {
        TW_DCHECK(offset < captured_);
        return at_[offset];
    }
    [[nodiscard]] std::uint16_t be16(std::uint32_t offset) const {
        TW_DCHECK(captured_ >= 2 && offset <= captured_ - 2);
        std::uint16_t value = 0;
        std::memcpy(&value, at_ + offset, sizeof value);
        return std::endian::native == std::endian::little ? __builtin_bswap16(value) : value;
    }
    [[nodiscard]] std::uint32_t be32(std::uint32_t offset) const {
        TW_DCHECK(captured_ >= 4 && offset <= captured_ - 4);
        std::uint32_t value = 0;
        std::memcpy(&value, at_ + offset, sizeof value);
        return std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
    }
    // `count` readable bytes at `offset`.
    [[nodiscard]] const std::uint8_t* bytes(std::uint32_t offset, std::uint32_t count) const {
        TW_DCHECK(count <= captured_ && offset <= captured_ - count);
        static_cast<void>(count);
        return at_ + offset;
    }

    // Steps over `count` captured bytes.
    void skip(std::uint32_t count) {
        TW_DCHECK(count <= captured_);
        at_ += count;
        captured_ -= count;
        wire_ -= count;
    }
    // What follows belongs to an outer header: a length field says the packet ends after
    // `wire_bytes`. Longer than the window: no effect.
    void limit(std::uint32_t wire_bytes) {
        wire_ = std::min(wire_, wire_bytes);
        captured_ = std::min(captured_, wire_bytes);
    }

  private:
    const std::uint8_t* at_;
    std::uint32_t captured_;  // <= wire_
    std::uint32_t wire_;
};

}  // namespace tw
