// SPDX-License-Identifier: BSD-3-Clause
// What all pcapng blocks share: types, framing, and the options at their end (code, length, value
// padded to 4 bytes, until code 0 or the end of the block).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "capture/pcap/byte_order.hpp"

namespace tw::pcap {

namespace block_type {
inline constexpr std::uint32_t kInterfaceDescription = 1;
inline constexpr std::uint32_t kObsoletePacket = 2;
inline constexpr std::uint32_t kSimplePacket = 3;
inline constexpr std::uint32_t kInterfaceStatistics = 5;
inline constexpr std::uint32_t kEnhancedPacket = 6;
inline constexpr std::uint32_t kSectionHeader = 0x0A0D0D0A;  // the same in both byte orders
}  // namespace block_type

inline constexpr std::uint32_t kByteOrderMagic = 0x1A2B3C4D;
inline constexpr std::size_t kBlockFrameBytes = 12;  // type and both lengths
// Of blocks that are looked into; ones that are skipped may have any length.
inline constexpr std::uint32_t kBlockBytesMax = 16U << 20;

[[nodiscard]] constexpr std::uint32_t padded(std::uint32_t bytes) {
    return (bytes + 3) & ~3U;
}

struct PcapngOption {
    std::uint16_t code;
    std::span<const std::uint8_t> value;

    [[nodiscard]] std::optional<std::uint64_t> count(bool swapped) const {
        if (value.size() != 8) {
            return std::nullopt;
        }
        return load64(value.data(), swapped);
    }
};

class PcapngOptions {
  public:
    PcapngOptions(std::span<const std::uint8_t> bytes, bool swapped)
        : rest_(bytes), swapped_(swapped) {}

    // The next option; empty at the end or where one runs over the block, see malformed().
    [[nodiscard]] std::optional<PcapngOption> next() {
        constexpr std::size_t kHeaderBytes = 4;
        if (rest_.size() < kHeaderBytes) {
            return std::nullopt;
        }
        const std::uint16_t code = load16(rest_.data(), swapped_);
        const std::size_t bytes = load16(rest_.data() + 2, swapped_);
        if (code == 0) {
            return std::nullopt;
        }
        const std::size_t padded_bytes = (bytes + 3) / 4 * 4;
        if (rest_.size() - kHeaderBytes < padded_bytes) {
            malformed_ = true;
            return std::nullopt;
        }
        const PcapngOption option{code, rest_.subspan(kHeaderBytes, bytes)};
        rest_ = rest_.subspan(kHeaderBytes + padded_bytes);
        return option;
    }

    [[nodiscard]] bool malformed() const { return malformed_; }

  private:
    std::span<const std::uint8_t> rest_;
    bool swapped_;
    bool malformed_ = false;
};

}  // namespace tw::pcap
