// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/judge.hpp"

#include <algorithm>

namespace tw::tcp {
namespace {

using event::Cause;
using event::Confidence;
using event::Finding;
using event::Place;
using event::Rule;
using event::Verdict;
using event::VerdictSet;

// No stack's retransmission timer is shorter (RFC 6298 asks for 1 s, Linux and Windows use 200 ms).
constexpr Nanos kTimerMin = 200 * kMillisecond;
// Fast retransmission (RFC 5681 section 3.2).
constexpr std::uint32_t kAsksForFast = 3;
// Without a round trip to compare with, no path reorders longer, none answers faster.
constexpr Nanos kShortLag = 3 * kMillisecond;
// Without a request, nothing makes a sender repeat so soon, if it is half a round trip away: tail
// probes wait for two (RFC 8985 section 7.2). Captures on a host, or of both sides of one, show
// such copies.
constexpr Nanos kTimerFloor = kMillisecond;
// No path holds a segment back for longer; what says so otherwise has another reason.
constexpr Nanos kDelayMax = kSecond;

// A round trip is known as the shortest of a few samples, in steps of an eighth.
Nanos surely_less(Nanos round_trip) {
    return round_trip - round_trip / 4;
}
Nanos surely_more(Nanos round_trip) {
    return round_trip + round_trip / 4 + 2 * kMillisecond;
}

Finding found(Verdict verdict, Rule rule, Confidence confidence, Place place) {
    Finding finding;
    finding.verdict = verdict;
    finding.rule = rule;
    finding.confidence = confidence;
    finding.place = place;
    return finding;
}

Finding undecided(Cause cause, Rule rule) {
    Finding finding = found(Verdict::unknown, rule, Confidence::none, Place::none);
    finding.cause = cause;
    return finding;
}

VerdictSet set_of(std::initializer_list<Verdict> verdicts) {
    VerdictSet set;
    for (const Verdict verdict : verdicts) {
        set.add(verdict);
    }
    return set;
}

Finding lost_before(Rule rule, Confidence confidence) {
    Finding finding = found(Verdict::lost_before_tap, rule, confidence, Place::sender_to_tap);
    if (confidence == Confidence::proven) {
        // The first copy may have passed the tap unseen and been lost behind it.
        finding.if_capture_clean = true;
        finding.excluded = set_of({Verdict::reordered_before_tap, Verdict::reordered_in_capture});
    } else {
        finding.possible = set_of({Verdict::reordered_before_tap});
    }
    return finding;
}

Finding reordered_before(Rule rule, Confidence confidence) {
    Finding finding = found(Verdict::reordered_before_tap, rule, confidence, Place::sender_to_tap);
    if (confidence == Confidence::proven) {
        finding.if_capture_clean = true;
        finding.excluded = set_of({Verdict::lost_before_tap});
    } else {
        finding.possible = set_of({Verdict::lost_before_tap, Verdict::reordered_in_capture});
    }
    return finding;
}

// The order in which S sent them, by what it only counts up.
Rule sent_later(const FillFacts& facts) {
    return facts.by_timestamp == Order::later ? Rule::newer_timestamp
           : facts.by_ack == Order::later     ? Rule::higher_ack_field
           : facts.by_ip_id == Order::later   ? Rule::later_ip_id
                                              : Rule::none;
}

Rule sent_earlier(const FillFacts& facts) {
    return facts.by_timestamp == Order::earlier ? Rule::older_timestamp
           : facts.lag >= kDelayMax             ? Rule::none
           : facts.by_ack == Order::earlier     ? Rule::lower_ack_field
           : facts.by_ip_id == Order::earlier   ? Rule::earlier_ip_id
                                                : Rule::none;
}

// Nothing S counts tells the two apart: was there time for S to be asked and to answer?
Finding judge_fill_by_time(const FillFacts& facts) {
    const Nanos round_trip = facts.path.to_sender;
    const bool timer = facts.lag >= kTimerMin;
    if (facts.since_ask != kNever && round_trip != 0 && !timer) {
        return facts.since_ask < surely_less(round_trip)
                   ? reordered_before(Rule::short_lag, Confidence::probable)
                   : lost_before(Rule::asked_and_waited, Confidence::probable);
    }
    if (timer || facts.asked >= kAsksForFast) {
        return lost_before(Rule::asked_and_waited, Confidence::probable);
    }
    const Nanos whole = facts.path.to_sender + facts.path.to_receiver;
    const Nanos limit =
        facts.path.to_sender != 0 && facts.path.to_receiver != 0 ? surely_less(whole) : kShortLag;
    if (facts.lag < limit) {
        return reordered_before(Rule::short_lag, Confidence::probable);
    }
    if (facts.asked != 0) {
        return lost_before(Rule::asked_and_waited, Confidence::probable);
    }
    Finding finding = undecided(Cause::not_enough_evidence, Rule::nothing_decides);
    finding.possible = set_of({Verdict::lost_before_tap, Verdict::reordered_before_tap});
    return finding;
}

}  // namespace

event::Finding judge_missed(bool by_sack) {
    Finding finding =
        found(Verdict::missed_by_capture, by_sack ? Rule::sack_of_unseen : Rule::ack_of_unseen,
              Confidence::proven, Place::at_tap);
    finding.excluded = set_of({Verdict::lost_before_tap, Verdict::never_recovered});
    return finding;
}

event::Finding judge_limit() {
    return undecided(Cause::limit, Rule::limit_reached);
}

event::Finding judge_cut_short() {
    return undecided(Cause::waiting, Rule::cut_short);
}

event::Finding judge_fill(const FillFacts& facts) {
    const Rule later = sent_later(facts);
    const Rule earlier = sent_earlier(facts);
    const bool reported = facts.dsack && !facts.doubled && earlier == Rule::none;
    // R had acknowledged what S then sent again: its report of a duplicate adds no doubt.
    const bool resent_after_ack = facts.after_ack && later != Rule::none;
    Finding finding;
    if (facts.original_came) {
        finding = reordered_before(Rule::original_came, Confidence::probable);
    } else if (resent_after_ack) {
        // Sent again although R had it: the first copy was not captured.
        finding = found(Verdict::missed_by_capture, Rule::ack_of_unseen, Confidence::probable,
                        Place::at_tap);
        finding.possible = set_of({Verdict::reordered_in_capture});
    } else if (reported) {
        // R had the bytes when the filler came, so a copy passed the tap unseen; or the network
        // doubled the filler behind the tap. No frame tells which.
        finding = undecided(Cause::not_enough_evidence, Rule::dsack_of_filler);
        finding.possible = set_of({Verdict::missed_by_capture, Verdict::lost_before_tap});
        if (facts.after_ack) {
            finding.possible.add(Verdict::reordered_in_capture);
        }
    } else if (facts.after_ack) {
        // Sent before what was captured first, it may still be the network's copy of a segment that
        // the capture missed.
        finding = found(Verdict::reordered_in_capture, Rule::data_after_its_ack,
                        Confidence::probable, Place::at_tap);
        finding.possible = set_of({Verdict::missed_by_capture});
    } else if (later != Rule::none && earlier == Rule::none) {
        // Another copy may be the original that came late, though nothing says so.
        finding = lost_before(later, facts.repeated ? Confidence::probable : Confidence::proven);
    } else if (earlier != Rule::none && later == Rule::none) {
        finding = reordered_before(
            earlier, facts.asked != 0 && !facts.dsack ? Confidence::proven : Confidence::probable);
    } else {
        finding = judge_fill_by_time(facts);
    }
    finding.asked = facts.asked;
    finding.lag = facts.lag;
    finding.cost = finding.verdict == Verdict::lost_before_tap ? facts.lag : 0;
    return finding;
}

namespace {

Finding judge_copy(const RepeatFacts& facts) {
    Finding finding;
    // Where the first of the two was a repeat or closed a hole, R may mean that one.
    const bool reported = facts.dsacked != 0 && !facts.doubled;
    if (reported || copied_late(facts)) {
        const bool proven = reported && facts.named && copied_late(facts);
        finding =
            found(Verdict::duplicated_in_network, reported ? Rule::dsack : Rule::same_frame_later,
                  proven ? Confidence::proven : Confidence::probable, Place::sender_to_tap);
        finding.if_capture_clean = proven;
        finding.excluded = set_of({Verdict::lost_after_tap});
        return finding;
    }
    finding = found(Verdict::duplicated_by_mirror, Rule::same_frame,
                    facts.ttl_differs && facts.named && facts.segments == 1 ? Confidence::proven
                                                                            : Confidence::probable,
                    Place::at_tap);
    finding.excluded = set_of({Verdict::lost_after_tap, Verdict::spurious_retransmission});
    if (!facts.ttl_differs) {
        finding.possible = set_of({Verdict::duplicated_in_network});
    }
    return finding;
}

Finding spurious(Rule rule, Cause cause, Confidence confidence) {
    Finding finding =
        found(Verdict::spurious_retransmission, rule, confidence, Place::inside_sender);
    finding.cause = cause;
    if (confidence == Confidence::proven) {
        finding.excluded = set_of({Verdict::lost_after_tap});
    }
    return finding;
}

// R had acknowledged before the repeat passed: could S have known?
Finding judge_acknowledged(const RepeatFacts& facts) {
    const Nanos round_trip = facts.path.to_sender;
    if (facts.ack_lag == kNever) {
        Finding finding = undecided(Cause::not_enough_evidence, Rule::nothing_decides);
        finding.possible = set_of({Verdict::ack_lost, Verdict::spurious_retransmission});
        return finding;
    }
    if ((round_trip == 0 && facts.echo == Order::unknown && facts.ack_lag < kTimerMin)) {
        Finding finding = spurious(Rule::ack_just_before, Cause::none, Confidence::probable);
        finding.possible = set_of({Verdict::ack_lost});
        return finding;
    }
    if (facts.echo == Order::later) {
        // S had heard from R after that ACK, and sent again all the same.
        return spurious(Rule::ack_long_before, Cause::none, Confidence::probable);
    }
    const bool too_early = round_trip != 0 && facts.ack_lag < surely_less(round_trip);
    const bool late =
        round_trip != 0 ? facts.ack_lag > surely_more(round_trip) : facts.ack_lag >= kTimerMin;
    if (too_early || !late) {
        // Never proven: what was measured as round trip may hold a delayed ACK.
        Finding finding = spurious(Rule::ack_just_before, Cause::early_timer, Confidence::probable);
        finding.possible = set_of({Verdict::ack_lost});
        return finding;
    }
    Finding finding =
        found(Verdict::ack_lost, Rule::ack_long_before, Confidence::probable, Place::tap_to_sender);
    finding.excluded = set_of({Verdict::lost_after_tap});
    finding.possible = set_of({Verdict::spurious_retransmission});
    return finding;
}

Finding lost_after(Rule rule, Confidence confidence) {
    Finding finding = found(Verdict::lost_after_tap, rule, confidence, Place::tap_to_receiver);
    finding.excluded = set_of({Verdict::lost_before_tap, Verdict::missed_by_capture});
    if (confidence == Confidence::proven) {
        finding.if_capture_clean = true;
        finding.excluded.add(Verdict::spurious_retransmission);
    } else {
        finding.possible = set_of({Verdict::spurious_retransmission});
    }
    return finding;
}

Finding judge_plain(const RepeatFacts& facts) {
    // A repeat that R asked for and that was doubled on its way was needed: R reports the copy.
    const bool all_reported =
        facts.dsacked >= facts.bytes && facts.dsacked != 0 && !(facts.doubled && facts.asked != 0);
    const Cause late_or_early = facts.asked != 0 ? Cause::late_original : Cause::early_timer;
    if (all_reported) {
        // Unless the network doubled the repeat behind the tap: the echo says which copy came
        // first.
        return spurious(Rule::dsack, late_or_early,
                        facts.echoes_original && !facts.alike && !facts.doubled
                            ? Confidence::proven
                            : Confidence::probable);
    }
    const Nanos whole = facts.path.to_sender + facts.path.to_receiver;
    if (facts.asked == 0 && facts.dsacked == 0 && facts.apart != kNever &&
        facts.apart < kTimerFloor && (whole == 0 || facts.apart < whole / 2)) {
        Finding finding = found(Verdict::duplicated_by_mirror, Rule::no_time_to_repeat,
                                Confidence::probable, Place::at_tap);
        finding.possible =
            set_of({Verdict::duplicated_in_network, Verdict::spurious_retransmission});
        return finding;
    }
    if (!facts.answered) {
        if (facts.asked != 0 || facts.receiver_heard) {
            return lost_after(Rule::receiver_lacked, Confidence::probable);
        }
        Finding finding = undecided(Cause::not_enough_evidence, Rule::nothing_decides);
        finding.possible = set_of({Verdict::lost_after_tap, Verdict::spurious_retransmission});
        return finding;
    }
    if (facts.reported_at_once && facts.asked == 0) {
        Finding finding = spurious(Rule::dsack, Cause::early_timer, Confidence::probable);
        finding.possible = set_of({Verdict::lost_after_tap});
        return finding;
    }
    if (facts.passed_over && facts.asked == 0) {
        Finding finding = spurious(Rule::passed_over, Cause::none, Confidence::probable);
        finding.possible = set_of({Verdict::lost_after_tap});
        return finding;
    }
    if (facts.echoes_repeat && facts.dsacked == 0) {
        // The ACK of a first copy may have died before the tap; the repeat would then be reported.
        return lost_after(Rule::echo_of_repeat,
                          facts.reports && facts.asked != 0 && facts.segments == 1
                              ? Confidence::proven
                              : Confidence::probable);
    }
    const bool too_soon =
        facts.path.to_receiver != 0 && facts.answer_lag < facts.path.to_receiver / 2;
    if (facts.echoes_original || too_soon) {
        Finding finding =
            spurious(facts.echoes_original ? Rule::echo_of_original : Rule::answer_too_soon,
                     late_or_early, Confidence::probable);
        finding.possible = set_of({Verdict::lost_after_tap});
        return finding;
    }
    return lost_after(facts.asked != 0 ? Rule::receiver_lacked : Rule::ack_jump,
                      Confidence::probable);
}

}  // namespace

bool copied_late(const RepeatFacts& facts) {
    return facts.apart > kMirrorLag;
}

event::Finding judge_repeat(const RepeatFacts& facts) {
    Finding finding;
    switch (facts.kind) {
        case RepeatKind::copy:
            finding = judge_copy(facts);
            break;
        case RepeatKind::acknowledged:
            finding = judge_acknowledged(facts);
            finding.lag = std::max<Nanos>(facts.ack_lag, 0);
            break;
        case RepeatKind::sacked:
            finding = judge_acknowledged(facts);
            finding.rule = finding.verdict == Verdict::spurious_retransmission ? Rule::sacked_before
                                                                               : finding.rule;
            finding.lag = std::max<Nanos>(facts.ack_lag, 0);
            break;
        case RepeatKind::overtaken:
            finding = reordered_before(Rule::original_came, Confidence::probable);
            finding.possible = set_of({Verdict::spurious_retransmission});
            break;
        case RepeatKind::plain:
            finding = judge_plain(facts);
            finding.lag = std::max<Nanos>(facts.apart, 0);
            break;
    }
    finding.asked = facts.asked;
    finding.cost = finding.verdict == Verdict::lost_after_tap ? std::max<Nanos>(facts.apart, 0) : 0;
    return finding;
}

event::Finding judge_open(const OpenFacts& facts) {
    Finding finding;
    if (facts.asked == 0 || !facts.receiver_heard) {
        // R may have the bytes and not have said so yet.
        finding = undecided(Cause::not_enough_evidence, Rule::never_asked);
        finding.possible = set_of(
            {Verdict::never_recovered, Verdict::missed_by_capture, Verdict::lost_before_tap});
    } else if (facts.bytes == 1 && facts.fin_opened && facts.fins_repeated != 0) {
        finding = found(Verdict::sequence_overshoot, Rule::fin_one_beyond, Confidence::probable,
                        Place::inside_sender);
        finding.possible = set_of({Verdict::never_recovered});
    } else {
        finding = found(Verdict::never_recovered, Rule::asked_in_vain, Confidence::proven,
                        Place::sender_to_tap);
        finding.if_capture_clean = true;
        finding.excluded = set_of({Verdict::missed_by_capture, Verdict::reordered_in_capture});
        if (facts.bytes == 1 && facts.fin_opened) {
            // A FIN one beyond the data looks the same until it is repeated.
            finding.confidence = Confidence::probable;
            finding.possible = set_of({Verdict::sequence_overshoot});
        }
        const Nanos answer = std::max(kTimerMin, surely_more(facts.path.to_sender));
        if (facts.others_refilled) {
            finding.cause = Cause::retransmissions_lost;
        } else if (facts.sender_closed || (facts.sender_went_on && facts.asked_for >= answer)) {
            finding.cause = Cause::sender_silent;
        } else {
            finding.cause = Cause::capture_ended;
            finding.confidence = Confidence::probable;
        }
    }
    finding.asked = facts.asked;
    finding.lag = facts.asked_for;
    finding.cost = facts.asked_for;
    return finding;
}

}  // namespace tw::tcp
