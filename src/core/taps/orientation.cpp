// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/orientation.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/flow/hash.hpp"

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;

// By what no firewall changes without being one that starts anew: a SYN's number may differ. At the
// two taps they are twins, at one tap a packet sent again.
bool are_alike(const Packet& one, const Packet& other, bool same_party) {
    constexpr std::uint8_t kShape = flag::kSyn | flag::kFin | flag::kRst;
    const bool same_digest = !one.digest_known || !other.digest_known || one.digest == other.digest;
    return same_party && ((one.flags ^ other.flags) & kShape) == 0 &&
           one.payload_bytes == other.payload_bytes && same_digest &&
           (one.has(flag::kSyn) || one.seq == other.seq) &&
           (one.space() != 0 || one.ack == other.ack);
}

// Not one that the firewall made in its place: a SYN of its own has other numbers or another clock,
// a packet sent again another identification.
bool are_surely_twins(const Packet& one, const Packet& other) {
    const bool same_clock = one.option(option_bit::kTimestamps) &&
                            other.option(option_bit::kTimestamps) && one.tsval == other.tsval;
    const bool same_name = one.v6 || one.ip_id == 0 || other.ip_id == 0 || one.ip_id == other.ip_id;
    return same_name && (one.seq == other.seq || same_clock);
}

// The side a packet came from, by the hops between the taps: a router takes one off, two in a row
// two. More, or none, is a box that sets the TTL.
std::optional<Side> side_by_ttl(const Packet& outside, const Packet& inside) {
    const int fall = outside.ttl - inside.ttl;
    if (fall == 1 || fall == 2) {
        return Side::outside;
    }
    if (fall == -1 || fall == -2) {
        return Side::inside;
    }
    return std::nullopt;
}

// Where the client is: between the two directions lies twice the transit, whatever the skew, as
// long as that is constant.
std::optional<Side> side_by_times(const Holding& held) {
    if (held.twins[kClient] == 0 || held.twins[kServer] == 0) {
        return std::nullopt;
    }
    if (held.least[kClient] > held.most[kServer]) {
        return Side::outside;
    }
    if (held.most[kClient] < held.least[kServer]) {
        return Side::inside;
    }
    return std::nullopt;
}

// No packet alone speaks for the other side. A mirror may be late with one direction only: then
// what lies between the directions is that, and packets seem to leave before they enter.
bool none_contradicts(const Holding& held, Side client) {
    return client == Side::outside ? held.least[kClient] >= 0 && held.most[kServer] <= 0
                                   : held.most[kClient] <= 0 && held.least[kServer] >= 0;
}

// What lies between the directions is clearly more than what varies within them, so that it is no
// accident of mirrors that come and go.
bool are_steady(const Holding& held) {
    constexpr std::uint32_t kTwinsMin = 2;
    Nanos spread = 0;
    for (std::size_t party = 0; party < kParties; ++party) {
        if (held.twins[party] < kTwinsMin) {
            return false;
        }
        spread = std::max(spread, held.most[party] - held.least[party]);
    }
    return std::max(held.least[kClient] - held.most[kServer],
                    held.least[kServer] - held.most[kClient]) > 2 * spread;
}

}  // namespace

SidesOfAddresses::SidesOfAddresses(std::uint32_t addresses_max, Backing backing, std::uint64_t seed)
    : mask_(std::bit_ceil(std::uint64_t{addresses_max}) - 1),
      seed_(seed),
      rows_(mask_ + 1, backing) {}

std::uint64_t SidesOfAddresses::hash_of(const flow::Endpoint& endpoint) const {
    std::uint64_t words[2];
    std::memcpy(words, endpoint.address.data(), sizeof words);
    return flow::fold(words[0] ^ seed_ ^ (endpoint.v6 ? flow::kMixB : 0),
                      words[1] ^ flow::second_seed(seed_));
}

