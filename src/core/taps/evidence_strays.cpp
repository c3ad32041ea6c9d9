// SPDX-License-Identifier: BSD-3-Clause
// Packets that stayed alone and ask another question than "where are its bytes": what left and was
// not seen to enter: missed there, doubled, made by the firewall.
#include <algorithm>

#include "core/taps/evidence_state.hpp"

namespace tw::taps {
namespace {

// A server's own numbers lie this near to those of a SYN/ACK that was its own.
constexpr std::uint32_t kOwnBytes = 1U << 20;

// Share of a tap's packets, where no firewall can have doubled them, that came twice: its mirror
// doubles.
constexpr std::uint64_t kMirrorCopiesOf = 1000;

}  // namespace

bool Evidence::State::mirror_doubles(Side side) const {
    const TapWay& entering = health_.taps[index(side)][index(way_into(side))];
    return entering.copies != 0 && entering.copies * kMirrorCopiesOf >= entering.packets;
}

void Evidence::State::add_stray(ConversationEvidence& it, const Stray& stray) {
    const std::uint32_t index = strays_.take();
    if (index == kNone) {
        counters_.add(stats::Counter::evidence_strays_exhausted);
        Stray once = stray;
        (void)judge(once, true, now_);
        return;
    }
    Stray& kept = strays_[index];
    kept = stray;
    kept.live = true;
    kept.since = std::max(now_, stray.packet.time);
    kept.next_of_slot = it.strays;
    it.strays = index;
    ask_again(index);
}

void Evidence::State::ask_again(std::uint32_t index) {
    Stray& stray = strays_[index];
    if (stray.live && judge(stray, now_ - stray.since >= kStrayPatience, now_)) {
        ConversationEvidence& it = of_slot(stray.of);
        std::uint32_t* link = &it.strays;
        while (*link != index) {
            link = &strays_[*link].next_of_slot;
        }
        *link = stray.next_of_slot;
        stray.live = false;
    }
    if (!stray.live) {
        strays_.give_back(index);
        return;
    }
    stray.due = now_ + kLookAgain;
    stray.next = kNone;
    (strays_head_ == kNone ? strays_head_ : strays_[strays_tail_].next) = index;
    strays_tail_ = index;
}

void Evidence::State::close_strays(ConversationEvidence& it, Nanos now) {
    while (it.strays != kNone) {
        Stray& stray = strays_[it.strays];
        it.strays = stray.next_of_slot;
        (void)judge(stray, true, now);
        stray.live = false;  // its place in the order of asking again gives it back
    }
}

void Evidence::State::left_alone(const Seen& seen) {
    const Packet& packet = seen.packet;
    if (packet.kind != PacketKind::segment) {
        return;
    }
    ConversationEvidence& it = of_slot(seen.of);
    const WayState& way = it.ways[index(seen.way)];
    Stray stray;
    stray.packet = packet;
    stray.of = seen.of;
    stray.way = seen.way;
    stray.lo = seen.numbers.seq;
    stray.hi = stray.lo + packet.space();
    stray.ack = seen.numbers.ack;
    stray.numbers_known = seen.numbers.known;
    stray.late = it.closed && packet.time > it.closed_at;
    stray.identified = !packet.v6 && packet.ip_id != 0 && way.ids_changed >= kIdsCount;
    if (packet.has(flag::kRst)) {
        stray.kind = StrayKind::reset_left;
        stray.circumstances = circumstances(it, seen);
        stray.circumstances.idle = it.ways[index(back(seen.way))].entered_after_idle;
        bump(it.ways[index(seen.way)].resets_left_alone);
        it.ways[index(back(seen.way))].reset_back_at = packet.time;
    } else if (seen.copy) {
        stray.kind = StrayKind::copy_left;
    } else if (packet.has(flag::kSyn)) {
        stray.kind = StrayKind::syn_left;
    } else if (packet.space() != 0) {
        stray.kind = StrayKind::data_left;
        it.ways[index(seen.way)].stray_data_at = packet.time;
        it.ways[index(seen.way)].stray_data_lo = stray.lo;
        const RecentlyLeft& place =
            recently_left_[place_of(seen.of.conversation, seen.way, stray.lo) % kRecentlyLeft];
        if (place.conversation == seen.of.conversation && place.serial == seen.serial) {
            stray.seen_before = place.before == Share::whole;
            stray.partly_before = place.before == Share::some;
            stray.same_packet = place.same_before;
        } else {
            const Share share = spans_.seen(way.at_entry, stray.lo, stray.hi);
            stray.seen_before = share == Share::whole;
            stray.partly_before = share == Share::some;
        }
    } else {
        stray.kind = StrayKind::ack_left;
    }
    add_stray(it, stray);
}

// A SYN or SYN/ACK left alone: its sender's numbers tell whether it was its own. Those of a SYN/ACK
// as it left and as it entered differ behind a box that rewrites them and behind one that answers
// by itself: of the first a SYN/ACK passes, of the other none.
bool Evidence::State::judge_syn_left(ConversationEvidence& it, Stray& stray, bool last_call,
                                     Fact& fact) {
    const WayState& way = it.ways[index(stray.way)];
    const WayState& peer = it.ways[index(back(stray.way))];
    if (it.answered_by_firewall && !stray.packet.has(flag::kAck)) {
        conclude(fact, FactKind::injected, Grade::probable, Proof::answered_alone, true);
        return true;
    }
    if (way.at_entry.known) {
        const bool near_shifted =
            stray.numbers_known && distance(stray.lo, way.at_entry.end) < kOwnBytes;
        const bool own = distance(stray.packet.seq, way.at_entry.end) < kOwnBytes ||
                         (near_shifted && (way.syn_passed || way.syns_entered == 0));
        if (own) {
            const bool goes_on = after(way.at_entry.end, stray.hi) && way.syns_entered == 0;
            conclude(fact, FactKind::missed_at_entry, goes_on ? Grade::proven : Grade::probable,
                     goes_on ? Proof::sender_continues : Proof::nothing_decides, false);
            return true;
        }
        if (stray.packet.has(flag::kAck)) {
            // Not the server's number: one that the firewall rewrote, unless the server's own
            // answer was seen, and is another.
            const bool own_answer = way.syns_entered != 0 && !near_shifted;
            conclude(fact, FactKind::injected, own_answer ? Grade::proven : Grade::probable,
                     Proof::answered_alone, !own_answer);
            it.answered_by_firewall = true;
            return true;
        }
    }
    if (!last_call) {
        return false;
    }
    const bool unasked =
        stray.packet.has(flag::kAck) && peer.syns_entered != 0 && peer.syns_left == 0;
    if (unasked) {
        conclude(fact, FactKind::injected, Grade::probable, Proof::answered_alone, true);
        it.answered_by_firewall = true;
    } else {
        conclude(fact, FactKind::missed_at_entry, Grade::probable, Proof::nothing_decides, false);
    }
    return true;
}

bool Evidence::State::judge_data_left(ConversationEvidence& it, Stray& stray, bool last_call,
                                      Fact& fact) {
    const WayState& way = it.ways[index(stray.way)];
    if (!stray.numbers_known) {
        conclude(fact, FactKind::missed_at_entry, Grade::unproven, Proof::nothing_decides, false);
        return true;
    }
    if (stray.same_packet && stray.seen_before) {
        // Where its entry tap shows packets twice, the second one may have entered as well.
        const bool entered_once =
            health_.taps[index(entry(stray.way))][index(stray.way)].copies == 0;
        conclude(fact, FactKind::duplicated,
                 stray.identified && entered_once ? Grade::proven : Grade::probable,
                 stray.identified ? Proof::same_ip_id : Proof::same_segment, true);
        return true;
    }
    if (stray.seen_before) {
        for (std::uint32_t i = way.opens; i != kNone; i = opens_[i].next) {
            if (opens_[i].left_any && !opens_[i].left_paired && !opens_[i].left_same_bounds &&
                overlap(stray.lo, stray.hi, opens_[i].lo, opens_[i].hi)) {
                conclude(fact, FactKind::resegmented, Grade::probable, Proof::same_bytes, false);
                it.resegmented = true;
                return true;
            }
        }
        // A repeat that the entry tap missed.
        conclude(fact, FactKind::missed_at_entry, Grade::probable, Proof::nothing_decides, false);
        return true;
    }
    if (stray.partly_before) {
        it.resegmented = true;
        conclude(fact, FactKind::resegmented, Grade::probable, Proof::same_bytes, false);
        return true;
    }
    const bool goes_on = way.at_entry.known && after(way.at_entry.end, stray.hi);
    if (goes_on) {
        // What entered below the first that the tap showed is not known.
        const bool never_entered = at_or_before(way.at_entry.begin, stray.lo) &&
                                   spans_.seen(way.at_entry, stray.lo, stray.hi) == Share::none;
        conclude(fact, FactKind::missed_at_entry, never_entered ? Grade::proven : Grade::probable,
                 Proof::sender_continues, false);
        return true;
    }
    if (last_call) {
        conclude(fact, FactKind::missed_at_entry, Grade::probable, Proof::nothing_decides, false);
    }
    return last_call;
}

// The same frame twice at its exit tap and once at its entry tap: the mirror shows copies that no
// receiver gets.
bool Evidence::State::judge_copy_left(ConversationEvidence& it, Stray& stray, Fact& fact) {
    if (it.answered_by_firewall && stray.packet.space() == 0) {
        // Who answers by itself also acknowledges so, as the server does right after it.
        conclude(fact, FactKind::injected, Grade::probable, Proof::answered_alone, true);
        return true;
    }
    const WayState& way = it.ways[index(stray.way)];
    const Reaction& reaction =
        reactions_[place_of(stray.of.conversation, stray.way, stray.lo) % kReactions];
    const bool told_twice = stray.packet.space() != 0 && reaction.dsack &&
                            reaction.conversation == stray.of.conversation &&
                            reaction.way == stray.way && reaction.lo == stray.lo &&
                            reaction.time > stray.packet.time - skew_;
    // A repeat explains the receiver's word as well.
    const RecentlyLeft& left =
        recently_left_[place_of(stray.of.conversation, stray.way, stray.lo) % kRecentlyLeft];
    bool repeated = left.conversation != stray.of.conversation || left.way != stray.way ||
                    left.lo != stray.lo || left.copies > 1;
    for (std::uint32_t i = way.opens; i != kNone; i = opens_[i].next) {
        repeated = repeated || overlap(stray.lo, stray.hi, opens_[i].lo, opens_[i].hi);
    }
    if (told_twice && !repeated) {
        // Where the mirror doubles at all, the network beyond may have made the one reported.
        const bool faithful =
            health_.taps[index(stray.packet.tap)][index(back(stray.way))].copies == 0;
        conclude(fact, FactKind::duplicated,
                 stray.identified && faithful ? Grade::proven : Grade::probable,
                 Proof::receiver_reacts, true);
        return true;
    }
    if (mirror_doubles(stray.packet.tap)) {
        stray.live = false;
        fact.attempts = 0;  // not worth telling: the mirror's
        return true;
    }
    conclude(fact, FactKind::duplicated, Grade::probable,
             stray.identified ? Proof::same_ip_id : Proof::same_segment, true);
    return true;
}

// An ACK left that its sender was not seen to send.
bool Evidence::State::judge_ack_left(ConversationEvidence& it, Stray& stray, Fact& fact) {
    const WayState& way = it.ways[index(stray.way)];
    const WayState& data = it.ways[index(back(stray.way))];
    const bool went_on_below = stray.numbers_known && data.acked_known &&
                               after(stray.ack, data.acked) &&
                               way.last_plain > stray.packet.time + skew_;
    if (went_on_below) {
        // One may be a stray of the capture; a box that acknowledges does so again and again.
        bump(it.forged_acks);
        // Behind a box that answered by itself the server's numbers are known by a guess.
        const bool sure = it.forged_acks > 1 && !it.answered_by_firewall;
        conclude(fact, FactKind::injected, sure ? Grade::proven : Grade::probable,
                 Proof::answered_alone, false);
    } else {
        conclude(fact, FactKind::missed_at_entry, Grade::probable, Proof::nothing_decides, false);
    }
    return true;
}

bool Evidence::State::judge(Stray& stray, bool last_call, Nanos now) {
    ConversationEvidence& it = of_slot(stray.of);
    Fact fact;
    fact.attempts = stray.attempts;
    bool done = false;
    switch (stray.kind) {
        case StrayKind::reset_left:
            done = judge_reset_left(it, stray, last_call, fact);
            break;
        case StrayKind::reset_entered:
            done = judge_reset_entered(it, stray, last_call, fact);
            break;
        case StrayKind::syn_left:
            done = judge_syn_left(it, stray, last_call, fact);
            break;
        case StrayKind::data_left:
            done = judge_data_left(it, stray, last_call, fact);
            break;
        case StrayKind::copy_left:
            done = judge_copy_left(it, stray, fact);
            break;
        case StrayKind::ack_left:
            done = judge_ack_left(it, stray, fact);
            break;
        case StrayKind::icmp_entered:
        case StrayKind::icmp_left:
            done = stray.twin_known || last_call || now - stray.since >= wait_;
            done = done && judge_icmp(it, stray, fact);
            break;
    }
    if (done && fact.attempts != 0) {
        tell_stray(stray, fact, now);
    }
    return done;
}

void Evidence::State::tell_stray(const Stray& stray, Fact& fact, Nanos now) {
    ConversationEvidence& it = of_slot(stray.of);
    const bool icmp = stray.kind == StrayKind::icmp_entered || stray.kind == StrayKind::icmp_left;
    const bool entered = stray.packet.tap == entry(icmp ? back(stray.way) : stray.way);
    fact.way = icmp ? back(stray.way) : stray.way;
    fact.time = stray.packet.time;
    fact.packet = stray.packet;
    fact.circumstances = stray.circumstances;
    fact.in_handshake = it.established == 0 && it.syn_entered != 0;
    if (fact.cites_count < Fact::kCitesMax) {
        fact.cites[fact.cites_count++] =
            cite(stray.packet, icmp ? Part::quote : (entered ? Part::subject : Part::left));
    }
    count(it.ways[index(stray.way)], fact.kind);
    take(fact, stray.of, now);
}

}  // namespace tw::taps
