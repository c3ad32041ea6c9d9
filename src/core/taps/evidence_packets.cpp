// SPDX-License-Identifier: BSD-3-Clause
// Packets as the engine shows them, at their entry tap, at their exit tap and as pairs: what is on
// its way, what of it left in another copy, and the marks of a conversation's life.
#include <algorithm>

#include "core/taps/evidence_state.hpp"

namespace tw::taps {
namespace {

// Numbers this close to what a side sent last are of the same connection, not of one that took
// over its ports.
constexpr std::uint32_t kNearBytes = 1U << 24;

// What comes later than this to fill a gap was sent again.
constexpr Nanos kReordering = 10 * kMillisecond;

// A host that counts its packets sends few to others between two of a connection.
constexpr std::uint16_t kIdStep = 256;

// Packets are held back for less; what is older comes after a step of the clock.
constexpr Nanos kClockStep = kSecond;

bool near(const Span& span, std::uint32_t seq) {
    return !span.known || distance(span.end, seq) < kNearBytes ||
           distance(seq, span.end) < kNearBytes;
}

bool disturbed(const Open& open) {
    return open.repeat || open.repeated || open.alone;
}

}  // namespace

void Evidence::State::note_times(ConversationEvidence& it, const Seen& seen, bool is_entry) {
    const Nanos time = seen.packet.time;
    it.seen[index(seen.packet.tap)] = true;
    WayState& way = it.ways[index(seen.way)];
    if (it.first == 0) {
        it.first = time;
    }
    // A SYN passes after any silence: it needs no state, it makes one.
    const bool needs_state = !seen.packet.has(flag::kSyn);
    if (is_entry && needs_state && it.last_seen != 0 && time - it.last_seen > it.idle_passed) {
        it.gap = time - it.last_seen;
        it.gap_serial = seen.serial;
    }
    if (is_entry) {
        way.entered_after_idle = it.last_left != 0 ? std::max<Nanos>(time - it.last_left, 0) : 0;
        if (needs_state && way.last_left != 0 && time - way.last_left > way.idle_passed) {
            way.gap = time - way.last_left;
            way.gap_serial = seen.serial;
        }
        way.last_entered = std::max(way.last_entered, time);
    } else {
        way.last_left = std::max(way.last_left, time);
        if (seen.packet.space() != 0) {
            way.last_left_space = std::max(way.last_left_space, time);
        }
        it.last_left = std::max(it.last_left, time);
    }
    it.last_seen = std::max(it.last_seen, time);
}

void Evidence::State::add_open(ConversationEvidence& it, const Seen& seen) {
    WayState& way = it.ways[index(seen.way)];
    const Packet& packet = seen.packet;
    const std::uint32_t lo = seen.numbers.seq;
    const std::uint32_t hi = lo + packet.space();
    Open made;
    made.circumstances = circumstances(it, seen);
    const Noted noted = spans_.note(way.at_entry, lo, hi, packet.time);
    if (noted.before == Share::none && noted.fills && !noted.after_ack &&
        packet.time - noted.gap_since >= kReordering &&
        spans_.seen(way.at_exit, lo, hi) == Share::none) {
        ++way.lost_before;
    }
    const std::uint32_t index = opens_.take();
    if (index == kNone) {
        counters_.add(stats::Counter::evidence_opens_exhausted);
        return;
    }
    made.serial = seen.serial;
    made.frame = packet.frame;
    made.time = packet.time;
    made.lo = lo;
    made.hi = hi;
    made.left_upto = lo;
    made.timestamps = packet.option(option_bit::kTimestamps);
    made.tsval = packet.tsval;
    made.ip_id = packet.ip_id;
    made.syn = packet.has(flag::kSyn);
    made.in_handshake = it.established == 0 && (made.syn || it.syn_entered != 0);
    made.repeat = noted.before != Share::none;
    made.left_before = spans_.seen(way.at_exit, lo, hi) == Share::whole;
    made.covered_before = way.acked_known && at_or_before(hi, way.acked);
    made.acknowledged_old = made.covered_before;
    made.beyond_window = way.acked_known && ((way.window_known && after(hi, way.window_edge)) ||
                                             (way.window == 0 && after(hi, way.acked)));
    made.incomplete = way.at_entry.incomplete || way.at_exit.incomplete;
    if (way.tried != 0 && overlap(lo, hi, way.tried_lo, way.tried_hi) &&
        way.tried_late == made.circumstances.after_close) {
        made.earlier = way.tried;
    }
    if (made.repeat) {
        for (std::uint32_t i = way.opens; i != kNone; i = opens_[i].next) {
            Open& older = opens_[i];
            if (!overlap(lo, hi, older.lo, older.hi)) {
                continue;
            }
            way.disturbed += disturbed(older) ? 0U : 1U;
            older.repeated = true;
            if (older.entered_again.part == Part::none) {
                older.entered_again = cite(packet, Part::repeat);
            }
        }
    }
    opens_[index] = made;
    (way.opens == kNone ? way.opens : opens_[way.opens_last].next) = index;
    way.opens_last = index;
    way.disturbed += disturbed(made) ? 1U : 0U;
}

void Evidence::State::remove_open(WayState& way, std::uint32_t before, std::uint32_t index) {
    (before == kNone ? way.opens : opens_[before].next) = opens_[index].next;
    if (way.opens_last == index) {
        way.opens_last = before;
    }
    way.disturbed -= disturbed(opens_[index]) ? 1U : 0U;
    opens_[index].serial = 0;
    opens_.give_back(index);
}

void Evidence::State::note_load(const Seen& seen) {
    Entering& way = entering_[index(seen.way)];
    const Nanos time = seen.packet.time;
    if (time >= way.until || time < way.until - kClockStep) {
        way.until = Passage::slot_end(time);
        way.bytes = 0;
    }
    // One that was held back until its way was known comes after its slot.
    const bool now = time >= way.until - Passage::kSlotTime;
    way.before = now ? way.bytes : 0;
    way.bytes += now ? seen.packet.ip_bytes : 0U;
}

void Evidence::State::note_sender(ConversationEvidence& it, const Seen& seen) {
    WayState& way = it.ways[index(seen.way)];
    const Packet& packet = seen.packet;
    if (!packet.v6 && packet.ip_id != 0) {
        if (packet.ip_id != way.ip_id) {
            bump(way.ids_changed);
        } else {
            way.ids_changed = 0;
        }
        way.ip_id = packet.ip_id;
    }
    if (packet.has(flag::kRst)) {
        bump(way.resets_entered);
        return;
    }
    if (packet.has(flag::kSyn)) {
        bump(way.syns_entered);
        way.scale_entered = packet.window_scale;
        way.last_syn = packet.time;
        if (packet.has(flag::kAck)) {
            it.answer_entered = it.answer_entered != 0 ? it.answer_entered : packet.time;
        } else if (it.syn_entered == 0) {
            it.syn_entered = packet.time;
        }
        return;
    }
    if (packet.has(flag::kFin)) {
        way.fin_seen = true;
        way.fin_end = seen.numbers.seq + packet.space();
    }
    if (packet.space() == 0) {
        way.last_bare = std::max(way.last_bare, packet.time);
    }
    if (near(way.at_entry, seen.numbers.seq)) {
        way.last_plain = std::max(way.last_plain, packet.time);
    }
}

void Evidence::State::entered(const Seen& seen) {
    if (seen.copy || seen.packet.kind != PacketKind::segment) {
        return;
    }
    ConversationEvidence& it = of_slot(seen.of);
    note_load(seen);
    WayState& way = it.ways[index(seen.way)];
    if (way.told_mtu != 0 && seen.packet.ip_bytes > way.told_mtu) {
        way.too_long_at = std::max(way.too_long_at, seen.packet.time);
    }
    receiver(it, seen);
    if (seen.packet.space() != 0 && !seen.packet.has(flag::kRst)) {
        add_open(it, seen);
    }
    note_sender(it, seen);
    note_times(it, seen, true);
}

// Bytes leave of which another copy is still looked for.
void Evidence::State::mark_left(WayState& way, const Seen& seen) {
    const std::uint32_t lo = seen.numbers.seq;
    const std::uint32_t hi = lo + seen.packet.space();
    const Nanos margin = swap_margin(seen.packet.tap);
    for (std::uint32_t i = way.opens; i != kNone; i = opens_[i].next) {
        Open& open = opens_[i];
        if (!overlap(lo, hi, open.lo, open.hi)) {
            continue;
        }
        if (holds(lo, hi, open.lo, open.lo + 1)) {
            bump(open.copies_left_ever);
        }
        if (open.covered && open.covered_unseen) {
            open.raced = open.raced || seen.packet.time - open.covered_at <= margin;
            continue;
        }
        if (open.covered) {
            continue;
        }
        if (holds(lo, hi, open.lo, open.lo + 1)) {
            bump(open.copies_left);
        }
        if (at_or_before(lo, open.left_upto) && after(hi, open.left_upto)) {
            open.left_upto = hi;
        }
        if (!open.left_any) {
            open.left_any = true;
            open.left_at = seen.packet.time;
            open.left_serial = seen.serial;
            open.left_same_bounds = lo == open.lo && hi == open.hi;
            open.left_timestamps = seen.packet.option(option_bit::kTimestamps);
            open.left_tsval = seen.packet.tsval;
            open.left = cite(seen.packet, Part::left);
        }
    }
}

void Evidence::State::remember_left(const Seen& seen, Share before) {
    const std::uint32_t lo = seen.numbers.seq;
    RecentlyLeft& place =
        recently_left_[place_of(seen.of.conversation, seen.way, lo) % kRecentlyLeft];
    const Packet& packet = seen.packet;
    const std::uint32_t hi = lo + packet.space();
    const bool same = place.conversation == seen.of.conversation && place.way == seen.way &&
                      place.lo == lo && place.hi == hi && place.ip_id == packet.ip_id &&
                      place.tsval == packet.tsval && place.options == packet.options;
    const bool again =
        place.conversation == seen.of.conversation && place.way == seen.way && place.lo == lo;
    place = {.conversation = seen.of.conversation,
             .serial = seen.serial,
             .time = packet.time,
             .lo = lo,
             .hi = hi,
             .tsval = packet.tsval,
             .ip_id = packet.ip_id,
             .way = seen.way,
             .before = before,
             .same_before = same,
             .copies = static_cast<std::uint8_t>(again ? std::min(place.copies + 1, 255) : 1),
             .options = packet.options};
}

void Evidence::State::note_sender_left(ConversationEvidence& it, const Seen& seen) {
    WayState& way = it.ways[index(seen.way)];
    const Packet& packet = seen.packet;
    if (packet.has(flag::kRst)) {
        bump(way.resets_left);
        if (!it.closed) {
            it.closed = true;
            it.closed_at = packet.time;
        }
        return;
    }
    way.rewritten = way.rewritten || (seen.numbers.known && seen.numbers.seq != packet.seq);
    way.ttl_left = packet.ttl;
    way.ttl_known = true;
    way.timestamps_left = packet.option(option_bit::kTimestamps);
    way.tsval_left = packet.tsval;
    if (!packet.v6 && packet.ip_id != 0) {
        const auto step = static_cast<std::uint16_t>(packet.ip_id - way.id_left);
        if (step != 0 && step <= kIdStep) {
            bump(way.ids_counted);
        } else {
            way.ids_counted = 0;
        }
        way.id_left = packet.ip_id;
    }
    if (packet.has(flag::kSyn)) {
        bump(way.syns_left);
        way.scale_left = packet.window_scale;
        way.isn_left = seen.numbers.seq;
        way.sack_permitted = packet.option(option_bit::kSackPermitted);
        if (!packet.has(flag::kAck) && it.syn_left == 0) {
            it.syn_left = packet.time;
        }
    }
    way.fin_left = way.fin_left || packet.has(flag::kFin);
}

void Evidence::State::left(const Seen& seen) {
    if (seen.copy || seen.packet.kind != PacketKind::segment) {
        return;
    }
    ConversationEvidence& it = of_slot(seen.of);
    WayState& way = it.ways[index(seen.way)];
    const Packet& packet = seen.packet;
    const std::uint32_t lo = seen.numbers.seq;
    const std::uint32_t hi = lo + packet.space();
    if (seen.numbers.known && hi != lo && !packet.has(flag::kRst)) {
        const bool as_expected =
            way.opens == kNone ||
            (way.disturbed == 0 && opens_[way.opens].lo == lo && opens_[way.opens].hi == hi);
        if (!as_expected) {
            mark_left(way, seen);
        } else if (way.opens != kNone) {
            way.taken_for_twin = seen.serial;
        }
        const bool next = way.at_exit.known && way.at_exit.end == lo;
        const Noted noted = spans_.note(way.at_exit, lo, hi, packet.time);
        remember_left(seen, spans_.seen(way.at_entry, lo, hi));
        if (noted.after_ack) {
            filler_serial_ = seen.serial;
            filler_lag_ = packet.time - noted.acknowledged_at;
        }
        if (noted.before != Share::none || !as_expected) {
            way.sampling = false;  // which copy is answered is not known
        } else if (!way.sampling && next) {
            way.sampling = true;
            way.sample_end = hi;
            way.sample_at = packet.time;
        }
    }
    if (packet.has(flag::kAck) && !packet.has(flag::kRst)) {
        // As captured: at this tap the sender of the data counts the same way.
        WayState& data = it.ways[index(back(seen.way))];
        if (!data.told_known || after(packet.ack, data.acked_told)) {
            data.told_known = true;
            data.acked_told = packet.ack;
            data.told_at = packet.time;
        }
    }
    note_sender_left(it, seen);
    note_times(it, seen, false);
}

void Evidence::State::fragmented(const Seen& seen) {
    WayState& way = of_slot(seen.of).ways[index(seen.way)];
    const bool enters = seen.packet.tap == entry(seen.way);
    if (!seen.numbers.known || seen.packet.space() == 0) {
        return;
    }
    if (!enters) {
        mark_left(way, seen);
    }
    const std::uint32_t lo = seen.numbers.seq;
    (void)spans_.note(enters ? way.at_entry : way.at_exit, lo, lo + seen.packet.space(),
                      seen.packet.time);
}

void Evidence::State::note_handshake(ConversationEvidence& it, const Seen& entered,
                                     const Seen& left) {
    const Packet& packet = left.packet;
    if (packet.has(flag::kRst)) {
        if (!it.reset_passed) {
            it.reset_passed = true;
            it.reset_way = left.way;
        }
        return;
    }
    if (it.established == 0 && it.syn_left != 0 && !packet.has(flag::kSyn) &&
        packet.has(flag::kAck) && entered.of.client_known &&
        left.way == way_into(entered.of.client_side) &&
        it.ways[index(back(left.way))].syns_left != 0) {
        it.established = packet.time;
    }
}

// A mirror showed a packet twice, and its second copy has the twin.
void Evidence::State::pass_original(WayState& way, const Seen& copy) {
    for (std::uint32_t i = way.opens; i != kNone; i = opens_[i].next) {
        Open& open = opens_[i];
        open.passed = open.passed ||
                      (open.lo == copy.numbers.seq && open.hi == open.lo + copy.packet.space() &&
                       open.ip_id == copy.packet.ip_id && open.tsval == copy.packet.tsval);
    }
}

void Evidence::State::paired(const Seen& entered, const Seen& left) {
    if (entered.packet.kind != PacketKind::segment) {
        return;
    }
    ConversationEvidence& it = of_slot(entered.of);
    WayState& way = it.ways[index(entered.way)];
    if (entered.copy) {
        pass_original(way, entered);
        return;
    }
    if (entered.packet.payload_bytes > left.packet.payload_bytes) {
        // The firewall took bytes out: the receiver's ACKs go by numbers that no packet had.
        (void)spans_.note(way.at_exit, entered.numbers.seq,
                          entered.numbers.seq + entered.packet.space(), left.packet.time);
    }
    if (entered.serial == it.gap_serial) {
        it.idle_passed = std::max(it.idle_passed, it.gap);
    }
    bump(way.pairs);
    if (entered.packet.has(flag::kSyn)) {
        way.syn_passed = true;
    } else {
        const Nanos transit = left.packet.time - entered.packet.time;
        way.least_transit = way.pairs_timed == 0 ? transit : std::min(way.least_transit, transit);
        bump(way.pairs_timed);
    }
    if (entered.serial == way.gap_serial) {
        way.idle_passed = std::max(way.idle_passed, way.gap);
    }
    note_handshake(it, entered, left);
    if (entered.packet.space() == 0 || way.opens == kNone) {
        return;
    }
    bool was_repeat = true;
    bool was_beyond = false;
    for (std::uint32_t i = way.opens, before = kNone; i != kNone; i = opens_[i].next) {
        if (opens_[i].serial == entered.serial) {
            was_repeat = opens_[i].repeat;
            was_beyond = opens_[i].beyond_window;
            // By skew its own twin may have come first: only what is sent again was lost.
            way.lost_beyond +=
                was_repeat && opens_[i].left_before && !opens_[i].covered_before ? 1U : 0U;
            remove_open(way, before, i);
            break;
        }
        before = i;
    }
    if (left.serial == way.taken_for_twin && way.opens != kNone && left.serial < entered.serial) {
        mark_left(way, left);  // a repeat that by skew left before it entered
    }
    if (left.serial == filler_serial_ && !was_repeat && filler_lag_ > 0) {
        Nanos& swapped = swapped_[index(left.packet.tap)];
        swapped = std::max(swapped, std::min(filler_lag_, skew_));
    }
    if (way.disturbed == 0) {
        return;
    }
    settle_earlier_copies(way, entered, left, was_beyond);
}

// What the packet that left says of copies that entered before it, or after.
void Evidence::State::settle_earlier_copies(WayState& way, const Seen& entered, const Seen& left,
                                            bool beyond_window) {
    for (std::uint32_t i = way.opens; i != kNone; i = opens_[i].next) {
        Open& open = opens_[i];
        const bool same = open.lo == entered.numbers.seq &&
                          open.hi == open.lo + entered.packet.space() &&
                          open.ip_id == entered.packet.ip_id && open.tsval == entered.packet.tsval;
        if (same && left.packet.time - std::max(open.time, entered.packet.time) >= -skew_ &&
            left.packet.time - std::min(open.time, entered.packet.time) <= skew_) {
            open.interchangeable = true;
        }
        if (open.left_serial != left.serial || !open.left_any) {
            continue;
        }
        if (entered.serial > open.serial) {
            open.left_paired = true;
            open.entered_again = cite(entered.packet, Part::repeat);
            // One as far out left: an ACK that was not seen had opened the window.
            open.circumstances.window_known = open.circumstances.window_known && !beyond_window;
        } else {
            // An earlier copy that took longer: this one was not needed any more.
            open.left_any = false;
            open.left_before = true;
            open.copies_left = 0;
            open.copies_left_ever = 0;
            open.left_upto = open.lo;
        }
    }
}

}  // namespace tw::taps
