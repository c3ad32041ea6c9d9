// SPDX-License-Identifier: BSD-3-Clause
// The next data or acknowledgement of a connection in order, which nearly every segment is: no flag
// rule can apply to it, no episode begins or ends with it, and the state moves by a few stores.
// judge(), Episodes and Life (core/tcp) come to the same, rule by rule; in_order_test holds the two
// against each other.
#pragma once

#include "base/sequence.hpp"
#include "core/decode/decoded.hpp"
#include "core/flow/flow.hpp"
#include "core/tcp/completeness.hpp"
#include "core/tcp/options.hpp"

namespace tw::tcp {

// May say no to a segment that is: the rules then do the same. Asked by branches that go the same
// way for nearly all; data and acknowledgements alternate at random, so what is asked of one of
// them is arithmetic.
[[nodiscard]] inline bool is_in_order(const decode::Segment& s, const Timestamps& times,
                                      const flow::Flow& flow, const flow::Half& me,
                                      const flow::Half& peer) {
    namespace bit = flow::half_bit;
    namespace flag = decode::tcp_flag;
    namespace flow_bit = flow::flow_bit;
    constexpr std::uint8_t kAsked = flag::kSyn | flag::kFin | flag::kRst | flag::kAck;
    constexpr std::uint8_t kBegun = bit::kBaseSet | bit::kWindowSet | bit::kSeen;
    constexpr std::uint8_t kWatched = flow_bit::kEpisodes | flow_bit::kLife | flow_bit::kMptcp;
    const bool plain =
        (s.flags & kAsked) == flag::kAck && s.payload_known && (s.data_words == 5 || times.present);
    const bool begun = (flow.bits & kWatched) == 0 &&
                       ((flow.bits & flow_bit::kRttSet) != 0 || flow.rtt_or_syn == 0) &&
                       (me.bits & (kBegun | bit::kProbeTail)) == kBegun &&
                       (peer.bits & kBegun) == kBegun;
    if (!plain || !begun || s.seq != me.nxt || s.seq != me.seen_end || me.nxt == 0 ||
        after(s.ack, peer.mark) || after(s.ack, peer.seen_end) || s.window == 0 ||
        peer.window == 0) {
        return false;
    }
    // Data fills no window and repeats nothing, an acknowledgement is not a second one.
    const std::uint32_t end = s.seq + s.payload_bytes;
    const bool unscaled = (peer.bits & bit::kSynWindow) != 0 || peer.scale < 0;
    const std::uint32_t edge = peer.ack + (std::uint32_t{peer.window}
                                           << (unscaled ? 0 : static_cast<unsigned>(peer.scale)));
    const bool spent = (end == edge) | at_or_before(end, peer.ack) | after(me.nxt, end);
    return s.payload_bytes != 0 ? !spent : s.ack != me.ack;
}

// For what is_in_order().
inline void pass_in_order(const decode::Segment& s, Nanos now, flow::Flow& flow, flow::Half& me) {
    namespace bit = flow::half_bit;
    const bool data = s.payload_bytes != 0;
    const std::uint32_t end = s.seq + s.payload_bytes;
    me.nxt_time = data ? now : me.nxt_time;
    me.ack_time = now;
    me.mark = (me.mark == s.seq) | (me.mark == 0) ? end : me.mark;
    me.nxt = end;
    me.seen_end = end;
    me.dups = s.ack == me.ack ? me.dups : std::uint8_t{0};
    me.ack = s.ack;
    me.window = s.window;
    me.bits &= static_cast<std::uint8_t>(~(bit::kKeepAlive | bit::kProbe | bit::kSynWindow));
    flow.completeness |= data ? completeness::kData : completeness::kAck;
}

}  // namespace tw::tcp
