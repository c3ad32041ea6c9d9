// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/order.hpp"

#include <algorithm>

#include "base/sequence.hpp"
#include "core/taps/compare.hpp"

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;

constexpr std::uint32_t kNone = Pool<int>::kNone;
// A difference of times counts beyond so many times the taps' contradiction (firewall.md gate T).
constexpr Nanos kSkewMargin = 4;

// Order of arrival at one tap: packets are numbered there, live bursts share one time.
bool came_before(std::uint32_t ordinal, Nanos time, std::uint32_t other, Nanos other_time) {
    return ordinal != other ? after(other, ordinal) : time < other_time;
}

std::uint32_t short_frame(std::uint64_t frame) {
    return frame > UINT32_MAX ? 0 : static_cast<std::uint32_t>(frame);
}

bool holds(const tcp::SackBlock& block, std::uint32_t begin, std::uint32_t end) {
    return at_or_before(block.left, begin) && at_or_before(end, block.right);
}

// A repeat that came while the packet was on its way looks the same where neither identification
// nor timestamps tell them apart.
bool may_be_its_repeat(const OrderState& state, const Packet& in) {
    return in.ip_id == 0 && !in.option(option_bit::kTimestamps) && state.repeated > in.time &&
           after(state.repeated_end, in.seq) && after(in.end(), state.repeated_begin);
}

// Packets with equal ones are not told apart; that some others share them does no harm.
std::uint32_t face_of(const Packet& packet) {
    constexpr std::uint32_t kMix = 0x9E37'79B1;
    const tcp::SackBlock& first = packet.sack[0];
    const std::uint32_t sack = packet.sack_count != 0 ? first.left ^ first.right : 0;
    std::uint32_t face = packet.v6 ? 0U : packet.ip_id;
    for (const std::uint32_t part : {packet.seq, packet.end(), packet.ack, packet.tsval, sack}) {
        face = face * kMix + part;
    }
    return face;
}

// What a receiver says in one packet.
struct Words {
    std::uint32_t ack = 0;
    // A D-SACK (RFC 2883): its first block lies below the ACK, or within the second block.
    bool twice = false;
    std::span<const tcp::SackBlock> blocks;  // D-SACK left out
    tcp::SackBlock duplicate;
};

Words words_of(const Packet& packet) {
    Words words;
    words.ack = packet.ack;
    if (!packet.option(option_bit::kSack)) {
        return words;
    }
    const std::size_t count = std::min<std::size_t>(packet.sack_count, packet.sack.size());
    words.blocks = std::span(packet.sack).first(count);
    if (count != 0) {
        const tcp::SackBlock& first = packet.sack[0];
        words.twice = at_or_before(first.right, packet.ack) ||
                      (count > 1 && holds(packet.sack[1], first.left, first.right));
        if (words.twice) {
            words.duplicate = first;
            words.blocks = words.blocks.subspan(1);
        }
    }
    return words;
}

bool covers(const Words& words, std::uint32_t begin, std::uint32_t end) {
    return at_or_before(end, words.ack) ||
           std::any_of(words.blocks.begin(), words.blocks.end(),
                       [&](const tcp::SackBlock& block) { return holds(block, begin, end); });
}

// It lacks the bytes and has later ones.
bool has_beyond(const Words& words, std::uint32_t begin, std::uint32_t end) {
    return at_or_before(words.ack, begin) &&
           std::any_of(words.blocks.begin(), words.blocks.end(),
                       [&](const tcp::SackBlock& block) { return at_or_before(end, block.left); });
}

}  // namespace

Order::Order(Backing backing, FactSink& sink, const TapHealth& health, stats::Counters& counters)
    : sink_(sink), health_(health), counters_(counters), late_(kWaitingMax, backing) {}

void Order::remember(OrderState& state, const Packet& packet) {
    const std::uint32_t end = packet.end();
    if (!state.any_entered || at_or_before(state.entered_end, packet.seq)) {
        state.any_entered = true;
        state.entered_end = end;
        return;
    }
    const bool goes_on = state.repeated != 0 && packet.time - state.repeated < kPatience &&
                         at_or_before(state.repeated_begin, state.entered_end);
    if (!goes_on) {
        state.repeated_begin = packet.seq;
        state.repeated_end = end;
    } else {
        state.repeated_begin =
            after(state.repeated_begin, packet.seq) ? packet.seq : state.repeated_begin;
        state.repeated_end = after(end, state.repeated_end) ? end : state.repeated_end;
    }
    state.repeated = packet.time;
    state.entered_end = after(end, state.entered_end) ? end : state.entered_end;
}