void SidesOfAddresses::learn(const flow::Endpoint& endpoint, Side side) {
    const std::uint64_t hash = hash_of(endpoint);
    Row& row = rows_[hash & mask_];
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    const std::int32_t vote = side == Side::outside ? 1 : -1;
    if (row.tag != tag) {
        if (row.votes != 0) {
            row.votes += row.votes > 0 ? -1 : 1;
            return;
        }
        row.tag = tag;
    }
    // One vote against counts for four: an address that moves is soon not known any more.
    row.votes += (row.votes > 0) == (vote > 0) || row.votes == 0 ? vote : vote * 4;
    row.votes = std::clamp(row.votes, -kMost, kMost);
}

std::optional<Side> SidesOfAddresses::side_of(const flow::Endpoint& endpoint) const {
    const std::uint64_t hash = hash_of(endpoint);
    const Row& row = rows_[hash & mask_];
    if (row.tag != static_cast<std::uint32_t>(hash >> 32) || std::abs(row.votes) < kKnown) {
        return std::nullopt;
    }
    return row.votes > 0 ? Side::outside : Side::inside;
}

Orientation::Orientation(std::uint32_t packets_max, bool times_tell, Backing backing,
                         std::uint64_t seed)
    : times_tell_(times_tell),
      sides_(1U << 16, backing, seed),
      packets_(packets_max, backing),
      holdings_(packets_max, backing),
      packets_max_(packets_max) {}

void Orientation::compare(Holding& holding, const Live& live, const Packet& packet) {
    const std::uint8_t party = live.party_of(packet.tap, packet.sender);
    const Packet* twin = nullptr;
    bool sole = true;  // no other is like it: its times are those of one packet
    std::uint32_t at = holding.first;
    for (std::uint32_t i = 0; i < holding.count; ++i, at = packets_[at].next) {
        const Packet& held = packets_[at].packet;
        if (!are_alike(held, packet, live.party_of(held.tap, held.sender) == party)) {
            continue;
        }
        sole = sole && held.tap != packet.tap && twin == nullptr;
        twin = held.tap != packet.tap && twin == nullptr ? &held : twin;
    }
    if (twin == nullptr) {
        return;
    }
    const Packet& outside = packet.tap == Side::outside ? packet : *twin;
    const Packet& inside = packet.tap == Side::outside ? *twin : packet;
    const Nanos apart = inside.time - outside.time;
    if (!holding.has_apart[party]) {
        holding.has_apart[party] = true;
        holding.apart[party] = apart;
    }
    if (sole && are_surely_twins(outside, inside)) {
        const bool first = holding.twins[party]++ == 0;
        holding.least[party] = first ? apart : std::min(holding.least[party], apart);
        holding.most[party] = first ? apart : std::max(holding.most[party], apart);
    }
    // A box that makes a SYN of its own sets its TTL too: the times must not contradict.
    const auto side = side_by_ttl(outside, inside);
    const bool contradicted = side && (*side == Side::outside ? apart < 0 : apart > 0);
    if (side && !holding.ttl_told && !(contradicted && packet.has(flag::kSyn))) {
        holding.ttl_told = true;
        holding.ttl_client_side = party == kClient ? *side : other(*side);
    }
}

bool Orientation::hold(Live& live, const Packet& packet, bool copy, std::uint32_t most) {
    if (live.holding == 0) {
        live.holding = holdings_.take();
        if (live.holding == 0) {
            return false;
        }
        holdings_[live.holding] = Holding{};
        holdings_[live.holding].since = packet.time;
    }
    Holding& holding = holdings_[live.holding];
    const std::uint32_t index = holding.count < most ? packets_.take() : 0;
    if (index == 0) {
        return false;
    }
    if (!copy) {
        compare(holding, live, packet);
        ++holding.seen[tw::taps::index(packet.tap)][live.party_of(packet.tap, packet.sender)];
    }
    packets_[index] = {packet, 0, copy};
    (holding.count == 0 ? holding.first : packets_[holding.last].next) = index;
    holding.last = index;
    ++holding.count;
    return true;
}

