// SPDX-License-Identifier: BSD-3-Clause
// Frames that one tap delivered twice: mirrors that copy at both ends of a switch, spanning ports
// that see a packet come and go. Marked before twins are looked for, so that a mirror's second copy
// is never called lost by the firewall. The rule is core/tcp/same_frame's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "core/taps/packet.hpp"

namespace tw::taps {

class Copies {
  public:
    // `frames_max`: how many frames of both taps are remembered; those of 10 ms are worth it.
    Copies(std::uint32_t frames_max, Backing backing, std::uint64_t seed);

    // What must be equal: everything of the packet but time and TTL. `connection` tells apart what
    // the packet does not: addresses and ports.
    [[nodiscard]] std::uint64_t identity(const Packet& packet, std::uint64_t connection) const;
    void prefetch(std::uint64_t identity) const { __builtin_prefetch(&sets_[set_of(identity)], 1); }
    // True if this packet is a copy of one before it. Remembers it either way.
    [[nodiscard]] bool saw(const Packet& packet, std::uint64_t identity);

    [[nodiscard]] std::size_t memory_bytes() const { return sets_.bytes(); }

  private:
    static constexpr std::size_t kWays = 4;
    struct Remembered {
        std::uint64_t identity;
        std::uint64_t time_ttl;  // nanoseconds above, TTL in the low byte
    };
    struct alignas(64) Set {
        Remembered frames[kWays];
    };
    static_assert(sizeof(Set) == 64, "one cache line");

    // Of the packets of a tap that can be told apart: how many came, and how many of them again.
    struct Certain {
        std::uint32_t packets;
        std::uint32_t copies;
    };
    void count(Certain& certain, bool copy);

    [[nodiscard]] std::size_t set_of(std::uint64_t identity) const { return identity & mask_; }

    std::uint64_t mask_;
    std::uint64_t seed_;
    LazyArray<Set> sets_;
    std::array<Certain, kSides> certain_{};
};

}  // namespace tw::taps
