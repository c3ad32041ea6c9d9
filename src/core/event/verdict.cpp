// SPDX-License-Identifier: BSD-3-Clause
#include "core/event/verdict.hpp"

namespace tw::event {
namespace {

constexpr VerdictInfo kVerdictRows[] = {
    {Verdict::none, "none", "not judged", "nothing was judged", "the episode carries facts only",
     false},
    {Verdict::missed_by_capture, "missed_by_capture", "missed by the capture",
     "the receiver has these bytes, the capture missed them",
     "an ACK or SACK block of the receiver covers bytes of which no copy had been captured. "
     "Nothing was lost on the network; the cause says where the capture lost them",
     false},
    {Verdict::lost_before_tap, "lost_before_tap", "lost before the tap",
     "lost between the sender and the tap, then sent again",
     "the bytes that closed the hole were sent after those that follow it: a newer TCP timestamp, "
     "a higher ACK field, a later IP identification, or a wait that only a retransmission explains",
     true},
    {Verdict::reordered_before_tap, "reordered_before_tap", "reordered before the tap",
     "overtaken on the way from the sender to the tap; nothing was lost",
     "the bytes that closed the hole were sent before those that follow it: an older TCP "
     "timestamp, a lower ACK field, an earlier IP identification, or a lag too short for a "
     "retransmission",
     false},
    {Verdict::lost_after_tap, "lost_after_tap", "lost after the tap",
     "passed the tap, lost between the tap and the receiver, then sent again",
     "both copies were captured, and the receiver showed that it lacked the first: duplicate ACKs, "
     "a hole between its SACK blocks, or an ACK that moves on with the repeat and no DSACK",
     true},
    {Verdict::ack_lost, "ack_lost", "ACK lost",
     "received and acknowledged in time; the ACK was lost between the tap and the sender",
     "the repeat left the sender later than the captured ACK could have reached it", true},
    {Verdict::spurious_retransmission, "spurious_retransmission", "sent again needlessly",
     "sent again needlessly: the receiver had the bytes, or the first copy was still on its way",
     "the receiver reports the duplicate (DSACK), had selectively acknowledged the bytes, or its "
     "ACK was still on its way when the sender's timer fired",
     false},
    {Verdict::duplicated_by_mirror, "duplicated_by_mirror", "duplicated by the mirror",
     "sent once, captured twice",
     "the same frame within 10 ms: TCP header, checksum and IP identification equal, TTL equal or "
     "one less. Typical of a SPAN session that copies both ports of a path, or receive and "
     "transmit of one",
     false},
    {Verdict::duplicated_in_network, "duplicated_in_network", "duplicated in the network",
     "sent once, delivered twice by the network",
     "the same frame again, later than a mirror would copy it, or reported by the receiver as a "
     "duplicate (DSACK) though it was sent once",
     false},
    {Verdict::never_recovered, "never_recovered", "never recovered",
     "the bytes never reached the tap, nor the receiver",
     "a hole that was neither filled nor acknowledged until the connection ended; the cause says "
     "what the sender did when the receiver asked",
     true},
    {Verdict::sequence_overshoot, "sequence_overshoot", "sequence overshoot",
     "the FIN lies one number beyond the data: a bug of the sender's TCP, no packet is missing",
     "the receiver asks for one byte, the sender repeats only its FIN, with the same number",
     false},
    {Verdict::reordered_in_capture, "reordered_in_capture", "reordered in the capture",
     "captured in another order than sent; nothing is missing",
     "an ACK was captured before the data it covers: queues, ports or directions of the mirror "
     "were merged out of order. In no sum of losses",
     false},
    {Verdict::one_sided, "one_sided", "captured in one direction only",
     "only one direction of the connection was captured",
     "segments of one side only: an asymmetric path, or a mirror that copies one direction. What "
     "was lost cannot be judged",
     false},
    {Verdict::syn_unanswered, "syn_unanswered", "SYN unanswered",
     "a connection was asked for and nobody answered",
     "the SYN was repeated and nothing came back: dropped by a filter, or nobody is there. One tap "
     "cannot tell on which side of it",
     false},
    {Verdict::rst_by_third_party, "rst_by_third_party", "reset by a third party",
     "the reset does not come from the host it names",
     "its TTL or IP identification differ from those of the claimed sender's segments, or "
     "the claimed sender goes on as if nothing had been said",
     false},
    {Verdict::receiver_limited, "receiver_limited", "receiver limited",
     "the receiver's window was closed: its application does not read fast enough",
     "a window of zero, or filled to its edge, for some time; nothing was lost", false},
    {Verdict::unknown, "unknown", "unknown", "what happened cannot be told from what was captured",
     "the cause says what was missing to tell. Counted, and never folded into another verdict",
     false},
};

constexpr CauseInfo kCauseRows[] = {
    {Cause::none, "none", "no cause is known"},
    {Cause::sender_silent, "sender_silent",
     "never_recovered: the receiver asked, and the sender did not send the bytes again. Something "
     "between it and the tap told it that they had arrived, or its TCP is broken"},
    {Cause::retransmissions_lost, "retransmissions_lost",
     "never_recovered: the sender tried again; other holes of the connection were refilled, this "
     "one was not"},
    {Cause::capture_ended, "capture_ended",
     "never_recovered: the capture, or the connection, ended before there was time to send again"},
    {Cause::monitor, "monitor",
     "missed_by_capture: the monitor's own ledger counts losses at that time"},
    {Cause::mirror, "mirror",
     "missed_by_capture: lost before the monitor's port, in step with other connections or with "
     "load: the mirror port or the TAP"},
    {Cause::path, "path",
     "missed_by_capture: one direction or one connection, at a steady rate: these packets take a "
     "way past the tap (ECMP, asymmetric routing)"},
    {Cause::late_original, "late_original",
     "spurious_retransmission: the first copy arrived after all, only later"},
    {Cause::early_timer, "early_timer",
     "spurious_retransmission: the sender's timer fired before the ACK could arrive"},
    {Cause::limit, "limit", "unknown: a stated limit was reached (tapwitness list counters)"},
    {Cause::not_enough_evidence, "not_enough_evidence",
     "unknown: several explanations fit what was captured; `possible` names them"},
    {Cause::capture_loss_interval, "capture_loss_interval",
     "unknown: the capture was losing packets itself at that time"},
    {Cause::waiting, "waiting", "unknown: the wait for evidence was cut short"},
};

constexpr RuleInfo kRuleRows[] = {
    {Rule::none, "none", "none"},
    {Rule::ack_of_unseen, "ack_of_unseen", "the receiver's ACK covers bytes never captured"},
    {Rule::sack_of_unseen, "sack_of_unseen", "a SACK block covers bytes never captured"},
    {Rule::dsack_of_filler, "dsack_of_filler",
     "the receiver reports the bytes that closed the hole as duplicates (DSACK): it had them, or "
     "the "
     "network doubled them behind the tap"},
    {Rule::newer_timestamp, "newer_timestamp",
     "the TCP timestamp of the bytes that closed the hole is newer than that of bytes after it"},
    {Rule::higher_ack_field, "higher_ack_field",
     "the ACK field of the bytes that closed the hole is higher than that of bytes after it"},
    {Rule::later_ip_id, "later_ip_id",
     "the sender counts its IP identification up, and that of the bytes that closed the hole is "
     "later"},
    {Rule::asked_and_waited, "asked_and_waited",
     "the hole closed only after three requests of the receiver, or after a retransmission "
     "timeout"},
    {Rule::older_timestamp, "older_timestamp",
     "the TCP timestamp of the bytes that closed the hole is older than that of bytes after it"},
    {Rule::lower_ack_field, "lower_ack_field",
     "the ACK field of the bytes that closed the hole is lower than that of bytes after it"},
    {Rule::earlier_ip_id, "earlier_ip_id",
     "the sender counts its IP identification up, and that of the bytes that closed the hole is "
     "earlier"},
    {Rule::short_lag, "short_lag",
     "the hole closed sooner than any retransmission could have come"},
    {Rule::original_came, "original_came",
     "a copy that had been sent earlier was captured later: overtaken by its own repeat"},
    {Rule::data_after_its_ack, "data_after_its_ack",
     "the data was captured after the ACK that covers it"},
    {Rule::asked_in_vain, "asked_in_vain", "the receiver asked for the bytes until the end"},
    {Rule::never_asked, "never_asked", "the hole stayed open, and the receiver said nothing of it"},
    {Rule::fin_one_beyond, "fin_one_beyond",
     "the FIN lies one byte beyond the data, and is all that is repeated where the receiver asks "
     "for that byte"},
    {Rule::echo_of_repeat, "echo_of_repeat",
     "the ACK that first covers the bytes echoes the timestamp of the repeat: the repeat is what "
     "arrived"},
    {Rule::echo_of_original, "echo_of_original",
     "the ACK that first covers the bytes echoes the timestamp of the first copy: that one "
     "arrived"},
    {Rule::answer_too_soon, "answer_too_soon",
     "the ACK came back sooner than the repeat could have reached the receiver"},
    {Rule::passed_over, "passed_over",
     "the receiver's ACK passed over the bytes together with others below: it never stood at them"},
    {Rule::receiver_lacked, "receiver_lacked",
     "duplicate ACKs or SACK blocks of the receiver left the bytes out before they were repeated, "
     "or "
     "it sent its SYN again"},
    {Rule::ack_jump, "ack_jump", "the receiver's ACK moved on with the repeat, without a DSACK"},
    {Rule::dsack, "dsack", "the receiver reports the repeat as a duplicate (DSACK)"},
    {Rule::sacked_before, "sacked_before", "a SACK block had covered the bytes before the repeat"},
    {Rule::ack_long_before, "ack_long_before",
     "the ACK passed the tap longer before the repeat than the way to the sender and back takes"},
    {Rule::ack_just_before, "ack_just_before",
     "the ACK passed the tap so shortly before the repeat that it cannot have reached the sender"},
    {Rule::same_frame, "same_frame", "an identical frame within 10 ms"},
    {Rule::same_frame_later, "same_frame_later",
     "an identical frame, later than a mirror would copy it, or reported as a duplicate"},
    {Rule::no_time_to_repeat, "no_time_to_repeat",
     "the second copy came sooner than any timer, and nobody had asked for it"},
    {Rule::syn_without_answer, "syn_without_answer", "a SYN, repeated, and nothing else"},
    {Rule::foreign_ttl, "foreign_ttl", "the TTL differs from that of the sender's other segments"},
    {Rule::foreign_ip_id, "foreign_ip_id",
     "the IP identification does not fit the sender's other segments"},
    {Rule::sender_went_on, "sender_went_on", "the claimed sender went on after it"},
    {Rule::zero_window, "zero_window", "the receiver announced a window of zero"},
    {Rule::window_full, "window_full", "the sender filled the announced window"},
    {Rule::one_direction, "one_direction", "segments of one side only"},
    {Rule::limit_reached, "limit_reached", "a stated limit was reached"},
    {Rule::nothing_decides, "nothing_decides", "no rule applies"},
    {Rule::capture_faults, "capture_faults",
     "the ledger counts losses of the capture at that time"},
    {Rule::cut_short, "cut_short", "judged before the wait for evidence was over"},
};

constexpr PlaceInfo kPlaceRows[] = {
    {Place::none, "none", "nowhere, or not known"},
    {Place::sender_to_tap, "sender_to_tap", "between the sender and the tap"},
    {Place::tap_to_receiver, "tap_to_receiver", "between the tap and the receiver"},
    {Place::receiver_to_tap, "receiver_to_tap",
     "between the receiver and the tap, on the way of the ACKs"},
    {Place::tap_to_sender, "tap_to_sender",
     "between the tap and the sender, on the way of the ACKs"},
    {Place::at_tap, "at_tap", "where packets are captured: mirror, TAP, monitor; or past it"},
    {Place::inside_sender, "inside_sender", "inside the sending host"},
    {Place::inside_receiver, "inside_receiver", "inside the receiving host, beyond the tap"},
    {Place::beyond_tap, "beyond_tap", "on one side of the tap, which one is not known"},
};

constexpr ConfidenceInfo kConfidenceRows[] = {
    {Confidence::none, "none", "nothing is claimed"},
    {Confidence::probable, "probable",
     "consistent with all that was captured; other explanations (`possible`) are not ruled out"},
    {Confidence::proven, "proven",
     "the captured bytes allow no other explanation. Where a double fault (missed by the capture, "
     "then lost beyond it) would look the same, only while that tap shows no miss within 10 s"},
};

// Rows are looked up by their enumerator.
template <typename Row, std::size_t N>
consteval bool in_order(const Row (&rows)[N]) {
    for (std::size_t i = 0; i < N; ++i) {
        if (static_cast<std::size_t>(rows[i].id) != i) {
            return false;
        }
    }
    return true;
}
static_assert(in_order(kVerdictRows) && in_order(kCauseRows) && in_order(kRuleRows) &&
              in_order(kPlaceRows) && in_order(kConfidenceRows));

}  // namespace

std::span<const VerdictInfo, kVerdicts> verdict_table() {
    return kVerdictRows;
}

std::span<const CauseInfo, kCauses> cause_table() {
    return kCauseRows;
}

std::span<const RuleInfo, kRules> rule_table() {
    return kRuleRows;
}

std::span<const PlaceInfo, kPlaces> place_table() {
    return kPlaceRows;
}

std::span<const ConfidenceInfo, kConfidences> confidence_table() {
    return kConfidenceRows;
}

std::string_view name(Verdict verdict) {
    return kVerdictRows[static_cast<std::size_t>(verdict)].name;
}

std::string_view words(Verdict verdict) {
    return kVerdictRows[static_cast<std::size_t>(verdict)].words;
}

std::string_view name(Cause cause) {
    return kCauseRows[static_cast<std::size_t>(cause)].name;
}

std::string_view name(Rule rule) {
    return kRuleRows[static_cast<std::size_t>(rule)].name;
}

std::string_view name(Place place) {
    return kPlaceRows[static_cast<std::size_t>(place)].name;
}

std::string_view name(Confidence confidence) {
    return kConfidenceRows[static_cast<std::size_t>(confidence)].name;
}

}  // namespace tw::event