std::optional<Oriented> Orientation::told(const Live& live,
                                          const Conversations& conversations) const {
    std::optional<Side> client;
    for (const Side tap : {Side::outside, Side::inside}) {
        if (!live.at(tap)) {
            continue;
        }
        const std::uint32_t tuple = live.tuple[index(tap)] - 1;
        const std::uint8_t sender = live.client_sender[index(tap)];
        const auto one = sides_.side_of(conversations.endpoint(tuple, sender));
        const auto two = sides_.side_of(conversations.endpoint(tuple, sender ^ 1));
        const auto side = one ? one : two ? std::optional(other(*two)) : std::nullopt;
        if (!side || (two && *two == *side) || (client && *client != *side)) {
            client = std::nullopt;
            break;
        }
        client = side;
    }
    if (client) {
        return Oriented{*client, true};
    }
    const Holding* const held = holding(live);
    if (held == nullptr) {
        return std::nullopt;
    }
    if (held->ttl_told) {
        return Oriented{held->ttl_client_side, true};
    }
    if (const auto side = side_by_times(*held);
        times_tell_ && side && are_steady(*held) && none_contradicts(*held, *side)) {
        return Oriented{*side, true};
    }
    return std::nullopt;
}

Oriented Orientation::decide(const Live& live, const Conversations& conversations) const {
    if (const auto found = told(live, conversations)) {
        return *found;
    }
    const Holding* const held = holding(live);
    if (held == nullptr) {
        return {};
    }
    if (const auto side = side_by_times(*held)) {
        return {*side, false};
    }
    // One direction alone cannot tell transit from skew.
    if (held->has_apart[kClient]) {
        return {held->apart[kClient] >= 0 ? Side::outside : Side::inside, false};
    }
    if (held->has_apart[kServer]) {
        return {held->apart[kServer] >= 0 ? Side::inside : Side::outside, false};
    }
    const auto& seen = held->seen;
    const bool outside = seen[0][kClient] + seen[0][kServer] != 0;
    const bool inside = seen[1][kClient] + seen[1][kServer] != 0;
    if (outside != inside) {
        // What a client alone sends and never leaves comes from its side, unless the other tap
        // missed it each time; where both are heard at one tap, the other misses all of them.
        const Side tap = outside ? Side::outside : Side::inside;
        const auto [clients, servers] = seen[index(tap)];
        return {clients != 0 ? tap : other(tap), live.client_known && clients >= 2 && servers == 0};
    }
    return {packets_[held->first].packet.tap, false};
}

bool Orientation::release(Live& live, HeldPacket& packet) {
    if (live.holding == 0) {
        return false;
    }
    Holding& holding = holdings_[live.holding];
    if (holding.count == 0) {
        holdings_.give_back(live.holding);
        live.holding = 0;
        return false;
    }
    const std::uint32_t index = holding.first;
    packet = packets_[index];
    holding.first = packet.next;
    --holding.count;
    packets_.give_back(index);
    return true;
}

void Orientation::take_all(Live& live, HeldPackets& packets) {
    packets.count = 0;
    HeldPacket packet;
    while (release(live, packet)) {
        packets.packets[packets.count++] = packet;
    }
}

void Orientation::learn(const Live& live, const Conversations& conversations) {
    for (const Side tap : {Side::outside, Side::inside}) {
        if (!live.at(tap)) {
            continue;
        }
        const std::uint32_t tuple = live.tuple[index(tap)] - 1;
        const std::uint8_t sender = live.client_sender[index(tap)];
        sides_.learn(conversations.endpoint(tuple, sender), live.client_side);
        sides_.learn(conversations.endpoint(tuple, sender ^ 1), other(live.client_side));
        if (live.tuple[0] == live.tuple[1]) {
            return;
        }
    }
}

std::size_t Orientation::memory_bytes() const {
    return sides_.memory_bytes() + packets_max_ * (Pool<HeldPacket>::bytes_per_record() +
                                                   Pool<Holding>::bytes_per_record());
}

}  // namespace tw::taps
