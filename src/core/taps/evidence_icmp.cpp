// SPDX-License-Identifier: BSD-3-Clause
// ICMP errors about a conversation's packets: whether they passed, were made by the firewall, or
// never reached the sender they were for.
#include <algorithm>

#include "core/taps/evidence_state.hpp"

namespace tw::taps {
namespace {

// Errors that passed, told per conversation.
constexpr std::uint8_t kPassedErrorsMax = 4;

// What was under way, or sent before the error can have come back, is no answer to it.
constexpr Nanos kToldWithin = 200 * kMillisecond;

}  // namespace

// stray.way: of the quoted packet; the error travels the other way.
bool Evidence::State::judge_icmp(ConversationEvidence& it, Stray& stray, Fact& fact) {
    const Way quoted_way = stray.way;
    const bool made_here = stray.kind == StrayKind::icmp_left && !stray.twin_known;
    fact.kind = FactKind::icmp_error;
    fact.grade = stray.twin_known ? Grade::proven : Grade::probable;
    fact.proof = stray.twin_known ? Proof::seen_at_both : Proof::nothing_decides;
    fact.single_fault = !stray.twin_known;
    if (stray.twin_known) {
        if (it.icmp_told >= kPassedErrorsMax) {
            fact.attempts = 0;
            return true;
        }
        bump(it.icmp_told);
        fact.twin = stray.twin;
        fact.twin_known = true;
        fact.cites[fact.cites_count++] = cite(stray.twin, Part::quote);
        return true;
    }
    if (!made_here) {
        const WayState& sender = it.ways[index(quoted_way)];
        const bool about_length = stray.packet.icmp_mtu != 0;
        if (about_length && sender.too_long_at > stray.packet.time + kToldWithin) {
            fact.grade = Grade::proven;
            fact.proof = Proof::sender_not_told;
            fact.single_fault = true;
        }
        return true;
    }
    it.icmp_by_firewall = true;
    WayState& quoted = it.ways[index(quoted_way)];
    quoted.error_back = true;
    quoted.error_back_seq = stray.packet.seq;
    for (std::uint32_t i = quoted.opens; i != kNone; i = opens_[i].next) {
        if (opens_[i].alone && opens_[i].lo == stray.packet.seq) {
            fact.twin = suspects_[opens_[i].suspect].packet;
            fact.twin_known = true;
            fact.grade = Grade::proven;  // it is about a packet that did not leave
            break;
        }
    }
    return true;
}

void Evidence::State::icmp_error(const Witnessed& of, Way quoted_way, const Packet& quote) {
    ConversationEvidence& it = of_slot(of);
    const bool enters = quote.tap == exit(quoted_way);
    const StrayKind other = enters ? StrayKind::icmp_left : StrayKind::icmp_entered;
    for (std::uint32_t i = it.strays; i != kNone; i = strays_[i].next_of_slot) {
        Stray& stray = strays_[i];
        if (stray.kind == other && stray.way == quoted_way && !stray.twin_known &&
            stray.packet.icmp_type == quote.icmp_type &&
            stray.packet.icmp_code == quote.icmp_code && stray.packet.seq == quote.seq) {
            stray.twin = enters ? stray.packet : quote;
            stray.packet = enters ? quote : stray.packet;
            stray.twin_known = true;
            return;
        }
    }
    if (enters && quote.icmp_mtu != 0) {
        WayState& sender = it.ways[index(quoted_way)];
        sender.told_mtu =
            sender.told_mtu == 0 ? quote.icmp_mtu : std::max(sender.told_mtu, quote.icmp_mtu);
    }
    Stray stray;
    stray.packet = quote;
    stray.of = of;
    stray.kind = enters ? StrayKind::icmp_entered : StrayKind::icmp_left;
    stray.way = quoted_way;
    add_stray(it, stray);
}

}  // namespace tw::taps
