// SPDX-License-Identifier: BSD-3-Clause
// The next data or acknowledgement of a connection in order, which nearly every segment is: none of
// the flag rules can apply, and the state moves by a few stores. judge() (core/tcp/analysis) comes
// to the same, rule by rule; in_order_test holds the two against each other.
#pragma once

#include "base/sequence.hpp"
#include "core/decode/decoded.hpp"
#include "core/flow/flow.hpp"
#include "core/tcp/completeness.hpp"
#include "core/tcp/options.hpp"

namespace tw::tcp {

// Asked of bits, not by branches: data and acknowledgements alternate at random, and a branch that
// is mispredicted costs more than all of this.
[[nodiscard]] inline bool is_in_order(const decode::Segment& s, const Timestamps& times,
                                      const flow::Flow& flow, const flow::Half& me,
                                      const flow::Half& peer) {
    namespace bit = flow::half_bit;
    namespace flag = decode::tcp_flag;
    namespace flow_bit = flow::flow_bit;
    constexpr std::uint8_t kAsked = flag::kSyn | flag::kFin | flag::kRst | flag::kAck;
    constexpr std::uint8_t kBegun = bit::kBaseSet | bit::kWindowSet;
    const std::uint32_t end = s.seq + s.payload_bytes;
    const bool data = s.payload_bytes != 0;
    const bool plain = ((s.flags & kAsked) == flag::kAck) & s.payload_known &
                       ((s.data_words == 5) | times.present);
    const bool begun = ((me.bits & peer.bits & kBegun) == kBegun) & (me.nxt != 0) &
                       ((flow.bits & flow_bit::kMptcp) == 0) &
                       (((flow.bits & flow_bit::kRttSet) != 0) | (flow.rtt_or_syn == 0));
    // Nobody's window is shut or filled.
    const bool unscaled = ((peer.bits & bit::kSynWindow) != 0) | (peer.scale < 0);
    const std::uint32_t edge = peer.ack + (std::uint32_t{peer.window}
                                           << (unscaled ? 0 : static_cast<unsigned>(peer.scale)));
    const bool open = (s.window != 0) & (peer.window != 0) & !(data & (end == edge));
    // It acknowledges nothing unseen, and is neither a duplicate ACK nor a repeat.
    const bool seen = (peer.mark == 0) | !after(s.ack, peer.mark);
    const bool fresh = data ? (peer.ack == 0) | !at_or_before(end, peer.ack) : s.ack != me.ack;
    return plain & begun & open & (s.seq == me.nxt) & seen & fresh & !after(me.nxt, end);
}

// False, and nothing done, if it is not.
[[nodiscard]] inline bool pass_in_order(const decode::Segment& s, const Timestamps& times,
                                        std::uint8_t sender, Nanos now, flow::Flow& flow) {
    namespace bit = flow::half_bit;
    flow::Half& me = flow.half[sender];
    const flow::Half& peer = flow.half[sender ^ 1];
    if (!is_in_order(s, times, flow, me, peer)) {
        return false;
    }
    const bool data = s.payload_bytes != 0;
    const std::uint32_t before = me.nxt;
    me.nxt = before + s.payload_bytes;
    me.nxt_time = data ? now : me.nxt_time;
    me.mark = (me.mark == before) | (me.mark == 0) ? me.nxt : me.mark;
    me.dups = s.ack == me.ack ? me.dups : std::uint8_t{0};
    me.window = s.window;
    me.ack = s.ack;
    me.ack_time = now;
    me.bits &= static_cast<std::uint8_t>(~(bit::kKeepAlive | bit::kProbe | bit::kSynWindow));
    flow.completeness |= data ? completeness::kData : completeness::kAck;
    return true;
}

}  // namespace tw::tcp
