// SPDX-License-Identifier: BSD-3-Clause
// The per-packet facts: Wireshark's tcp.analysis flags, equal to tshark 4.0.17 packet for packet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tw::tcp {

enum class Flag : std::uint8_t {
#define FLAG(id, help) id,
#include "core/tcp/flags.def"
};

inline constexpr std::size_t kFlags = 0
#define FLAG(id, help) +1
#include "core/tcp/flags.def"
    ;

struct FlagInfo {
    Flag id;
    std::string_view name;
    std::string_view help;
};

// In the order of output.
[[nodiscard]] std::span<const FlagInfo, kFlags> flag_table();

// The flags of one frame, one bit each.
class FlagSet {
  public:
    constexpr void set(Flag flag) { bits_ = static_cast<std::uint16_t>(bits_ | mask(flag)); }
    [[nodiscard]] constexpr bool has(Flag flag) const { return (bits_ & mask(flag)) != 0; }
    [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
    [[nodiscard]] constexpr std::uint16_t bits() const { return bits_; }
    friend constexpr bool operator==(FlagSet, FlagSet) = default;

  private:
    static constexpr std::uint16_t mask(Flag flag) {
        return static_cast<std::uint16_t>(1U << static_cast<unsigned>(flag));
    }
    std::uint16_t bits_ = 0;
};
static_assert(kFlags <= 16);

using FlagCounts = std::array<std::uint32_t, kFlags>;

}  // namespace tw::tcp
