// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/compare.hpp"

#include <algorithm>

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;

constexpr std::uint8_t kEcnMask = 0x03;
constexpr std::uint8_t kCongestionExperienced = 0x03;
constexpr std::uint8_t kTcpEcnFlags = 0xC0;  // CWR, ECE

constexpr RewriteSet bit_if(bool is, Rewrite rewrite) {
    return RewriteSet{is} << static_cast<unsigned>(rewrite);
}

RewriteSet compare_ecn(std::uint8_t before, std::uint8_t after) {
    if (before == after) {
        return 0;
    }
    if (before == kCongestionExperienced) {
        return bit(Rewrite::ce_cleared);
    }
    return before != 0 && after == 0 ? bit(Rewrite::ect_cleared) : bit(Rewrite::ecn_other);
}

RewriteSet compare_ip(const Packet& in, const Packet& out) {
    RewriteSet set = bit_if(in.ttl != out.ttl, Rewrite::ttl);
    if (in.tos != out.tos) {
        set |= bit_if((in.tos ^ out.tos) > kEcnMask, Rewrite::dscp);
        set |= compare_ecn(in.tos & kEcnMask, out.tos & kEcnMask);
    }
    if (!in.v6 && !out.v6) {
        set |= bit_if(in.ip_id != out.ip_id, Rewrite::ip_id);
        set |= bit_if(in.dont_fragment != out.dont_fragment, Rewrite::dont_fragment);
    }
    return set;
}

// Blocks as they entered, moved by `shift`. A fourth block is not kept, and so not compared.
bool same_blocks(const Packet& in, const Packet& out, std::uint32_t shift) {
    const std::size_t count = std::min<std::size_t>(in.sack_count, in.sack.size());
    if (in.sack_count != out.sack_count) {
        return false;
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (in.sack[i].left + shift != out.sack[i].left ||
            in.sack[i].right + shift != out.sack[i].right) {
            return false;
        }
    }
    return true;
}

RewriteSet compare_sack(const Pair& pair) {
    if (!pair.shifts_known || pair.ack_shift == 0) {
        return 0;
    }
    if (same_blocks(pair.entered, pair.left, 0)) {
        return bit(Rewrite::sack_untranslated);
    }
    return bit_if(same_blocks(pair.entered, pair.left, pair.ack_shift), Rewrite::sack_translated);
}

RewriteSet compare_options(const Pair& pair) {
    const Packet& in = pair.entered;
    const Packet& out = pair.left;
    if (!in.header_complete || !out.header_complete) {
        return 0;
    }
    namespace option = option_bit;
    const auto gone = static_cast<std::uint16_t>(in.options & ~out.options);
    const auto added = static_cast<std::uint16_t>(out.options & ~in.options);
    const auto kept = static_cast<std::uint16_t>(in.options & out.options);
    RewriteSet set = bit_if(added != 0, Rewrite::option_added);
    if (gone != 0) {
        set |= bit_if((gone & option::kMss) != 0, Rewrite::mss);
        set |= bit_if((gone & option::kWindowScale) != 0, Rewrite::window_scale_removed);
        set |= bit_if((gone & option::kSackPermitted) != 0, Rewrite::sack_permitted_removed);
        set |= bit_if((gone & option::kSack) != 0, Rewrite::sack_removed);
        set |= bit_if((gone & option::kTimestamps) != 0, Rewrite::timestamps_removed);
        set |= bit_if((gone & option::kFastOpen) != 0, Rewrite::fast_open_removed);
        set |= bit_if((gone & option::kMptcp) != 0, Rewrite::mptcp_removed);
        set |= bit_if((gone & (option::kMd5 | option::kOther)) != 0, Rewrite::other_option_removed);
    } else if (added == 0) {
        set |= bit_if(in.options_order != out.options_order, Rewrite::options_reordered);
    }
    if ((kept & option::kTimestamps) != 0) {
        const bool echo = in.tsecr != out.tsecr && in.has(flag::kAck);
        set |= bit_if(in.tsval != out.tsval || echo, Rewrite::timestamps_changed);
    }
    if ((kept & option::kSack) != 0) {
        set |= compare_sack(pair);
    }
    if ((kept & option::kMss) != 0) {
        set |= bit_if(in.mss != out.mss, Rewrite::mss);
    }
    if ((kept & option::kWindowScale) != 0) {
        set |= bit_if(in.window_scale != out.window_scale, Rewrite::window_scale_removed);
    }
    return set;
}

