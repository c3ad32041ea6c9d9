// SPDX-License-Identifier: BSD-3-Clause
// What a packet says, as it enters at its own sender's tap, of the data that goes the other way:
// what it acknowledges, asks for and reports to have come twice. Only packets seen there are
// believed: towards the other side a firewall may answer in a host's name.
#include <algorithm>

#include "core/taps/evidence_state.hpp"

namespace tw::taps {
namespace {

// Acknowledged within twice the round trip to the receiver, no repeat can have been made: its
// sender would have had to wait for at least that long (RFC 8985: two round trips; RFC 6298: 200 ms
// or more in practice).
constexpr Nanos kTimerLeast = 200 * kMillisecond;

// Without SACK: so many bare repeats of an ACK ask for what follows it.
constexpr std::uint16_t kDuplicateAcks = 2;

std::uint8_t blocks(const Packet& packet) {
    return packet.option(option_bit::kSack) ? std::min<std::uint8_t>(packet.sack_count, 3) : 0;
}

// The first block tells of bytes that came twice (RFC 2883): below the ACK, or inside the second.
bool reports_duplicate(const Seen& seen) {
    const std::uint8_t count = blocks(seen.packet);
    if (count == 0) {
        return false;
    }
    const auto& sack = seen.numbers.sack;
    return at_or_before(sack[0].right, seen.numbers.ack) ||
           (count > 1 && holds(sack[1].left, sack[1].right, sack[0].left, sack[0].right));
}

bool is_bare(const Packet& packet) {
    return packet.space() == 0 && !packet.has(flag::kRst);
}

}  // namespace

Nanos Evidence::State::swap_margin(Side side) const {
    return std::min(skew_, 4 * swapped_[index(side)] + kMillisecond);
}

void Evidence::State::cover_open(const WayState& data, Open& open, const Seen& seen, bool by_ack) {
    const Packet& packet = seen.packet;
    open.covered = true;
    open.covered_at = packet.time;
    open.ack = cite(packet, Part::ack);
    // An ACK echoes the first segment behind the one before it (RFC 7323 4.3): of this packet's
    // bytes it tells only where it had stood just before them.
    const bool echo = by_ack && packet.option(option_bit::kTimestamps) && open.timestamps &&
                      data.acked_before == open.lo;
    if (open.left_any && at_or_before(open.hi, open.left_upto)) {
        open.echoes_before = echo && open.left_timestamps && after(open.left_tsval, packet.tsecr) &&
                             after(open.left_tsval, open.tsval);
        open.too_soon = data.rtt_min != 0 && packet.time - open.left_at < data.rtt_min / 2;
        return;
    }
    open.covered_unseen = !open.left_any;
    open.covered_partly = open.left_any;
    open.only_copy = !open.repeat && !open.repeated;
    open.echoes_it = echo && at_or_before(packet.tsecr, open.tsval);
    open.echoes_later = echo && !open.echoes_it;
    open.covered_soon =
        packet.time - open.time < std::min(kTimerLeast, 2 * data.rtt_min) && open.asks == 0;
}

void Evidence::State::cover(WayState& data, const Seen& seen, std::uint8_t first_block) {
    const std::uint32_t ack = seen.numbers.ack;
    const std::uint8_t count = blocks(seen.packet);
    const auto& sack = seen.numbers.sack;
    for (Span* span : {&data.at_exit, &data.at_entry}) {
        if (span->known && after(ack, span->begin)) {
            spans_.cover(*span, span->begin, ack, seen.packet.time);
        }
        for (std::uint8_t i = first_block; i < count; ++i) {
            spans_.cover(*span, sack[i].left, sack[i].right, seen.packet.time);
        }
    }
    for (std::uint32_t i = data.opens; i != kNone; i = opens_[i].next) {
        Open& open = opens_[i];
        if (open.covered || open.covered_before) {
            continue;
        }
        if (at_or_before(open.hi, ack)) {
            cover_open(data, open, seen, true);
            continue;
        }
        for (std::uint8_t block = first_block; block < count; ++block) {
            if (holds(sack[block].left, sack[block].right, open.lo, open.hi)) {
                cover_open(data, open, seen, false);
                break;
            }
        }
    }
}

void Evidence::State::ask(const ConversationEvidence& it, WayState& data, const Seen& seen,
                          std::uint8_t first_block) {
    const bool selective = data.sack_permitted && it.ways[index(seen.way)].sack_permitted;
    const std::uint32_t ack = seen.numbers.ack;
    const std::uint8_t count = blocks(seen.packet);
    const auto& sack = seen.numbers.sack;
    for (std::uint32_t i = data.opens; i != kNone; i = opens_[i].next) {
        Open& open = opens_[i];
        if (open.covered || open.left_any || open.beyond_window || after(ack, open.lo)) {
            continue;
        }
        bool asked = open.lo == ack && data.duplicate_acks >= kDuplicateAcks;
        for (std::uint8_t block = first_block; block < count; ++block) {
            asked = asked || at_or_before(open.hi, sack[block].left);
        }
        // Long after it must have arrived the receiver speaks, and does not have it.
        asked = asked || ((open.lo == ack || (selective && count == 0)) &&
                          seen.packet.time > open.time + 2 * skew_);
        if (asked) {
            bump(open.asks);
            if (open.ask.part == Part::none) {
                open.ask = cite(seen.packet, Part::asks);
            }
        }
    }
}

void Evidence::State::remember_reaction(const Seen& seen, std::uint32_t lo, bool dsack) {
    const Way data_way = back(seen.way);
    Reaction& place = reactions_[place_of(seen.of.conversation, data_way, lo) % kReactions];
    place = {.conversation = seen.of.conversation,
             .time = seen.packet.time,
             .lo = lo,
             .way = data_way,
             .dsack = dsack};
}

void Evidence::State::told_twice(WayState& data, const Seen& seen, std::uint32_t lo,
                                 std::uint32_t hi) {
    remember_reaction(seen, lo, true);
    for (std::uint32_t i = data.opens; i != kNone; i = opens_[i].next) {
        if (overlap(lo, hi, opens_[i].lo, opens_[i].hi)) {
            bump(opens_[i].duplicates_told);
        }
    }
}

// How far the receiver's window reaches. Its scale counts only where it got a SYN with one.
void Evidence::State::note_window(ConversationEvidence& it, const Seen& seen) {
    WayState& data = it.ways[index(back(seen.way))];
    const WayState& own = it.ways[index(seen.way)];
    data.window = seen.packet.window;
    const bool syn = seen.packet.has(flag::kSyn);
    const bool scales_known = own.syns_entered != 0 && data.syns_left != 0;
    if (!syn && !scales_known) {
        data.window_known = false;
        return;
    }
    const bool scaled = !syn && own.scale_entered > 0 && data.scale_left >= 0;
    const std::uint32_t edge =
        seen.numbers.ack + (std::uint32_t{seen.packet.window} << (scaled ? own.scale_entered : 0));
    if (!data.window_known || after(edge, data.window_edge)) {
        data.window_edge = edge;
    }
    data.window_known = true;
    // A mirror may show the ACK that opened the window behind what was sent into it.
    const Nanos margin = swap_margin(seen.packet.tap);
    for (std::uint32_t i = data.opens; i != kNone; i = opens_[i].next) {
        Open& open = opens_[i];
        if (!open.circumstances.in_window && !after(open.hi, edge) &&
            seen.packet.time <= open.time + margin) {
            open.circumstances.in_window = true;
            open.circumstances.window_left = distance(open.hi, edge);
            open.beyond_window = false;
        }
    }
}

void Evidence::State::note_close(ConversationEvidence& it, const Seen& seen) {
    WayState& data = it.ways[index(back(seen.way))];
    if (!data.fin_seen || data.fin_acked || !at_or_before(data.fin_end, data.acked)) {
        return;
    }
    data.fin_acked = true;
    if (it.ways[index(seen.way)].fin_acked && !it.closed) {
        it.closed = true;
        it.closed_at = seen.packet.time;
    }
}

void Evidence::State::receiver(ConversationEvidence& it, const Seen& seen) {
    const Packet& packet = seen.packet;
    if (!packet.has(flag::kAck)) {
        return;
    }
    WayState& data = it.ways[index(back(seen.way))];
    if (!packet.has(flag::kRst)) {
        if (!data.acked_raw_known || packet.has(flag::kSyn)) {
            data.acked_raw_known = true;
            data.acked_raw_first = packet.ack;
            data.acked_raw = packet.ack;
        } else if (after(packet.ack, data.acked_raw)) {
            data.acked_raw = packet.ack;
            data.raw_ack = cite(packet, Part::ack);
        }
    }
    const std::uint32_t ack = seen.numbers.ack;
    if (!seen.numbers.known || (data.at_entry.known && after(ack, data.at_entry.end) &&
                                distance(data.at_entry.end, ack) > Spans::kJumpMax)) {
        return;
    }
    const bool advances = !data.acked_known || after(ack, data.acked);
    const bool same_again = data.acked_known && ack == data.acked && is_bare(packet) &&
                            packet.window == data.window && !packet.has(flag::kSyn);
    if (data.acked_known && !advances && is_bare(packet)) {
        data.repeated_ack_at = packet.time;
    }
    const bool dsack = reports_duplicate(seen);
    const std::uint8_t first_block = dsack ? 1 : 0;
    data.duplicate_acks = static_cast<std::uint16_t>(
        same_again ? std::min<std::uint16_t>(data.duplicate_acks + 1, 1000)
                   : (advances ? 0 : data.duplicate_acks));
    if (advances) {
        if (data.sampling && at_or_before(data.sample_end, ack)) {
            const Nanos trip = packet.time - data.sample_at;
            if (trip > 0 && (data.rtt_min == 0 || trip < data.rtt_min)) {
                data.rtt_min = trip;
            }
            data.sampling = false;
        }
        data.acked_before = data.acked_known ? data.acked : ack;
        data.acked = ack;
        data.acked_known = true;
    }
    if (data.told_known && !packet.has(flag::kRst) && after(data.acked_told, ack) &&
        packet.time > data.told_at + skew_) {
        data.early = std::max(data.early, distance(ack, data.acked_told));
    }
    if (dsack) {
        told_twice(data, seen, seen.numbers.sack[0].left, seen.numbers.sack[0].right);
    } else if (same_again && data.opens == kNone) {
        remember_reaction(seen, ack, false);
    }
    const bool has_blocks = blocks(packet) > first_block;
    if (advances || has_blocks) {
        cover(data, seen, first_block);
    }
    if (data.opens != kNone && (has_blocks || data.duplicate_acks >= kDuplicateAcks ||
                                packet.time > opens_[data.opens].time + 2 * skew_)) {
        ask(it, data, seen, first_block);
    }
    if (advances || ack == data.acked) {
        note_window(it, seen);
    }
    note_close(it, seen);
    if (data.at_exit.gaps_count != 0 || data.at_entry.gaps_count != 0) {
        settle_gaps(seen.of, data, back(seen.way), packet.time - skew_);
    }
}

// Bytes that the receiver has and a tap has not shown. A gap of the entry tap alone is told by the
// packet that left; one of the exit tap by the packet that entered.
void Evidence::State::settle_gaps(const Witnessed& of, WayState& data, Way data_way, Nanos until) {
    Gap gap;
    while (spans_.take_covered(data.at_exit, until, gap)) {
        TapWay& tap = health_.taps[index(exit(data_way))][index(data_way)];
        tap.missed_bytes += distance(gap.lo, gap.hi);
        ++tap.missed_packets;
        if (spans_.seen(data.at_entry, gap.lo, gap.hi) != Share::none) {
            continue;
        }
        Fact fact;
        fact.kind = FactKind::missed_at_exit;
        fact.grade = Grade::probable;
        fact.proof = Proof::receiver_covers;
        fact.way = data_way;
        fact.attempts = 0;  // neither tap saw it
        fact.time = gap.covered_at;
        fact.packet.time = gap.covered_at;
        fact.packet.seq = gap.lo;
        fact.packet.payload_bytes = distance(gap.lo, gap.hi);
        fact.packet.tap = exit(data_way);
        ++data.missed_at_exit;
        take(fact, of, now_);
    }
    while (spans_.take_covered(data.at_entry, until, gap)) {
        TapWay& tap = health_.taps[index(entry(data_way))][index(data_way)];
        tap.missed_bytes += distance(gap.lo, gap.hi);
        ++tap.missed_packets;
    }
}

}  // namespace tw::taps
