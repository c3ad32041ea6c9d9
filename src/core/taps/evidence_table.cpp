// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/evidence_table.hpp"

namespace tw::taps {
namespace {

constexpr Decision kWait{};

// Copies that entered and none of which left. With so many and a receiver that is alive each of
// them would have to be missed at the exit tap and lost beyond it.
constexpr std::uint8_t kAttemptsAlone = 4;
// A receiver refuses bytes outside its window and tells so; hearing nothing of so many tries means
// that they do not arrive.
constexpr std::uint8_t kRefusableAttempts = 3;

Decision told(FactKind kind, Grade grade, Proof proof) {
    return {.concluded = true, .kind = kind, .grade = grade, .proof = proof};
}

Decision lost(Grade grade, Proof proof) {
    return told(FactKind::lost_between, grade, proof);
}

Decision lost_alone(Proof proof) {
    Decision decision = lost(Grade::proven, proof);
    decision.single_fault = true;
    return decision;
}

Decision undecided() {
    return told(FactKind::unproven, Grade::unproven, Proof::nothing_decides);
}

Decision missed(Grade grade) {
    return told(FactKind::missed_at_exit, grade, Proof::receiver_covers);
}

// The receiver has bytes of which the exit tap saw no copy before.
Decision decide_covered(const LossFacts& facts) {
    if (facts.raced) {
        // What left right behind the ACK was what it acknowledged, if this one had not arrived.
        if (facts.asks > 0) {
            return lost(Grade::probable, Proof::receiver_asks);
        }
        return facts.echoes_later ? lost(Grade::probable, Proof::left_later) : undecided();
    }
    // Another copy may have carried them: one that entered too, or one that both taps missed.
    const bool it_arrived =
        facts.only_copy && (facts.echoes_it || facts.no_time_to_repeat) && !facts.covered_partly;
    return missed(it_arrived && !facts.interchangeable ? Grade::proven : Grade::probable);
}

// A copy that entered later was seen to leave, and before it the receiver had not acknowledged.
Decision decide_left_later(const LossFacts& facts) {
    if (!facts.covered_after) {
        if (!facts.last_call) {
            return kWait;
        }
        if (facts.asks > 0) {
            return lost_alone(Proof::receiver_asks);
        }
        // A receiver that does not answer the copy that left tells nothing of the one that did not.
        return facts.silent ? undecided() : lost(Grade::probable, Proof::left_later);
    }
    if (!facts.settled && !facts.last_call) {
        return kWait;
    }
    if (facts.echoes_before || facts.duplicates_told >= facts.copies_left_ever) {
        return missed(Grade::probable);  // it had them before the copy that was seen
    }
    const bool answered_in_time = !facts.too_soon || facts.asks > 0;
    const bool waited = facts.settled || facts.asks > 0;
    // More than one copy had to leave: packets are lost beyond the exit tap as well.
    if (facts.copies_left > 1 || facts.interchangeable || !answered_in_time || !waited) {
        return lost(Grade::probable, Proof::left_later);
    }
    return lost_alone(Proof::left_later);
}

// A repeat of bytes that had left, or that the receiver had acknowledged, before it entered.
Decision decide_needless(const LossFacts& facts) {
    // The copy that left was lost beyond; no other one gets so far.
    const Decision held_back = told(FactKind::suppressed, Grade::probable, Proof::no_copy_leaves);
    if (facts.covered_before && !facts.left_before) {
        if (!facts.repeat) {
            return missed(Grade::probable);  // the entry tap showed it late
        }
        return facts.last_call || facts.attempts == 1 ? undecided() : kWait;
    }
    if (!facts.covered_before && facts.left_later && facts.covered_after &&
        (facts.settled || facts.last_call)) {
        return facts.duplicates_told > facts.copies_left_ever
                   ? undecided()
                   : lost(Grade::probable, Proof::left_later);
    }
    if (facts.silent && !facts.last_call) {
        return kWait;  // a receiver answers what it gets twice: more copies may tell
    }
    const bool answered = facts.covered_before || facts.covered_after || facts.covered_unseen;
    if (!answered && !facts.last_call) {
        return facts.attempts >= kRefusableAttempts && !facts.silent && facts.asks > 0 ? held_back
                                                                                       : kWait;
    }
    if (!answered && facts.attempts > 1) {
        return held_back;
    }
    return told(FactKind::suppressed, Grade::probable, Proof::copy_left_before);
}

// None of the copies was seen to leave, and the receiver does not have the bytes.
Decision decide_never_left(const LossFacts& facts) {
    if (facts.told_elsewhere) {
        if (!facts.last_call) {
            return kWait;
        }
        // The one copy arrived, if nobody answered in the receiver's name: both are missing there.
        return facts.asks == 0 && facts.attempts == 1 ? missed(Grade::probable) : undecided();
    }
    if (facts.refused) {
        return lost_alone(Proof::answered_alone);
    }
    if (facts.asks > 0) {
        return lost_alone(Proof::receiver_asks);
    }
    if (facts.beyond_window || facts.acknowledged_old) {
        // Each would have been answered by such an ACK (RFC 9293 3.10.7.4).
        if (facts.attempts >= kRefusableAttempts && (facts.silent || facts.unanswered)) {
            return lost_alone(Proof::no_copy_leaves);
        }
        return facts.last_call ? undecided() : kWait;
    }
    if (facts.attempts >= 2) {
        Decision decision = lost(Grade::proven, Proof::no_copy_leaves);
        // A dead receiver loses every packet the exit tap may have missed.
        decision.single_fault = facts.silent || facts.attempts < kAttemptsAlone;
        return decision;
    }
    if (facts.way_blocked) {
        return lost_alone(Proof::no_copy_leaves);
    }
    if (!facts.last_call) {
        return kWait;
    }
    return facts.syn ? lost(Grade::probable, Proof::no_copy_leaves) : undecided();
}

// What became of it is told by other packets.
Decision nothing_to_tell() {
    Decision passed = undecided();
    passed.tell = false;
    return passed;
}

Decision decide_left_without_entry(const LossFacts& facts) {
    if (!facts.same_bounds) {
        return nothing_to_tell();  // the packets that left tell it (resegmented)
    }
    if (!facts.last_call) {
        return kWait;
    }
    // A repeat that the entry tap missed: this one was lost if the receiver asked for it.
    return facts.asks > 0 ? lost(Grade::probable, Proof::receiver_asks) : undecided();
}

}  // namespace

Decision decide(const LossFacts& facts) {
    if (facts.limit_reached) {
        return told(FactKind::unproven, Grade::unproven, Proof::limit_reached);
    }
    if (facts.answered_for) {
        return nothing_to_tell();  // it was for the firewall, as the answer of that one tells
    }
    if (facts.left_before || facts.covered_before) {
        if (facts.acknowledged_old && facts.silent && facts.attempts >= kRefusableAttempts) {
            return decide_never_left(facts);  // keep-alives that nobody answers
        }
        return decide_needless(facts);
    }
    if (facts.covered_unseen || facts.covered_partly) {
        return decide_covered(facts);
    }
    if (facts.left_later) {
        return decide_left_later(facts);
    }
    if (facts.left_without_entry) {
        return decide_left_without_entry(facts);
    }
    return decide_never_left(facts);
}

}  // namespace tw::taps
