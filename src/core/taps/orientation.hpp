// SPDX-License-Identifier: BSD-3-Clause
// On which side of the firewall the client of a conversation is. Until that is told, its packets
// are held back here: which of two taps is the entrance decides what "lost" means. Told by the side
// on which an address was seen to be before, by the TTL that falls on the way, by transit times
// where no packet of either direction seems to leave before it enters, and at last, when nothing
// more can come, by the one tap that saw the packets alone.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/lazy_array.hpp"
#include "base/pool.hpp"
#include "base/time.hpp"
#include "core/flow/key.hpp"
#include "core/taps/conversations.hpp"
#include "core/taps/packet.hpp"
#include "core/taps/side.hpp"

namespace tw::taps {

// Sides of addresses as learnt from conversations whose orientation was told.
class SidesOfAddresses {
  public:
    SidesOfAddresses(std::uint32_t addresses_max, Backing backing, std::uint64_t seed);

    void learn(const flow::Endpoint& endpoint, Side side);
    [[nodiscard]] std::optional<Side> side_of(const flow::Endpoint& endpoint) const;
    [[nodiscard]] std::size_t memory_bytes() const { return rows_.bytes(); }

  private:
    // Votes at which a side counts as known, and at most kept.
    static constexpr std::int32_t kKnown = 1;
    static constexpr std::int32_t kMost = 32;
    struct Row {
        std::uint32_t tag;  // of the address; another one takes the row over when its votes are out
        std::int32_t votes;  // outside positive, inside negative
    };

    [[nodiscard]] std::uint64_t hash_of(const flow::Endpoint& endpoint) const;

    std::uint64_t mask_;
    std::uint64_t seed_;
    LazyArray<Row> rows_;
};

struct HeldPacket {
    Packet packet;
    std::uint32_t next;
    bool copy;
};

// What a conversation's held packets tell so far.
struct Holding {
    std::uint32_t first;
    std::uint32_t last;
    std::uint32_t count;
    Nanos since;
    // Time at the inside tap less time at the outside tap, of the packets of each party that both
    // saw, as far as their numbers or timestamps say that no firewall made them: least and most.
    std::array<Nanos, kParties> least;
    std::array<Nanos, kParties> most;
    std::array<std::uint32_t, kParties> twins;
    // Of the first that may be one.
    std::array<Nanos, kParties> apart;
    std::array<bool, kParties> has_apart;
    bool ttl_told;
    Side ttl_client_side;
    std::array<std::array<std::uint32_t, kParties>, kSides> seen;  // packets by tap and party
};

struct Oriented {
    Side client_side = Side::outside;
    bool known = false;
};

// Packets that one conversation may hold; the next one decides. More while other workers are asked
// for its other half, which takes as long as their threads stand still.
inline constexpr std::uint32_t kHeldOfOne = 16;
inline constexpr std::uint32_t kHeldWhileAsking = 256;
struct HeldPackets {
    std::array<HeldPacket, kHeldWhileAsking> packets;
    std::uint32_t count = 0;
};

class Orientation {
  public:
    // `times_tell`: the taps have one clock, or two that agree.
    Orientation(std::uint32_t packets_max, bool times_tell, Backing backing, std::uint64_t seed);

    // False when there is no room: decide now.
    [[nodiscard]] bool hold(Live& live, const Packet& packet, bool copy,
                            std::uint32_t most = kHeldOfOne);
    // Told by what is held, or by the addresses; nothing = not yet.
    [[nodiscard]] std::optional<Oriented> told(const Live& live,
                                               const Conversations& conversations) const;
    // Nothing more can come, or there is no room to wait.
    [[nodiscard]] Oriented decide(const Live& live, const Conversations& conversations) const;
    // The oldest packet held, taken out; false when none is left, and the holding is given back.
    [[nodiscard]] bool release(Live& live, HeldPacket& packet);
    // All of them, the oldest first.
    void take_all(Live& live, HeldPackets& packets);

    // What an oriented conversation teaches.
    void learn(const Live& live, const Conversations& conversations);
    [[nodiscard]] std::size_t memory_bytes() const;
    [[nodiscard]] const Holding* holding(const Live& live) const {
        return live.holding == 0 ? nullptr : &holdings_[live.holding];
    }
    [[nodiscard]] const HeldPacket& packet(std::uint32_t index) const { return packets_[index]; }

  private:
    void compare(Holding& holding, const Live& live, const Packet& packet);

    bool times_tell_;
    SidesOfAddresses sides_;
    Pool<HeldPacket> packets_;
    Pool<Holding> holdings_;
    std::uint32_t packets_max_;
};

}  // namespace tw::taps