void Order::passed(OrderState& state, const Pair& pair, const Witnessed& of) {
    const Packet& in = pair.entered;
    const Packet& out = pair.left;
    if (state.waiting != kNone && out.space() != 0) {
        another_copy(state, out);
    }
    // A proxy sends in an order of its own. Which of several packets one is, is a guess where they
    // are not equal, and where all of equal ones need not have left: lost bytes are sent again.
    if (!pair.ack_matched || (!pair.alone && (!pair.exact || out.space() != 0))) {
        return;
    }
    const bool entered_later =
        !state.any_left || !came_before(in.ordinal, in.time, state.entered_ordinal, state.entered);
    if (entered_later) {
        if (state.any_left && came_before(out.ordinal, out.time, state.left_ordinal, state.left)) {
            // The one before was late, and is not kept: it is known only once both have left.
            counters_.add(stats::Counter::taps_late_unkept);
        }
        state.entered = in.time;
        state.left = out.time;
        state.entered_ordinal = in.ordinal;
        state.left_ordinal = out.ordinal;
        state.entered_frame = short_frame(in.frame);
        state.left_frame = short_frame(out.frame);
        state.last_seq = out.seq;
        state.last_end = out.end();
        state.last_face = face_of(out);
        state.last_sure = pair.alone && !may_be_its_repeat(state, in);
        state.any_left = true;
        return;
    }
    // Equal packets are not told apart: that one overtook the other says nothing, and which of
    // several is late is known only once all of them have left.
    const bool equals = face_of(out) == state.last_face;
    const bool still_open = pair.others_wait || (pair.alone && may_be_its_repeat(state, in));
    if (!equals && !still_open &&
        came_before(state.left_ordinal, state.left, out.ordinal, out.time)) {
        late(state, pair, of);
    }
}

void Order::late(OrderState& state, const Pair& pair, const Witnessed& of) {
    const Packet& in = pair.entered;
    const Packet& out = pair.left;
    Late found{};
    found.entered = in;
    found.left = out;
    found.of = of;
    found.state = &state;
    found.way = pair.way;
    found.overtaker_entered = state.entered;
    found.overtaker_left = state.left;
    found.overtaker_entered_frame = state.entered_frame;
    found.overtaker_left_frame = state.left_frame;
    const std::uint32_t begin = out.seq;
    const std::uint32_t end = out.end();
    // It entered behind a gap that the overtaker fills, and both left in order: the entry tap's
    // mirror swapped them, as no firewall puts packets in order again and no sender repeats the
    // higher one first.
    found.in_order = pair.out_of_order && out.space() != 0 && state.last_end == out.seq &&
                     state.last_seq != state.last_end;
    // Of a repeat, or of what takes no sequence numbers, a receiver's word proves nothing, nor
    // where what overtook it lies before it: the receiver did not ask because of that.
    const bool beyond = state.last_seq != state.last_end && at_or_before(end, state.last_seq);
    const bool tellable = out.space() != 0 && !pair.out_of_order && pair.alone && state.last_sure &&
                          beyond && !(state.any_ack && at_or_before(end, state.last_ack));
    if (!tellable) {
        tell(found);
        return;
    }
    if (state.asked > in.time && at_or_before(state.asked_ack, begin)) {
        const bool only_repeats = state.asked_has.left == state.asked_has.right;
        if (only_repeats ? state.asked_ack == begin : at_or_before(end, state.asked_has.left)) {
            found.asked = state.asked;
            found.asked_frame = state.asked_frame;
        }
    }
    std::uint32_t waiting = 0;
    for (std::uint32_t i = state.waiting; i != kNone; i = late_[i].next) {
        ++waiting;
    }
    const std::uint32_t index = waiting < kWaitingOfWayMax ? late_.take() : kNone;
    if (index == kNone) {
        counters_.add(stats::Counter::taps_late_full);
        tell(found);
        return;
    }
    found.next = state.waiting;
    found.older = newest_;
    late_[index] = found;
    state.waiting = index;
    (newest_ == kNone ? oldest_ : late_[newest_].newer) = index;
    newest_ = index;
}

void Order::another_copy(OrderState& state, const Packet& left) {
    for (std::uint32_t i = state.waiting; i != kNone; i = late_[i].next) {
        Late& late = late_[i];
        if (after(late.left.end(), left.seq) && after(left.end(), late.left.seq)) {
            late.another_left = true;
        }
    }
}

