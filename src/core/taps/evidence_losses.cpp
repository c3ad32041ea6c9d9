// SPDX-License-Identifier: BSD-3-Clause
// Packets with sequence numbers that entered and stayed alone: one case per packet; later copies of
// the same bytes that stay alone as well join it. A case is looked at again until the table decides
// or its patience is over.
#include <algorithm>

#include "core/taps/evidence_state.hpp"

namespace tw::taps {
namespace {

// What a firewall puts in or takes out moves numbers by less than this.
constexpr std::uint32_t kShiftMax = 4096;

bool has_bad_flags(const Packet& packet) {
    const bool syn = packet.has(flag::kSyn);
    const bool fin = packet.has(flag::kFin);
    const bool rst = packet.has(flag::kRst);
    return (syn && (fin || rst)) || (fin && !packet.has(flag::kAck)) ||
           !packet.has(flag::kSyn | flag::kRst | flag::kAck);
}

}  // namespace

Circumstances Evidence::State::circumstances(const ConversationEvidence& it,
                                             const Seen& seen) const {
    const Packet& packet = seen.packet;
    const WayState& way = it.ways[index(seen.way)];
    const WayState& peer = it.ways[index(back(seen.way))];
    Circumstances now;
    now.idle = it.last_left != 0 ? std::max<Nanos>(packet.time - it.last_left, 0) : 0;
    now.idle_same_way = way.last_left != 0 ? std::max<Nanos>(packet.time - way.last_left, 0) : 0;
    now.age = it.first != 0 ? packet.time - it.first : 0;
    now.since_previous = it.since_previous;
    now.entered_in_slot = entering_[index(seen.way)].before;
    now.bad_flags = has_bad_flags(packet);
    now.after_close = it.closed && packet.time >= it.closed_at;
    now.after_fin = way.fin_left || peer.fin_left;
    const std::uint32_t seq = seen.numbers.seq;
    const std::uint32_t end = seq + packet.space();
    now.out_of_order = way.at_entry.known && packet.space() != 0 && seq != way.at_entry.end;
    now.acks_unseen = packet.has(flag::kAck) && seen.numbers.known && peer.at_entry.known &&
                      after(seen.numbers.ack, peer.at_entry.end);
    if (way.acked_known && way.window_known) {
        now.window_known = true;
        now.in_window = at_or_before(end, way.window_edge);
        now.window_left = now.in_window ? distance(end, way.window_edge) : 0;
    }
    // Only with the scale that was taken off a SYN the window is as large as the sender believes.
    const bool taken_off = (peer.syns_left != 0 && peer.scale_entered > 0 && peer.scale_left < 0) ||
                           (way.syns_left != 0 && way.scale_entered >= 0 && way.scale_left < 0);
    if (taken_off && way.acked_known && peer.scale_entered > 0) {
        const std::uint32_t plain = way.acked + way.window;
        const std::uint32_t scaled = way.acked + (std::uint32_t{way.window} << peer.scale_entered);
        now.scale_mismatch = after(end, plain) && at_or_before(end, scaled);
    }
    return now;
}

void Evidence::State::count(WayState& way, FactKind kind) {
    if (kind == FactKind::lost_between) {
        ++way.lost;
    } else if (kind == FactKind::missed_at_exit) {
        ++way.missed_at_exit;
    } else if (kind == FactKind::missed_at_entry) {
        ++way.missed_at_entry;
    } else if (kind == FactKind::unproven) {
        ++way.unproven;
    }
}

LossFacts Evidence::State::facts_of(const ConversationEvidence& it, const Open& open, Way way,
                                    bool last_call, Nanos now) const {
    const WayState& data = it.ways[index(way)];
    const WayState& peer = it.ways[index(back(way))];
    LossFacts facts;
    facts.limit_reached = open.incomplete;
    facts.syn = open.syn;
    facts.answered_for = open.syn && it.answered_by_firewall;
    facts.last_call = last_call;
    facts.repeat = open.repeat;
    facts.left_before = open.left_before;
    facts.covered_before = open.covered_before;
    facts.beyond_window = open.beyond_window;
    facts.acknowledged_old = open.acknowledged_old;
    facts.covered_unseen = open.covered_unseen;
    facts.covered_partly = open.covered_partly;
    facts.covered_after = open.covered && open.left_any && !open.covered_partly;
    // It may have left unrecognised: altered, or of another length.
    const bool may_have_left = data.stray_data_at != 0 && data.stray_data_at > open.time - wait_ &&
                               data.stray_data_at < open.time + wait_ &&
                               distance(open.lo - kShiftMax, data.stray_data_lo) < 2 * kShiftMax;
    facts.only_copy = open.only_copy && open.earlier == 0 && !may_have_left;
    facts.no_time_to_repeat = open.covered_soon;
    facts.raced = open.raced;
    facts.echoes_it = open.echoes_it;
    facts.echoes_later = open.echoes_later;
    facts.echoes_before = open.echoes_before;
    facts.too_soon = open.too_soon;
    // What it sent before it can have got the packet says nothing.
    facts.silent = peer.last_entered < (open.left_any ? open.left_at : open.time + 2 * skew_);
    facts.asks = open.asks;
    facts.duplicates_told = open.duplicates_told;
    facts.left_later = open.left_paired;
    facts.settled = open.left_any && now >= open.left_at + wait_;
    facts.left_without_entry =
        open.left_any && !open.left_paired && (last_call || now >= open.left_at + 2 * wait_);
    facts.same_bounds = open.left_same_bounds || after(open.hi, open.left_upto);
    facts.interchangeable = open.interchangeable;
    facts.copies_left = open.copies_left;
    facts.copies_left_ever = open.copies_left_ever;
    facts.attempts = static_cast<std::uint8_t>(std::min(
        255, open.earlier +
                 (open.suspect != kNone ? suspects_[open.suspect].attempts : std::uint8_t{1})));
    facts.unanswered = data.repeated_ack_at == 0 || data.repeated_ack_at < open.time - skew_;
    const bool covered_elsewhere = data.told_known && at_or_before(open.hi, data.acked_told);
    const bool told_by_receiver = data.acked_known && at_or_before(open.hi, data.acked);
    facts.told_elsewhere = covered_elsewhere && !told_by_receiver && data.early == 0;
    const bool reset_back = data.reset_back_at != 0 && data.reset_back_at > open.time - skew_ &&
                            data.reset_back_at < open.time + wait_ && peer.resets_entered == 0;
    const bool error_back = data.error_back && data.error_back_seq == open.lo;
    facts.refused = facts.silent && !open.left_any && (reset_back || error_back);
    // Had it arrived, behind bytes that did not, it would have been answered by a bare ACK.
    facts.way_blocked = data.tried >= 2 && data.last_left_space < open.time &&
                        peer.last_bare < open.time + 2 * skew_;
    return facts;
}

// A later copy of its bytes is still under way: it will join the case, or leave.
bool Evidence::State::awaits_copies(const Open& open) const {
    if (!open.repeated) {
        return false;
    }
    for (std::uint32_t i = open.next; i != kNone; i = opens_[i].next) {
        if (!opens_[i].alone && overlap(open.lo, open.hi, opens_[i].lo, opens_[i].hi)) {
            return true;
        }
    }
    return false;
}

// True if an earlier copy of the same bytes stays alone too, and nothing tells the two apart.
bool Evidence::State::join_case(WayState& way, const Open& open, const Seen& seen) {
    for (std::uint32_t i = way.opens; i != kNone && &opens_[i] != &open; i = opens_[i].next) {
        const Open& first = opens_[i];
        if (!first.alone || first.lo != open.lo || first.hi != open.hi ||
            first.left_serial != open.left_serial || first.covered != open.covered ||
            first.left_before != open.left_before ||
            first.circumstances.after_close != open.circumstances.after_close) {
            continue;
        }
        Suspect& suspect = suspects_[first.suspect];
        bump(suspect.attempts);
        if (suspect.repeats_count < suspect.repeats.size()) {
            Cite& repeat = suspect.repeats[suspect.repeats_count++];
            repeat = cite(seen.packet, Part::repeat);
            repeat.entered_in_slot = open.circumstances.entered_in_slot;
        }
        opens_[i].asks = std::max(first.asks, open.asks);
        opens_[i].interchangeable = first.interchangeable || open.interchangeable;
        return true;
    }
    return false;
}

void Evidence::State::entered_alone(const Seen& seen) {
    if (seen.copy || seen.packet.kind != PacketKind::segment) {
        return;
    }
    ConversationEvidence& it = of_slot(seen.of);
    WayState& way = it.ways[index(seen.way)];
    const Packet& packet = seen.packet;
    if (packet.has(flag::kRst)) {
        Stray stray;
        stray.packet = packet;
        stray.of = seen.of;
        stray.lo = seen.numbers.seq;
        stray.kind = StrayKind::reset_entered;
        stray.way = seen.way;
        stray.numbers_known = seen.numbers.known;
        stray.late = it.closed && packet.time > it.closed_at;
        stray.circumstances.after_close = stray.late;
        add_stray(it, stray);
        return;
    }
    if (packet.space() == 0) {
        way.pure_acks_lost += it.closed && packet.time > it.closed_at ? 0U : 1U;
        return;
    }
    std::uint32_t before = kNone;
    std::uint32_t index = way.opens;
    while (index != kNone && opens_[index].serial != seen.serial) {
        before = index;
        index = opens_[index].next;
    }
    if (index == kNone) {
        tell_unkept(seen);
        return;
    }
    if (opens_[index].passed || join_case(way, opens_[index], seen)) {
        remove_open(way, before, index);
        return;
    }
    const std::uint32_t made = suspects_.take();
    if (made == kNone) {
        counters_.add(stats::Counter::evidence_losses_exhausted);
        remove_open(way, before, index);
        tell_unkept(seen);
        return;
    }
    Open& open = opens_[index];
    way.disturbed += open.repeat || open.repeated || open.alone ? 0U : 1U;
    open.alone = true;
    open.suspect = made;
    suspects_[made] = {.packet = packet,
                       .of = seen.of,
                       .way = seen.way,
                       .open = index,
                       .since = std::max(now_, packet.time)};
    evaluate(made, false, now_);
}

void Evidence::State::evaluate(std::uint32_t index, bool last_call, Nanos now) {
    Suspect& suspect = suspects_[index];
    if (suspect.open == kNone) {
        suspects_.give_back(index);
        return;
    }
    ConversationEvidence& it = of_slot(suspect.of);
    WayState& way = it.ways[tw::taps::index(suspect.way)];
    const Open& open = opens_[suspect.open];
    const LossFacts facts = facts_of(it, open, suspect.way, last_call, now);
    Decision decision;
    const bool joining = awaits_copies(open);
    // What was told of before is told again only once more is known than one more try.
    const bool counts_on = open.earlier != 0 && !open.left_any && !open.covered;
    if (last_call || (!joining && !counts_on)) {
        decision = decide(facts);
    }
    // What leaves about now and is not recognised is known a transit later.
    const bool too_early =
        decision.kind == FactKind::missed_at_exit && !last_call && now < suspect.since + kLookAgain;
    if (!decision.concluded || too_early) {
        suspect.due = now + kLookAgain;
        suspect.next = kNone;
        (suspects_head_ == kNone ? suspects_head_ : suspects_[suspects_tail_].next) = index;
        suspects_tail_ = index;
        return;
    }
    if (decision.tell) {
        tell_loss(it, suspect, open, decision, now);
    }
    // One try behind bytes that were tried more often says nothing new of the way.
    const bool behind = facts.way_blocked && facts.attempts == 1;
    if (!behind && !open.left_any && !open.covered &&
        (!open.covered_before || decision.proof == Proof::no_copy_leaves)) {
        way.tried_lo = open.lo;
        way.tried_hi = open.hi;
        way.tried = facts.attempts;
        way.tried_late = open.circumstances.after_close;
    }
    if (decision.proof == Proof::answered_alone) {
        answer_resets(it, suspect.way, open.time);
    }
    std::uint32_t before = kNone;
    for (std::uint32_t i = way.opens; i != suspect.open; i = opens_[i].next) {
        before = i;
    }
    remove_open(way, before, suspect.open);
    suspects_.give_back(index);
}

void Evidence::State::tell_loss(ConversationEvidence& it, const Suspect& suspect, const Open& open,
                                const Decision& decision, Nanos now) {
    WayState& way = it.ways[index(suspect.way)];
    Fact fact;
    fact.kind = decision.kind;
    fact.grade = decision.grade;
    fact.proof = decision.proof;
    fact.single_fault = decision.single_fault;
    fact.way = suspect.way;
    fact.in_handshake = open.in_handshake;
    fact.attempts = suspect.attempts;
    fact.time = suspect.packet.time;
    fact.packet = suspect.packet;
    fact.circumstances = open.circumstances;
    if (open.left_any && open.left_at > open.time) {
        fact.cost = open.left_at - open.time;
    }
    const bool is_loss = decision.kind == FactKind::lost_between;
    if (open.circumstances.after_close && decision.kind != FactKind::missed_at_exit &&
        decision.proof != Proof::answered_alone) {
        fact.kind = FactKind::late_lost;
        // Which of the two came first is a matter of times.
        if (fact.time < it.closed_at + skew_) {
            fact.grade = std::min(fact.grade, Grade::probable);
        }
    }
    const auto add = [&fact](const Cite& cited) {
        if (cited.part != Part::none && fact.cites_count < Fact::kCitesMax) {
            fact.cites[fact.cites_count++] = cited;
        }
    };
    add(cite(suspect.packet, Part::subject));
    add(open.ask);
    add(open.left);
    add(open.ack);
    for (std::uint8_t i = 0; i < suspect.repeats_count; ++i) {
        add(suspect.repeats[i]);
    }
    if (suspect.repeats_count == 0 || open.left_any) {
        add(open.entered_again);
    }
    for (std::uint8_t i = 0; i < suspect.attempts; ++i) {
        count(way, fact.kind);
        if (is_loss && fact.kind == FactKind::lost_between) {
            passage_.lost(suspect.way, suspect.packet);
        }
    }
    if (fact.kind == FactKind::lost_between || fact.proof == Proof::no_copy_leaves) {
        it.unrecovered = it.unrecovered || fact.cost == 0;
    }
    take(fact, suspect.of, now);
}

void Evidence::State::tell_unkept(const Seen& seen) {
    Fact fact;
    fact.kind = FactKind::unproven;
    fact.proof = Proof::limit_reached;
    fact.way = seen.way;
    fact.time = seen.packet.time;
    fact.packet = seen.packet;
    fact.cites[fact.cites_count++] = cite(seen.packet, Part::subject);
    ++of_slot(seen.of).ways[index(seen.way)].unproven;
    take(fact, seen.of, now_);
}

// The conversation ends: what is alone is told with what is known, what is still under way is not.
void Evidence::State::close_losses(const Witnessed& of, Nanos now) {
    ConversationEvidence& it = of_slot(of);
    for (WayState& way : it.ways) {
        while (way.opens != kNone) {
            const std::uint32_t first = way.opens;
            const std::uint32_t suspect = opens_[first].suspect;
            if (!opens_[first].alone) {
                remove_open(way, kNone, first);
                continue;
            }
            // It stays in the order of asking again, which then finds it concluded.
            const Open& open = opens_[first];
            const Suspect& kept = suspects_[suspect];
            const Decision decision = decide(facts_of(it, open, kept.way, true, now));
            if (decision.tell) {
                tell_loss(it, kept, open, decision, now);
            }
            remove_open(way, kNone, first);
            suspects_[suspect].open = kNone;
        }
    }
}

}  // namespace tw::taps
