// SPDX-License-Identifier: BSD-3-Clause
// What became of a conversation: of its handshake, of its end, and of a direction that nobody saw.
#include <algorithm>

#include "core/taps/evidence_state.hpp"

namespace tw::taps {
namespace {

// What came of a handshake whose SYN entered.
Outcome outcome_of_attempt(const ConversationEvidence& it, const WayState& client,
                           const WayState& server) {
    const bool reset_entered = server.resets_entered != 0;
    const bool reset_left = server.resets_left != 0;
    if (it.answered_by_firewall) {
        return Outcome::answered_by_firewall;
    }
    if (client.syns_left == 0 && server.syns_entered == 0) {
        if (reset_entered) {
            return reset_left ? Outcome::refused_by_server : Outcome::incomplete;
        }
        if (reset_left) {
            return Outcome::rejected_rst;
        }
        if (it.icmp_by_firewall) {
            return Outcome::rejected_icmp;
        }
        return client.lost != 0 && server.syns_left == 0 ? Outcome::syn_dropped
                                                         : Outcome::incomplete;
    }
    if (reset_left && server.syns_entered == 0) {
        return it.reset_by_firewall ? Outcome::rejected_rst : Outcome::refused_by_server;
    }
    if (server.syns_entered != 0 && server.syns_left == 0) {
        return server.lost != 0 ? Outcome::syn_ack_dropped : Outcome::incomplete;
    }
    if (server.last_entered == 0 && server.last_left == 0) {
        return it.icmp_by_firewall ? Outcome::rejected_icmp : Outcome::server_silent;
    }
    return Outcome::incomplete;
}

Ending ending_of(const ConversationEvidence& it, Way client_way) {
    if (it.reset_by_firewall) {
        return Ending::reset_by_firewall;
    }
    if (it.reset_passed) {
        return it.reset_way == client_way ? Ending::reset_by_client : Ending::reset_by_server;
    }
    const WayState& inward = it.ways[index(Way::inward)];
    const WayState& outward = it.ways[index(Way::outward)];
    if (inward.fin_acked && outward.fin_acked) {
        return Ending::closed;
    }
    if (it.unrecovered) {
        return Ending::stalled;
    }
    if (inward.fin_seen && outward.fin_seen) {
        return Ending::closed;
    }
    return inward.fin_seen || outward.fin_seen ? Ending::half_closed : Ending::open;
}

// No packet contradicts the guess, and with client and server exchanged every one would: so many of
// them are no accident of mirrors that come and go.
bool times_confirm_sides(const ConversationEvidence& it) {
    constexpr std::uint8_t kPairsMin = 8;
    return std::min(it.ways[0].pairs_timed, it.ways[1].pairs_timed) >= kPairsMin &&
           std::min(it.ways[0].least_transit, it.ways[1].least_transit) > 0;
}

}  // namespace

// How surely the packets of that way went past both taps, of a conversation that both show one way.
// Where both carry that way of others all the time: proven. Where neither has a packet of it, the
// whole way may go elsewhere, or both mirrors lack it. Where one alone carries it, it is the wiring
// of the other, and a conversation that one tap shows was not recognised at the other.
Grade Evidence::State::grade_of_absence(Way way, const ConversationEvidence& it) const {
    std::size_t carried = 0;
    std::size_t throughout = 0;
    for (const Side side : {Side::outside, Side::inside}) {
        if (!it.seen[index(side)]) {
            return Grade::unproven;
        }
        const TapWay& tap = health_.taps[index(side)][index(way)];
        carried += tap.packets != 0 ? 1U : 0U;
        throughout += tap.packets != 0 && tap.first <= it.first && tap.last >= it.last_seen;
    }
    if (throughout == kSides) {
        return Grade::proven;
    }
    return carried == 0 ? Grade::probable : Grade::unproven;
}

// ACKs say that data flows of which neither tap has shown a packet.
void Evidence::State::tell_asymmetry(const Witnessed& of, ConversationEvidence& it, Nanos now) {
    for (const Way way : {Way::inward, Way::outward}) {
        const WayState& data = it.ways[index(way)];
        if (data.last_entered != 0 || data.last_left != 0 || !data.acked_raw_known ||
            data.acked_raw == data.acked_raw_first) {
            continue;
        }
        Fact fact;
        fact.kind = FactKind::asymmetric;
        fact.grade = grade_of_absence(way, it);
        fact.proof = Proof::receiver_covers;
        fact.way = way;
        fact.time = it.first;
        fact.packet.time = it.first;
        fact.packet.tap = exit(way);
        fact.packet.payload_bytes = distance(data.acked_raw_first, data.acked_raw);
        fact.cites[fact.cites_count++] = data.raw_ack;
        take(fact, of, now);
    }
}

void Evidence::State::describe(const Witnessed& of, const ConversationEvidence& it,
                               Conversation& record) const {
    const Way client_way = way_into(of.client_side);
    const WayState& client = it.ways[index(client_way)];
    const WayState& server = it.ways[index(back(client_way))];
    const bool tried = client.syns_entered != 0 || client.syns_left != 0;
    if (crossed_unrecognised(it)) {
        record.outcome = tried ? Outcome::incomplete : Outcome::midway;
    } else if (it.established != 0) {
        record.outcome =
            it.answered_by_firewall ? Outcome::answered_by_firewall : Outcome::established;
    } else if (tried || server.syns_entered != 0 || server.syns_left != 0) {
        record.outcome = outcome_of_attempt(it, client, server);
    } else {
        record.outcome = Outcome::midway;
    }
    record.ending = ending_of(it, client_way);
    record.side_known = record.side_known || times_confirm_sides(it);
    record.established = it.established;
    if (it.established != 0 && it.syn_entered != 0) {
        record.setup_delay = it.established - it.syn_entered;
        if (it.syn_left != 0 && it.answer_entered > it.syn_left) {
            record.setup_server_delay = it.answer_entered - it.syn_left;
        }
    }
    record.idle_passed = it.idle_passed;
    for (const Way way : {Way::inward, Way::outward}) {
        const WayState& from = it.ways[index(way)];
        WayCounts& to = record.ways[index(way)];
        record.complete = record.complete && !from.at_entry.incomplete && !from.at_exit.incomplete;
        to.lost = from.lost;
        to.lost_before = from.lost_before;
        to.lost_beyond = from.lost_beyond;
        to.missed_at_exit = from.missed_at_exit;
        to.missed_at_entry = from.missed_at_entry;
        to.unproven = from.unproven;
        to.pure_acks_lost = from.pure_acks_lost;
        record.idle_passed_way[index(way)] = from.idle_passed;
        record.acknowledged_early[index(way)] = from.early;
    }
}

}  // namespace tw::taps
