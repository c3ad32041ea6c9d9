// SPDX-License-Identifier: BSD-3-Clause
// Resets that stayed alone: whether the firewall sent one that left, and whether it blocked one
// that entered (catalogue 3).
#include <algorithm>

#include "core/taps/evidence_state.hpp"

namespace tw::taps {

// It may be the answer to what entered then, and the host it names has been silent since.
bool Evidence::State::answers(const WayState& sender, const Stray& reset, Nanos entered) const {
    return entered < reset.packet.time + skew_ && entered > reset.packet.time - wait_ &&
           sender.last_entered < entered + 2 * skew_;
}

// A packet that entered then did not leave, and was refused.
void Evidence::State::answer_resets(ConversationEvidence& it, Way refused, Nanos entered) {
    for (std::uint32_t i = it.strays; i != kNone; i = strays_[i].next_of_slot) {
        Stray& stray = strays_[i];
        stray.answers =
            stray.answers || (stray.kind == StrayKind::reset_left && stray.way == back(refused) &&
                              answers(it.ways[index(stray.way)], stray, entered));
    }
}

// It answers a packet that did not reach the host it names, and that host has been silent.
// Probable, as long as that packet may yet leave.
Grade Evidence::State::answers_what_stayed(const ConversationEvidence& it,
                                           const Stray& stray) const {
    const WayState& way = it.ways[index(stray.way)];
    const WayState& asked = it.ways[index(back(stray.way))];
    Grade grade = stray.answers ? Grade::proven : Grade::unproven;
    for (std::uint32_t i = asked.opens; i != kNone; i = opens_[i].next) {
        const Open& open = opens_[i];
        if (!open.left_any && !open.covered && !open.passed && answers(way, stray, open.time)) {
            grade = std::max(grade, open.alone ? Grade::proven : Grade::probable);
        }
    }
    return grade;
}

// Its TTL, identification or timestamp is none of the host it names, as far as that one's packets
// follow a rule. A window tells nothing: hosts reset with theirs, and with none.
bool Evidence::State::is_foreign(const WayState& sender, const Packet& reset) {
    constexpr std::uint16_t kIdsApart = 4096;
    constexpr std::uint32_t kTicksAhead = 3'600'000;  // an hour of the quickest clock (RFC 7323)
    const bool ttl = sender.ttl_known && reset.ttl != sender.ttl_left;
    const auto ahead = static_cast<std::uint16_t>(reset.ip_id - sender.id_left);
    const bool id = !reset.v6 && reset.ip_id != 0 && sender.ids_counted >= kIdsCount &&
                    std::min<unsigned>(ahead, 0x1'0000U - ahead) > kIdsApart;
    const bool clock = reset.option(option_bit::kTimestamps) && sender.ttl_known &&
                       (!sender.timestamps_left || reset.tsval - sender.tsval_left > kTicksAhead);
    return ttl || id || clock;
}

// A RST left that nobody was seen to send.
bool Evidence::State::judge_reset_left(ConversationEvidence& it, Stray& stray, bool last_call,
                                       Fact& fact) {
    const WayState& way = it.ways[index(stray.way)];
    const WayState& peer = it.ways[index(back(stray.way))];
    const Packet& packet = stray.packet;
    if (way.resets_entered != 0) {  // its sender does reset: one more that the tap missed
        conclude(fact, FactKind::missed_at_entry, Grade::probable, Proof::nothing_decides, true);
        return true;
    }
    Proof proof = Proof::none;
    Grade grade = Grade::proven;
    if (way.last_plain > packet.time + skew_) {
        proof = Proof::claimed_sender_speaks;
    } else if (peer.resets_left_alone != 0 && peer.resets_entered == 0) {
        proof = Proof::resets_both_ways;
    } else if (const Grade known = answers_what_stayed(it, stray);
               known == Grade::proven || (known == Grade::probable && last_call)) {
        proof = Proof::answered_alone;
        grade = known;
    }
    if (proof != Proof::none) {
        conclude(fact, FactKind::reset_origin, grade, proof, true);
        it.reset_by_firewall = true;
        return true;
    }
    if (!last_call) {
        return false;
    }
    if (is_foreign(way, packet)) {
        conclude(fact, FactKind::reset_origin, Grade::probable, Proof::foreign_pattern, true);
        it.reset_by_firewall = true;
    } else {
        conclude(fact, FactKind::injected, Grade::unproven, Proof::nothing_decides, true);
    }
    return true;
}

// A RST entered and was not seen to leave: blocked, if the host it was for goes on.
bool Evidence::State::judge_reset_entered(ConversationEvidence& it, Stray& stray, bool last_call,
                                          Fact& fact) {
    const WayState& way = it.ways[index(stray.way)];
    const WayState& peer = it.ways[index(back(stray.way))];
    if (stray.late) {
        conclude(fact, FactKind::late_lost, Grade::unproven, Proof::nothing_decides, false);
        return true;
    }
    const Nanos then = stray.packet.time + std::max(wait_, 2 * skew_);
    if (peer.last_plain > then || peer.last_syn > then) {
        // A receiver answers a RST elsewhere in its window and goes on (RFC 5961 3.2).
        const bool exact = stray.numbers_known && way.acked_known && stray.lo == way.acked;
        conclude(fact, FactKind::reset_blocked, exact ? Grade::proven : Grade::probable,
                 Proof::claimed_sender_speaks, true);
        return true;
    }
    if (last_call) {
        conclude(fact, FactKind::unproven, Grade::unproven, Proof::nothing_decides, false);
    }
    return last_call;
}

}  // namespace tw::taps
