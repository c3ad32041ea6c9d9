// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/legs.hpp"

#include <algorithm>
#include <bit>

#include "core/flow/hash.hpp"

namespace tw::taps {
namespace {

// Sums of 16 bits at so many places of a stream: fewer may agree by accident.
constexpr std::uint32_t kAgreeMin = 2;
// Neighbours of one print looked at, to each side: more are too many alike to be told apart.
constexpr std::uint32_t kNeighboursMax = 64;

// Sides of the same event: this tap's time is later by no more than that, or earlier by the skew.
bool follows(Nanos later, Nanos earlier, Nanos skew, Nanos window) {
    return later == 0 || earlier == 0 ||
           (later >= earlier - skew && later <= earlier + window + skew);
}

// What a client's bytes and a server's do: they enter at their own side first.
bool fits(const Leg& client, const Leg& server, Nanos skew, Nanos window) {
    const auto& [asked, answered] = client.streams;
    const auto& [asks, answers] = server.streams;
    return follows(asks.data_at, asked.data_at, skew, window) &&
           follows(answered.data_at, answers.data_at, skew, window);
}

// From what the client sends to what the server sends: whatever the skew, longer at the client's
// side.
Nanos wait_of(const Leg& leg) {
    const auto& [client, server] = leg.streams;
    return client.data_at == 0 || server.data_at == 0 ? 0 : server.data_at - client.data_at;
}

bool is_subset(std::uint16_t options, std::uint16_t of) {
    return (options & ~of) == 0;
}

// What no rewriting does to a SYN: a larger MSS, an option that was not there, another scale.
bool is_anothers(const Stream& entered, const Stream& left) {
    const bool scale = entered.scale >= 0 && left.scale >= 0 && entered.scale != left.scale;
    return scale || !is_subset(left.options, entered.options) ||
           (entered.mss != 0 && left.mss > entered.mss);
}

// The client's first byte came this much later at the far tap, skew and transit together. If the
// far side was asked later still after the client had been answered, the answer was the firewall's.
Nanos answered_ahead(const Leg& client, const Leg& server, Nanos unknown_transit) {
    const auto& [client_near, server_far] = client.streams;
    const auto& [client_far, server_near] = server.streams;
    const bool asked = client_near.data_at != 0 && client_far.data_at != 0;
    const Nanos transit = asked ? client_far.data_at - client_near.data_at : unknown_transit;
    return client_far.syn_at - server_far.syn_at - transit;
}

Ending ending_of(const Leg& client, const Leg& server, bool undelivered) {
    const auto& [client_near, server_far] = client.streams;
    const auto& [client_far, server_near] = server.streams;
    if (client_near.resets != 0) {
        return Ending::reset_by_client;
    }
    if (server_near.resets != 0) {
        return Ending::reset_by_server;
    }
    if (client_far.resets != 0 || server_far.resets != 0) {
        return Ending::reset_by_firewall;
    }
    if (undelivered) {
        return Ending::stalled;
    }
    if (client_near.fin && server_near.fin) {
        return Ending::closed;
    }
    return client_near.fin || server_near.fin ? Ending::half_closed : Ending::open;
}

// What was acknowledged to the sender and not by the receiver, where the firewall itself says that
// it was not: it goes on sending it again. Bytes that are on their way are none.
std::uint32_t undelivered_of(const Stream& sent, const Stream& received) {
    constexpr std::uint8_t kRepeatsMin = 3;
    const bool stuck = received.repeats >= kRepeatsMin;
    return stuck && sent.acked > received.acked ? sent.acked - received.acked : 0;
}

void describe_way(const Stream& entered, const Stream& left, WayCounts& counts) {
    counts = WayCounts{};
    counts.entered = entered.packets;
    counts.entered_bytes = entered.payload_bytes;
    counts.longest_entered = entered.longest;
    counts.syns_entered = entered.syns;
    counts.syns_left = left.syns;
    counts.fins_entered = entered.fins;
    counts.fins_left = left.fins;
    counts.resets_entered = entered.resets;
    counts.resets_left = left.resets;
    counts.mss_entered = entered.mss;
    counts.mss_left = left.mss;
    counts.options_entered = entered.options;
    counts.options_left = left.options;
    counts.scale_entered = entered.scale;
    counts.scale_left = left.scale;
    counts.isn_entered = entered.first - 1;
    counts.isn_left = left.first - 1;
    counts.isn_known = entered.syns != 0 && left.syns != 0;
}

}  // namespace

Direction direction_of(const Leg& first, const Leg& second, Nanos skew, Nanos window) {
    const bool forth = fits(first, second, skew, window);
    const bool back = fits(second, first, skew, window);
    if (!forth && !back) {
        return {};
    }
    if (forth != back) {
        return {.possible = true, .first_is_client = forth, .known = true};
    }
    const Nanos waits = wait_of(first);
    const Nanos others = wait_of(second);
    if (waits != 0 && others != 0 && waits != others) {
        return {.possible = true, .first_is_client = waits > others, .known = true};
    }
    return {.possible = true,
            .first_is_client = first.streams[kClient].syn_at <= second.streams[kClient].syn_at};
}

Joint joint_of(const Leg& client, const Leg& server, Nanos skew) {
    const auto& [client_near, server_far] = client.streams;
    const auto& [client_far, server_near] = server.streams;
    if (is_anothers(client_near, client_far) || is_anothers(server_near, server_far)) {
        return Joint::terminated;
    }
    if (client_near.syn_at == 0 || server_far.syn_at == 0 || client_far.syn_at == 0 ||
        server_near.syn_at == 0) {
        return Joint::none;
    }
    // Opened before the client was there, from a stock of connections.
    if (client_far.syn_at + skew < client_near.syn_at) {
        return Joint::terminated;
    }
    return answered_ahead(client, server, skew) > 0 ? Joint::terminated : Joint::forwarded;
}

void describe_terminated(const Leg& client, const Leg& server, Conversation& record) {
    record.client_side = client.tap;
    const Way forth = way_into(client.tap);
    const auto& [client_near, server_far] = client.streams;
    const auto& [client_far, server_near] = server.streams;
    describe_way(client_near, client_far, record.ways[index(forth)]);
    describe_way(server_near, server_far, record.ways[index(back(forth))]);
    record.undelivered[index(forth)] = undelivered_of(client_near, client_far);
    record.undelivered[index(back(forth))] = undelivered_of(server_near, server_far);
    record.acknowledged_early = record.undelivered;
    const bool timed = client_near.data_at != 0 && client_far.data_at != 0 &&
                       client_far.syn_at != 0 && server_far.syn_at != 0;
    record.answered_ahead =
        timed ? std::max<Nanos>(0, answered_ahead(client, server, 0)) : Nanos{0};
    record.outcome = Outcome::established;
    record.ending = ending_of(client, server, (record.undelivered[0] | record.undelivered[1]) != 0);
    record.established = 0;
    record.setup_delay = 0;
    record.setup_server_delay = 0;
    record.idle_passed = 0;
    record.idle_passed_way = {};
    record.pairing = Pairing::byte_stream;
}

// One for each conversation: there is no other limit.
Legs::Legs(const EngineOptions& options)
    : skew_(options.negative_skew_max),
      window_(options.pairing_skew_max),
      seed_(options.hash_seed),
      mask_(std::bit_ceil(std::uint64_t{options.conversations_max}) - 1),
      legs_(options.learn_nat ? options.conversations_max : 0, options.backing),
      legs_max_(options.learn_nat ? options.conversations_max : 0),
      heads_(options.learn_nat ? mask_ + 1 : 0, options.backing) {}

std::uint32_t Legs::begin(std::uint32_t slot, Side tap) {
    const std::uint32_t leg = legs_.take();
    if (leg != 0) {
        legs_[leg] = Leg{};
        legs_[leg].slot = slot;
        legs_[leg].tap = tap;
    }
    return leg;
}

void Legs::end(std::uint32_t leg) {
    for (std::size_t key = 0; key < Leg::kKeys; ++key) {
        unlist(leg, key);
    }
    legs_.give_back(leg);
}

void Legs::observe(std::uint32_t leg, const Packet& packet, std::uint8_t party) {
    Leg& it = legs_[leg];
    Stream& own = it.streams[party];
    Stream& peer = it.streams[party ^ 1];
    const std::size_t first = party == kClient ? Leg::client_first : Leg::server_first;
    peer.acknowledge(packet);
    if (own.send(packet) && it.links[first].print == 0) {
        list(leg, first, own.marks[0], packet.time);
    }
    if (packet.payload_bytes != 0 && peer.answered()) {
        list(leg, party == kClient ? Leg::server_turn : Leg::client_turn, peer.turn, packet.time);
    }
}

void Legs::list(std::uint32_t leg, std::size_t key, const Stream::Mark& mark, Nanos now) {
    unlist(leg, key);
    Leg::Link& link = legs_[leg].links[key];
    const std::uint64_t place = key / 2;  // the first place of one tap may be the other's turn
    link.print = flow::fold(mark.bytes ^ seed_ ^ flow::kMixB,
                            (std::uint64_t{mark.sum} << 8 | place) ^ flow::second_seed(seed_)) |
                 1U;
    std::uint32_t& head = heads_[link.print >> 1 & mask_];
    const std::uint32_t node = node_of(leg, key);
    link.time = now;
    link.next = head;
    link.before = 0;
    if (head != 0) {
        link_at(head).before = node;
    }
    head = node;
}

void Legs::unlist(std::uint32_t leg, std::size_t key) {
    Leg::Link& link = legs_[leg].links[key];
    if (link.print == 0) {
        return;
    }
    if (link.next != 0) {
        link_at(link.next).before = link.before;
    }
    (link.before != 0 ? link_at(link.before).next : heads_[link.print >> 1 & mask_]) = link.next;
    link = {};
}

bool Legs::crosses(const Leg& one, const Leg& other_leg, Joint wanted) const {
    const Direction direction = direction_of(one, other_leg, skew_, window_);
    if (!direction.possible) {
        return false;
    }
    std::uint32_t equal = 0;
    for (std::size_t party = 0; party < kParties; ++party) {
        const Agreement found = agreement_of(one.streams[party], other_leg.streams[party]);
        equal += found.equal;
        if (found.contradicted) {
            return false;
        }
    }
    return equal >= kAgreeMin &&
           wanted == (direction.first_is_client ? joint_of(one, other_leg, skew_)
                                                : joint_of(other_leg, one, skew_));
}

// A chain is in order of time; its neighbours are those that may be the same connection.
template <typename Visit>
bool Legs::each_neighbour(std::uint32_t leg, std::size_t key, bool newer, Joint wanted,
                          const Visit& visit) {
    const Leg& it = legs_[leg];
    const Leg::Link& own = it.links[key];
    std::uint32_t node = newer ? own.before : own.next;
    for (std::uint32_t looks = 0; node != 0; ++looks) {
        const std::uint32_t candidate = node / Leg::kKeys;
        const Leg::Link& link = link_at(node);
        const Nanos apart = newer ? link.time - own.time : own.time - link.time;
        if (apart > window_ + skew_) {
            return true;
        }
        if (looks == kNeighboursMax) {
            return false;
        }
        if (link.print == own.print && legs_[candidate].tap != it.tap &&
            crosses(it, legs_[candidate], wanted) && !visit(candidate)) {
            return true;
        }
        node = newer ? link.before : link.next;
    }
    return true;
}

template <typename Visit>
bool Legs::each_candidate(std::uint32_t leg, Joint wanted, const Visit& visit) {
    bool all = true;
    for (std::size_t key = 0; key < Leg::kKeys; ++key) {
        if (legs_[leg].links[key].print != 0) {
            all = each_neighbour(leg, key, true, wanted, visit) && all;
            all = each_neighbour(leg, key, false, wanted, visit) && all;
        }
    }
    return all;
}

Legs::Found Legs::search(std::uint32_t leg, Joint wanted) {
    Found found;
    const bool all = each_candidate(leg, wanted, [&](std::uint32_t candidate) {
        found.ambiguous = found.ambiguous || (found.leg != 0 && found.leg != candidate);
        found.leg = candidate;
        return !found.ambiguous;
    });
    found.ambiguous = found.leg != 0 && (found.ambiguous || !all ||
                                         legs_[leg].alike[static_cast<std::size_t>(wanted)]);
    return found;
}

void Legs::mark_alike(std::uint32_t leg, Joint wanted) {
    const auto at = static_cast<std::size_t>(wanted);
    legs_[leg].alike[at] = true;
    (void)each_candidate(leg, wanted, [&](std::uint32_t candidate) {
        legs_[candidate].alike[at] = true;
        return true;
    });
}

Legs::Found Legs::find(std::uint32_t leg, Joint wanted) {
    const Found found = search(leg, wanted);
    const bool marked = legs_[leg].alike[static_cast<std::size_t>(wanted)];
    if (found.leg == 0) {
        return {.ambiguous = marked};
    }
    if (!found.ambiguous) {
        const Found back = search(found.leg, wanted);
        if (!back.ambiguous && back.leg == leg) {
            return found;
        }
    }
    mark_alike(leg, wanted);
    mark_alike(found.leg, wanted);
    return {.ambiguous = true};
}

std::size_t Legs::memory_bytes() const {
    return std::size_t{legs_max_} * Pool<Leg>::bytes_per_record() + heads_.bytes();
}

}  // namespace tw::taps
