// SPDX-License-Identifier: BSD-3-Clause
// Two conversations, each seen at one tap, that turn out to be one: by the operator's map, by what
// their packets have in common, by the bytes they carry. Where the packets are the same ones they
// become one; where something between the taps ends the one and opens the other (a proxy) both live
// on by themselves, and one record tells of them.
#include <algorithm>

#include "core/taps/engine_state.hpp"

namespace tw::taps {
namespace {

using stats::Counter;

}  // namespace

void Engine::State::drop_leg(Live& live) {
    if (live.leg != 0) {
        legs.end(live.leg);
        live.leg = 0;
    }
}

// The tuple of a conversation that the other tap knows under another one.
std::uint32_t Engine::State::join(std::uint32_t i, const NatPairing::Found& found) {
    const Packet& packet = packets[i];
    if (conversations.live(found.slot).introduced) {
        withdraw(found.slot, other(packet.tap));
    }
    if (!conversations.attach(found.slot, decoded[i], hashes[i], packet.tap)) {
        return kNone;
    }
    changed = true;
    Live& live = conversations.live(found.slot);
    drop_leg(live);
    live.client_sender[index(packet.tap)] = client_sender_of(decoded[i], packet);
    tuples[i] = live.tuple[index(packet.tap)] - 1;
    Conversation& record = conversations.record(found.slot);
    record.translated = true;
    record.pairing = found.how;
    name(found.slot, packet.tap, packet.frame);
    return found.slot;
}

// Neither is on offer to other workers any more; `tap`: where the first is seen alone.
void Engine::State::withdraw_both(std::uint32_t one, Side tap, std::uint32_t other_slot) {
    if (conversations.live(one).introduced) {
        withdraw(one, tap);
    }
    if (conversations.live(other_slot).introduced) {
        withdraw(other_slot, other(tap));
    }
}

// `from`, seen at `tap` alone, is part of `into` from here on.
void Engine::State::become_one(std::uint32_t from, std::uint32_t into, Side tap, Pairing how) {
    Live& source = conversations.live(from);
    Live& target = conversations.live(into);
    target.first = std::min(target.first, source.first);
    target.reset = target.reset || source.reset;
    target.opening = target.opening && source.opening;
    drop_leg(source);
    drop_leg(target);
    const std::uint64_t frame = conversations.record(from).first_frame[index(tap)];
    conversations.merge(from, into, tap);
    changed = true;
    Conversation& record = conversations.record(into);
    record.translated = true;
    record.pairing = how;
    name(into, tap, frame);
    name(into, other(tap), record.first_frame[index(other(tap))]);
}

// Translated: what its first packets have in common with those of a conversation that only the
// other tap has seen. One of the two must not have been handed on yet. Returns the slot of both.
std::uint32_t Engine::State::pair_translated(std::uint32_t slot, const Packet& packet) {
    const auto found = pairing.find(slot, packet);
    counters.add(Counter::taps_ambiguous, found.ambiguous ? 1 : 0);
    const bool own_joins = conversations.live(slot).stage == Stage::held;
    if (found.slot == kNone ||
        (!own_joins && conversations.live(found.slot).stage != Stage::held)) {
        pairing.remember(packet, slot);
        if (is_bare_syn(packet)) {
            pairing.doubt(slot, packet);
        }
        return slot;
    }
    const std::uint32_t from = own_joins ? slot : found.slot;
    const std::uint32_t into = own_joins ? found.slot : slot;
    const Side tap = own_joins ? packet.tap : other(packet.tap);
    withdraw_both(from, tap, into);
    Live& source = conversations.live(from);
    Live& target = conversations.live(into);
    // The same host sent it here and there: who of both knows the client says whether that is it.
    const std::uint8_t sender_there = own_joins ? found.sender : packet.sender;
    const std::uint8_t sender_here = own_joins ? packet.sender : found.sender;
    const bool target_knows = target.client_known || !source.client_known;
    const bool by_client = (target_knows ? target.party_of(other(tap), sender_there)
                                         : source.party_of(tap, sender_here)) == kClient;
    target.client_sender[index(tap)] = by_client ? sender_here : sender_here ^ 1;
    target.client_sender[index(other(tap))] = by_client ? sender_there : sender_there ^ 1;
    target.client_known = target.client_known || source.client_known;
    if (found.how == Pairing::timestamps && !packet.has(decode::tcp_flag::kSyn)) {
        // Its SYN was not seen at both taps: the packet itself tells how the numbers differ.
        const std::uint8_t party = by_client ? kClient : kServer;
        const bool inside = packet.tap == Side::inside;
        target.set_shift(party, inside ? packet.seq - found.seq : found.seq - packet.seq);
        target.set_shift(party ^ 1, inside ? packet.ack - found.ack : found.ack - packet.ack);
    }
    orientation.take_all(source, taken);
    become_one(from, into, tap, found.how);
    for (std::uint32_t i = 0; i < taken.count; ++i) {
        hand_on(into, taken.packets[i].packet, taken.packets[i].copy);
    }
    return into;
}

// What the numbers of both taps have to do with each other: known before any packet is handed on.
void Engine::State::learn_numbers(Live& live, const Leg& one, const Leg& other_leg) {
    const Leg& outside = one.tap == Side::outside ? one : other_leg;
    const Leg& inside = one.tap == Side::outside ? other_leg : one;
    for (const std::uint8_t party : {kClient, kServer}) {
        const Stream& out = outside.streams[party];
        const Stream& in = inside.streams[party];
        if (out.known && in.known) {
            live.set_isn(Side::outside, party, out.first - 1);
            live.set_isn(Side::inside, party, in.first - 1);
            live.set_shift(party, in.first - out.first);
        }
    }
}

// Addresses and all numbers made anew, and still the same packets: before those are handed on, both
// become one. True if so; its packets may be held back still.
bool Engine::State::pair_forwarded(std::uint32_t slot) {
    Live& live = conversations.live(slot);
    if (live.leg == 0) {
        return false;
    }
    const Legs::Found found = legs.find(live.leg, Joint::forwarded);
    counters.add(Counter::taps_ambiguous, found.ambiguous ? 1 : 0);
    const std::uint32_t from = found.leg != 0 ? legs[found.leg].slot : kNone;
    if (from == kNone || conversations.live(from).stage != Stage::held) {
        return false;
    }
    Live& source = conversations.live(from);
    const Side tap = legs[found.leg].tap;
    withdraw_both(from, tap, slot);
    learn_numbers(live, legs[live.leg], legs[found.leg]);
    live.client_sender[index(tap)] = source.client_sender[index(tap)];
    live.last = std::max(live.last, source.last);
    live.fins = (live.fins | source.fins) & 3U;
    live.packets += source.packets;
    orientation.take_all(live, kept);
    orientation.take_all(source, taken);
    become_one(from, slot, tap, Pairing::timestamps);
    const HeldPacket* mine = kept.packets.data();
    const HeldPacket* const mine_end = mine + kept.count;
    const HeldPacket* theirs = taken.packets.data();
    const HeldPacket* const theirs_end = theirs + taken.count;
    while (mine != mine_end || theirs != theirs_end) {
        const bool next_is_mine =
            theirs == theirs_end || (mine != mine_end && mine->packet.time <= theirs->packet.time);
        const HeldPacket& next = next_is_mine ? *mine++ : *theirs++;
        hand_on(slot, next.packet, next.copy);
    }
    return true;
}

// Its end: nothing more will tell which other one it may be.
void Engine::State::join_proxied(std::uint32_t slot) {
    Live& live = conversations.live(slot);
    if (live.leg == 0) {
        return;
    }
    const Legs::Found found = legs.find(live.leg, Joint::terminated);
    counters.add(Counter::taps_ambiguous, found.ambiguous ? 1 : 0);
    conversations.record(slot).ambiguous = found.ambiguous;
    if (found.leg != 0) {
        const std::uint32_t other_slot = legs[found.leg].slot;
        describe_proxied(slot, other_slot);
        drop_leg(conversations.live(other_slot));
        conversations.live(other_slot).told = true;
    }
    drop_leg(live);
}

void Engine::State::describe_proxied(std::uint32_t slot, std::uint32_t other_slot) {
    Live& live = conversations.live(slot);
    const Live& far = conversations.live(other_slot);
    const Leg& one = legs[live.leg];
    const Leg& two = legs[far.leg];
    Direction direction =
        direction_of(one, two, options.negative_skew_max, options.pairing_skew_max);
    if (!direction.known) {
        // The client of the one is nobody the other knows; who serves, and where, is the same.
        auto told = orientation.told(live, conversations);
        told = told ? told : orientation.told(far, conversations);
        direction.known = told.has_value();
        direction.first_is_client = told ? told->client_side == one.tap : direction.first_is_client;
    }
    Conversation& record = conversations.record(slot);
    const Conversation& record_there = conversations.record(other_slot);
    describe_terminated(direction.first_is_client ? one : two,
                        direction.first_is_client ? two : one, record);
    live.client_side = record.client_side;
    live.client_known = true;
    live.side_known = direction.known;
    live.first = std::min(live.first, far.first);
    live.last = std::max(live.last, far.last);
    const std::size_t there = index(two.tap);
    record.client[there] = record_there.client[there];
    record.server[there] = record_there.server[there];
    record.first_frame[there] = record_there.first_frame[there];
    record.seen[there] = true;
    record.translated = true;
    record.ambiguous = false;
    record.complete = record.complete && record_there.complete;
}

}  // namespace tw::taps