void Order::listen(OrderState& state, const Packet& packet) {
    const bool sack = packet.option(option_bit::kSack) && packet.sack_count != 0;
    const bool repeats = state.any_ack && packet.ack == state.last_ack &&
                         packet.window == state.last_window && packet.space() == 0 &&
                         !packet.has(flag::kRst);
    if (!state.any_ack || at_or_before(state.last_ack, packet.ack)) {
        state.last_ack = packet.ack;
        state.last_window = packet.window;
        state.any_ack = true;
    }
    if (!sack && !repeats && state.waiting == kNone) {
        return;
    }
    const Words words = words_of(packet);
    if (sack || repeats) {
        state.asked = packet.time;
        state.asked_ack = packet.ack;
        state.asked_frame = short_frame(packet.frame);
        state.asked_has = words.blocks.empty() ? tcp::SackBlock{} : words.blocks.front();
    }
    std::uint32_t next = kNone;
    for (std::uint32_t i = state.waiting; i != kNone; i = next) {
        Late& late = late_[i];
        next = late.next;
        const std::uint32_t begin = late.left.seq;
        const std::uint32_t end = late.left.end();
        const bool asks = has_beyond(words, begin, end) ||
                          (repeats && words.blocks.empty() && packet.ack == begin);
        if (asks && late.asked == 0 && packet.time > late.entered.time) {
            late.asked = packet.time;
            late.asked_frame = short_frame(packet.frame);
        }
        late.came_twice |= words.twice && holds(words.duplicate, begin, end);
        // What came while no other copy was on its way is the late one itself.
        late.covered |= covers(words, begin, end);
        if (late.came_twice || (late.covered && !late.another_left)) {
            conclude(i);
        }
    }
}

void Order::conclude(std::uint32_t index) {
    Late& late = late_[index];
    tell(late);
    std::uint32_t* link = &late.state->waiting;
    while (*link != index) {
        link = &late_[*link].next;
    }
    *link = late.next;
    (late.older == kNone ? oldest_ : late_[late.older].newer) = late.newer;
    (late.newer == kNone ? newest_ : late_[late.newer].older) = late.older;
    late_.give_back(index);
}

void Order::tell(const Late& late) {
    const bool reacted =
        late.asked != 0 && (late.came_twice || (late.covered && !late.another_left));
    // An ACK that came in order, with nothing asked for, says that nothing was out of order.
    const bool denied = late.in_order ||
                        (late.asked == 0 && late.covered && !late.another_left && !late.came_twice);
    const Nanos slower =
        (late.left.time - late.entered.time) - (late.overtaker_left - late.overtaker_entered);
    const bool within_skew = slower <= kSkewMargin * health_.skew();
    if (!reacted && !denied && within_skew) {
        counters_.add(stats::Counter::taps_late_within_skew);
        return;
    }
    Fact fact = fact_of(late.entered, late.left, late.way);
    fact.kind = FactKind::reordered;
    fact.proof = reacted  ? Proof::receiver_reacts
                 : denied ? Proof::receiver_in_order
                          : Proof::times_only;
    // Without a name its twin may be a repeat that the entry tap missed, of a first one that was
    // lost: the receiver says the same.
    const Packet& in = late.entered;
    const bool named = in.option(option_bit::kTimestamps) || (!in.v6 && in.ip_id != 0);
    fact.grade = denied                             ? Grade::unproven
                 : reacted && named && !within_skew ? Grade::proven
                                                    : Grade::probable;
    const auto add = [&](std::uint32_t frame, Nanos time, Side tap, Part part) {
        fact.cites[fact.cites_count++] = {frame, time, tap, part};
    };
    add(late.overtaker_entered_frame, late.overtaker_entered, entry(late.way), Part::overtaker);
    add(late.overtaker_left_frame, late.overtaker_left, exit(late.way), Part::overtaker);
    if (reacted) {
        add(late.asked_frame, late.asked, exit(late.way), Part::asks);
    }
    sink_.take(fact, late.of);
}

void Order::tick(Nanos now) {
    while (oldest_ != kNone && now - late_[oldest_].left.time > kPatience) {
        conclude(oldest_);
    }
}

void Order::ended(OrderState& state) {
    while (state.waiting != kNone) {
        conclude(state.waiting);
    }
}

void Order::finish() {
    while (oldest_ != kNone) {
        conclude(oldest_);
    }
}

std::size_t Order::memory_bytes() const {
    return sizeof *this + (std::size_t{kWaitingMax} + 1) * Pool<Late>::bytes_per_record();
}

}  // namespace tw::taps