// One's complement sums: 0 and 65535 are the same.
bool same_sum(std::uint16_t a, std::uint16_t b) {
    return a == b || (a % 0xFFFF == 0 && b % 0xFFFF == 0);
}

RewriteSet compare_payload(const Packet& in, const Packet& out) {
    if (in.payload_bytes != out.payload_bytes) {
        return bit(Rewrite::payload_length);
    }
    return bit_if(in.payload_bytes != 0 && in.digest_known && out.digest_known &&
                      !same_sum(in.digest, out.digest),
                  Rewrite::payload);
}

enum class Once : std::uint8_t { mark_lost, sack };

bool first_time(std::uint8_t& told, Once what, Way way) {
    const auto mask = static_cast<std::uint8_t>(
        1U << (static_cast<unsigned>(what) * kWays + static_cast<unsigned>(index(way))));
    const bool first = (told & mask) == 0;
    told = static_cast<std::uint8_t>(told | mask);
    return first;
}

void tell(const Pair& pair, FactKind kind, Proof proof, const Witnessed& of, FactSink& sink) {
    Fact fact = fact_of(pair.entered, pair.left, pair.way);
    fact.kind = kind;
    fact.proof = proof;
    // Where several packets have one key, this one may be another's twin.
    fact.grade = pair.alone ? Grade::proven : Grade::probable;
    sink.take(fact, of);
}

}  // namespace

RewriteSet compare(const Pair& pair) {
    const Packet& in = pair.entered;
    const Packet& out = pair.left;
    RewriteSet set = compare_ip(in, out) | compare_payload(in, out);
    set |= bit_if(in.window != out.window, Rewrite::window);
    const auto flags = static_cast<std::uint8_t>(in.flags ^ out.flags);
    set |= bit_if((flags & kTcpEcnFlags) != 0, Rewrite::tcp_ecn_flags);
    set |= bit_if((flags & ~kTcpEcnFlags & 0xFF) != 0, Rewrite::urgent_or_reserved);
    set |= bit_if(in.has(flag::kSyn) && in.seq != out.seq, Rewrite::isn);
    if (in.has(flag::kAck) && pair.shifts_known) {
        set |= bit_if(out.ack - in.ack != pair.ack_shift, Rewrite::ack_number);
    }
    set |= bit_if(pair.address_changed, Rewrite::address);
    set |= bit_if(pair.port_changed, Rewrite::port);
    if ((in.options | out.options) != 0) {
        set |= compare_options(pair);
    }
    return set;
}

void tell_errors(const Pair& pair, RewriteSet changed, std::uint8_t& told, const Witnessed& of,
                 FactSink& sink) {
    constexpr RewriteSet kErrors = bit(Rewrite::payload) | bit(Rewrite::payload_length) |
                                   bit(Rewrite::ce_cleared) | bit(Rewrite::sack_untranslated);
    if ((changed & kErrors) == 0) {
        return;
    }
    if ((changed & bit(Rewrite::payload)) != 0) {
        tell(pair, FactKind::altered, Proof::payload_differs, of, sink);
    }
    if ((changed & bit(Rewrite::payload_length)) != 0) {
        tell(pair, FactKind::length_changed, Proof::payload_differs, of, sink);
    }
    if ((changed & bit(Rewrite::ce_cleared)) != 0 && first_time(told, Once::mark_lost, pair.way)) {
        tell(pair, FactKind::ecn_mark_lost, Proof::seen_at_both, of, sink);
    }
    if ((changed & bit(Rewrite::sack_untranslated)) != 0 &&
        first_time(told, Once::sack, pair.way)) {
        tell(pair, FactKind::sack_untranslated, Proof::ack_rewritten, of, sink);
    }
}

Fact fact_of(const Packet& entered, const Packet& left, Way way) {
    Fact fact;
    fact.way = way;
    fact.time = entered.time;
    fact.decided = std::max(entered.time, left.time);
    fact.packet = entered;
    fact.twin = left;
    fact.twin_known = true;
    cite(fact, entered, Part::subject);
    cite(fact, left, Part::left);
    return fact;
}

void cite(Fact& fact, const Packet& packet, Part part) {
    if (fact.cites_count < Fact::kCitesMax) {
        fact.cites[fact.cites_count++] = {packet.frame, packet.time, packet.tap, part};
    }
}

}  // namespace tw::taps
