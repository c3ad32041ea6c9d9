// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/desk.hpp"

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;

// Both sides of 16,000 connections: those of 2 s, the furthest apart that two SYNs may be, at 8,000
// new ones a second.
constexpr std::uint32_t kConversations = 1U << 15;

}  // namespace

PairingDesk::PairingDesk(const EngineOptions& options, stats::Counters& counters)
    : counters_(counters),
      conversations_({.conversations_max = kConversations,
                      .backing = Backing::lazy,
                      .hash_seed = options.hash_seed}),
      pairing_(options, conversations_),
      places_(kConversations, Backing::lazy) {}

// Its own, or a new one; the oldest makes room.
std::uint32_t PairingDesk::slot_of(const Introduction& introduction) {
    const std::uint32_t hash = conversations_.hash_of(found_);
    const std::uint32_t tuple = conversations_.find(&found_.key, hash, found_.v6);
    if (tuple != Conversations::kNone) {
        const std::uint32_t slot = conversations_.tuple(tuple).conversation;
        if (places_[slot] == introduction.from) {
            return slot;
        }
        conversations_.remove(slot);
    }
    const Side tap = introduction.packet.tap;
    std::uint32_t slot = conversations_.add(found_, hash, tap);
    while (slot == Conversations::kNone) {
        if (conversations_.live(hand_).stage != Stage::unused) {
            conversations_.remove(hand_);
        }
        hand_ = hand_ + 1 == kConversations ? 0 : hand_ + 1;
        slot = conversations_.add(found_, hash, tap);
    }
    places_[slot] = introduction.from;
    return slot;
}

std::optional<PairingDesk::Match> PairingDesk::match(std::uint32_t slot,
                                                     const Introduction& introduction,
                                                     const NatPairing::Found& found) {
    const Place there = places_[found.slot];
    const bool is_outside = introduction.packet.tap == Side::outside;
    // Neither is anybody else's any more, whatever else is shown of it.
    conversations_.share(found.slot, introduction.packet.tap);
    conversations_.share(slot, other(introduction.packet.tap));
    if (there.worker == introduction.from.worker) {
        return std::nullopt;  // it sees both, and knows more
    }
    return Match{.outside = is_outside ? introduction.from : there,
                 .inside = is_outside ? there : introduction.from,
                 .how = found.how,
                 .aligned = found.sender == introduction.packet.sender};
}

std::optional<PairingDesk::Match> PairingDesk::introduce(const Introduction& introduction) {
    const Packet& packet = introduction.packet;
    doubted_ = {};
    found_.v6 = introduction.key.v6;
    if (found_.v6) {
        found_.key.v6_key = introduction.key.v6_key;
    } else {
        found_.key.v4 = introduction.key.v4;
    }
    const std::uint32_t slot = slot_of(introduction);
    if (introduction.withdrawn) {
        conversations_.share(slot, other(packet.tap));
    }
    if (conversations_.live(slot).at(other(packet.tap))) {
        return std::nullopt;
    }
    if (const auto hinted = pairing_.find_by_hint(found_, packet.tap);
        hinted.slot != Conversations::kNone) {
        return match(slot, introduction, hinted);
    }
    if (packet.kind != PacketKind::segment) {
        return std::nullopt;
    }
    const auto found = pairing_.find(slot, packet);
    counters_.add(stats::Counter::taps_ambiguous, found.ambiguous ? 1 : 0);
    if (found.slot != Conversations::kNone) {
        return match(slot, introduction, found);
    }
    pairing_.remember(packet, slot);
    if ((packet.flags & (flag::kSyn | flag::kAck)) == flag::kSyn) {
        doubted_ = pairing_.doubt(slot, packet);
    }
    return std::nullopt;
}

std::optional<Place> PairingDesk::next_doubted() {
    if (doubted_.count == 0) {
        return std::nullopt;
    }
    return places_[doubted_.slots[--doubted_.count]];
}

std::size_t PairingDesk::memory_bytes() const {
    return conversations_.memory_bytes() + pairing_.memory_bytes() + places_.bytes();
}

}  // namespace tw::taps
