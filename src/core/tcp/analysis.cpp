// SPDX-License-Identifier: BSD-3-Clause
// Every rule here is observed behaviour of tshark 4.0.17, confirmed packet for packet by
// tests/oracle. Zero doubles as "unset" for nxt, mark, ack and the RTT, because it does there.
#include "core/tcp/analysis.hpp"

#include "base/sequence.hpp"
#include "core/tcp/completeness.hpp"
#include "core/tcp/options.hpp"

namespace tw::tcp {
namespace {

namespace bit = flow::half_bit;
namespace flag = decode::tcp_flag;
using decode::Segment;
using flow::ColdFlow;
using flow::Flow;
using flow::Half;

// A repeat of what the peer asks for is "fast" only this long after the peer's last segment.
constexpr Nanos kFastRetransmissionMax = 20 * kMillisecond;
// Out-of-order limit while the initial round trip is unknown.
constexpr Nanos kOutOfOrderDefault = 3 * kMillisecond;

bool has(const Segment& segment, std::uint8_t bits) {
    return (segment.flags & bits) != 0;
}
bool is_control(const Segment& segment) {
    return has(segment, flag::kSyn | flag::kFin | flag::kRst);
}
std::uint32_t phantom_of(const Segment& segment) {
    return has(segment, flag::kSyn | flag::kFin) ? 1 : 0;
}

// The peer's raw window; a side never analysed counts as 2^32-1.
std::uint32_t raw_window(const Half& half) {
    return (half.bits & bit::kWindowSet) != 0 ? half.window : UINT32_MAX;
}

Nanos initial_rtt(const Flow& flow) {
    return (flow.bits & flow::flow_bit::kRttSet) != 0 ? flow.rtt_or_syn : 0;
}

bool is_zero_window_probe(const Segment& s, const Half& me, const Half& peer) {
    return s.payload_bytes == 1 && s.seq == me.nxt && raw_window(peer) == 0;
}

bool fills_window(const Segment& s, const Half& peer) {
    if (s.payload_bytes == 0 || peer.scale == flow::kScaleUnknown) {
        return false;
    }
    const bool unscaled = (peer.bits & bit::kSynWindow) != 0 || peer.scale == flow::kScaleUnused;
    const std::uint32_t edge =
        peer.ack + (raw_window(peer) << (unscaled ? 0 : static_cast<unsigned>(peer.scale)));
    return s.seq + s.payload_bytes == edge;
}

// Zero window, hole, keep-alive, window update and full, and the answers: everything that a zero
// window probe is exempt from.
void judge_windows(const Segment& s, bool options_only, Half& me, const Half& peer,
                   FlagSet& flags) {
    const bool control = is_control(s);
    if (s.window == 0 && !control) {
        flags.set(Flag::zero_window);
    }
    if (me.nxt != 0 && after(s.seq, me.nxt) && !has(s, flag::kRst)) {
        flags.set(Flag::lost_segment);
    }
    if (control) {
        return;
    }
    if (s.payload_bytes <= 1 && s.seq == me.nxt - 1) {
        flags.set(Flag::keep_alive);
    }
    if (fills_window(s, peer)) {
        flags.set(Flag::window_full);
    }
    const bool same_place = s.payload_bytes == 0 && s.seq == me.nxt && s.ack == me.ack;
    if (!same_place) {
        return;
    }
    if (s.window != raw_window(me)) {
        if (s.window != 0) {
            flags.set(Flag::window_update);
        }
        return;
    }
    if (s.window == 0) {
        if ((peer.bits & bit::kProbe) != 0) {
            flags.set(Flag::zero_window_probe_ack);
        }
        return;
    }
    if ((peer.bits & bit::kKeepAlive) != 0) {
        flags.set(Flag::keep_alive_ack);
        return;
    }
    if (options_only) {
        return;
    }
    flags.set(Flag::duplicate_ack);
    if (me.dups == flow::kDupsPoisoned) {
        me.dups = 1;
    } else if (me.dups < flow::kDupsMost) {
        ++me.dups;
    }
}

// An ACK beyond what was captured. Only the first of several is marked until the peer's own ACK
// number changes: the peer's duplicate counter is "poisoned" meanwhile.
void judge_unseen_ack(const Segment& s, Half& peer, FlagSet& flags) {
    if (peer.mark == 0 || !has(s, flag::kAck) || !after(s.ack, peer.mark)) {
        return;
    }
    if (after(peer.nxt, peer.mark)) {
        peer.mark = peer.nxt;
        flags.set(Flag::ack_lost_segment);
        return;
    }
    if (peer.dups == 0) {
        flags.set(Flag::ack_lost_segment);
    }
    peer.dups = flow::kDupsPoisoned;
}

void judge_repeat(const Segment& s, Nanos now, Nanos rtt, const Half& me, const Half& peer,
                  FlagSet& flags) {
    const std::uint32_t end = s.seq + s.payload_bytes;
    if (s.payload_bytes > 0 && peer.ack != 0 && at_or_before(end, peer.ack)) {
        flags.set(Flag::spurious_retransmission);
        flags.set(Flag::retransmission);
        return;
    }
    const bool one_below = s.payload_bytes > 1 && s.seq == me.nxt - 1;
    if (me.nxt == 0 || !after(me.nxt, s.seq) || one_below) {
        return;
    }
    const Nanos since_ack = static_cast<Nanos>(static_cast<std::uint64_t>(now) -
                                               static_cast<std::uint64_t>(peer.ack_time));
    if (peer.dups >= 2 && peer.ack == s.seq && since_ack >= 0 &&
        since_ack < kFastRetransmissionMax) {
        flags.set(Flag::fast_retransmission);
        flags.set(Flag::retransmission);
        return;
    }
    // Unsigned on purpose: a time before the highest segment's is "old", a negative RTT makes
    // everything "young".
    const std::uint64_t age =
        static_cast<std::uint64_t>(now) - static_cast<std::uint64_t>(me.nxt_time);
    const auto limit = static_cast<std::uint64_t>(rtt != 0 ? rtt : kOutOfOrderDefault);
    flags.set(age < limit && me.nxt != end + phantom_of(s) ? Flag::out_of_order
                                                           : Flag::retransmission);
}

void move_state(const Segment& s, Nanos now, bool probe, FlagSet flags, Half& me, Flight* flight,
                FlightPool* pool, stats::Counters& counters) {
    const bool occupies = s.payload_bytes > 0 || phantom_of(s) != 0;
    std::uint32_t end = s.seq + s.payload_bytes;
    if (occupies && (pool == nullptr || !FlightPool::full(*flight))) {
        end += phantom_of(s);
        if (pool != nullptr && !pool->push(*flight, end)) {
            counters.add(stats::Counter::flight_exhausted);
        }
    }
    if ((after(end, me.nxt) || me.nxt == 0) && !probe) {
        me.nxt = end;
        me.nxt_time = now;
    }
    if ((s.seq == me.mark || me.mark == 0) && !probe) {
        me.mark = me.nxt;
    }
    me.window = s.window;
    me.ack = s.ack;
    me.ack_time = now;
    me.bits = static_cast<std::uint8_t>(
        (me.bits & ~(bit::kKeepAlive | bit::kProbe)) | bit::kWindowSet |
        (flags.has(Flag::keep_alive) ? bit::kKeepAlive : 0) | (probe ? bit::kProbe : 0));
}

void analyse(const Segment& s, std::uint8_t sender, Nanos now, Flow& flow, ColdFlow& cold,
             Extras& extras, FlagSet& flags, stats::Counters& counters) {
    Half& me = flow.half[sender];
    Half& peer = flow.half[sender ^ 1];
    if ((me.bits & bit::kBaseSet) == 0) {
        me.bits |= bit::kBaseSet;
        cold.base[sender] = has(s, flag::kSyn) ? s.seq : s.seq - 1;
    }
    if ((peer.bits & bit::kBaseSet) == 0 && has(s, flag::kAck)) {
        peer.bits |= bit::kBaseSet;
        cold.base[sender ^ 1] = s.ack - 1;
    }
    const bool probe = is_zero_window_probe(s, me, peer);
    if (probe) {
        flags.set(Flag::zero_window_probe);
    } else {
        judge_windows(s, extras.mptcp_changed, me, peer, flags);
    }
    if (s.ack != me.ack) {
        me.dups = 0;
    }
    judge_unseen_ack(s, peer, flags);
    const bool occupies = s.payload_bytes > 0 || phantom_of(s) != 0;
    if (occupies && !flags.has(Flag::keep_alive)) {
        judge_repeat(s, now, initial_rtt(flow), me, peer, flags);
    }
    FlightPool* const pool = extras.flight_pool;
    Flight* mine = pool != nullptr ? &extras.flight[sender] : nullptr;
    move_state(s, now, probe, flags, me, mine, pool, counters);
    if (pool != nullptr) {
        pool->acknowledge(extras.flight[sender ^ 1], s.ack);
    }
}

void update_completeness(const Segment& s, Meeting meeting, Flow& flow) {
    namespace part = completeness;
    const bool syn = has(s, flag::kSyn);
    const bool ack = has(s, flag::kAck);
    if (meeting == Meeting::created) {
        // Nothing of a first segment that is not a SYN is counted, not even a SYN/ACK.
        if (syn && !ack) {
            flow.completeness = s.payload_bytes > 0 ? part::kSyn | part::kData : part::kSyn;
        }
        return;
    }
    std::uint8_t bits = flow.completeness;
    if (syn && ack) {
        bits |= part::kSynAck;
    }
    if (ack && !syn) {
        bits |= s.payload_bytes > 0 ? part::kData : part::kAck;
    }
    if (ack && has(s, flag::kFin)) {
        bits |= part::kFin;
    }
    if (has(s, flag::kRst)) {
        bits |= part::kRst;
    }
    flow.completeness = bits;
}

void measure_handshake(const Segment& s, Nanos now, Flow& flow, Half& me) {
    const bool syn = has(s, flag::kSyn);
    const bool ack = has(s, flag::kAck);
    const bool known = (flow.bits & flow::flow_bit::kRttSet) != 0;
    if (syn) {
        me.bits |= bit::kSynWindow;
        if (!ack && !known) {
            flow.rtt_or_syn = now;
        }
        return;
    }
    if (!ack) {
        return;
    }
    me.bits &= static_cast<std::uint8_t>(~bit::kSynWindow);
    if (!known && flow.rtt_or_syn != 0 && now != flow.rtt_or_syn) {
        flow.rtt_or_syn = static_cast<Nanos>(static_cast<std::uint64_t>(now) -
                                             static_cast<std::uint64_t>(flow.rtt_or_syn));
        flow.bits |= flow::flow_bit::kRttSet;
    }
}

void settle_scale(const Segment& s, Half& me, Half& peer) {
    if (me.scale == flow::kScaleUnknown) {
        me.scale = flow::kScaleUnused;
        peer.scale = flow::kScaleUnused;
    } else if (has(s, flag::kAck) && peer.scale == flow::kScaleUnused) {
        me.scale = flow::kScaleUnused;
    }
}

}  // namespace

bool replaces_connection(const Segment& segment, std::uint8_t sender, const Flow& flow,
                         const ColdFlow& cold) {
    return has(segment, flag::kSyn) && !has(segment, flag::kAck) &&
           (flow.half[sender].bits & bit::kBaseSet) != 0 && segment.seq != cold.base[sender];
}

FlagSet judge(const Segment& s, std::uint8_t sender, Nanos now, Meeting meeting, Flow& flow,
              ColdFlow& cold, Extras& extras, stats::Counters& counters) {
    Half& me = flow.half[sender];
    Half& peer = flow.half[sender ^ 1];
    FlagSet flags;
    if (meeting == Meeting::reused) {
        flags.set(Flag::reused_ports);
        flow.completeness = completeness::kSyn;
    } else if (has(s, flag::kSyn) && (me.bits & bit::kBaseSet) != 0) {
        if (!has(s, flag::kAck)) {
            me.nxt = me.mark;  // same ISN: undoes what a wild RST did
        } else if (s.seq != cold.base[sender]) {
            cold.base[sender] = s.seq;
            flags.set(Flag::reused_ports);
        }
    }
    if (s.payload_known) {
        analyse(s, sender, now, flow, cold, extras, flags, counters);
    }
    if (s.data_words < 5) {
        return {};
    }
    update_completeness(s, meeting, flow);
    measure_handshake(s, now, flow, me);
    OptionFacts options;
    if (s.options_bytes != 0 && !timestamps_alone(s).present) {
        options = read_options(s, cold.base[sender ^ 1]);
        if (options.window_scale >= 0) {
            me.scale = options.window_scale;
        }
        if (options.unreadable) {
            return {};  // state has moved, nothing is printed
        }
    }
    if (!s.header_complete && s.options_bytes == 0) {
        return {};
    }
    extras.mptcp_kinds = options.mptcp_kinds;
    if (has(s, flag::kSyn)) {
        settle_scale(s, me, peer);
    }
    return flags;
}

}  // namespace tw::tcp
