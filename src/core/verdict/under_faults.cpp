// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/under_faults.hpp"

namespace tw::verdict {
namespace {

using event::CaptureFault;
using event::CaptureFaults;
using event::Cause;
using event::Confidence;
using event::Finding;
using event::Place;
using event::Rule;
using event::Verdict;

// What a rule needs of the capture.
enum class Basis {
    frames,       // frames that were captured; more of them would change nothing
    counterword,  // these, and that no frame says otherwise
    absence,      // that a frame which was not captured did not pass
};

Basis basis_of(Rule rule) {
    switch (rule) {
        // A hole is an absence: had we lost the bytes ourselves, all else would look the same but
        // for the repeat, which other losses or an early timer bring about.
        case Rule::newer_timestamp:
        case Rule::higher_ack_field:
        case Rule::later_ip_id:
        case Rule::asked_and_waited:
        case Rule::older_timestamp:
        case Rule::lower_ack_field:
        case Rule::earlier_ip_id:
        case Rule::short_lag:
        case Rule::asked_in_vain:
        case Rule::never_asked:
        case Rule::fin_one_beyond:
        // No earlier ACK, no DSACK, no answer.
        case Rule::echo_of_repeat:
        case Rule::ack_jump:
        case Rule::syn_without_answer:
            return Basis::absence;
        // Both copies and the receiver's requests are there; a DSACK may be missing, which would
        // tell that the first copy arrived late. An ACK before the one that came too late for the
        // sender may be missing; so may the other direction.
        case Rule::receiver_lacked:
        case Rule::echo_of_original:
        case Rule::answer_too_soon:
        case Rule::passed_over:
        case Rule::ack_just_before:
        case Rule::one_direction:
            return Basis::counterword;
        case Rule::ack_of_unseen:
        case Rule::sack_of_unseen:
        case Rule::dsack_of_filler:
        case Rule::original_came:
        case Rule::data_after_its_ack:
        case Rule::dsack:
        case Rule::sacked_before:
        case Rule::ack_long_before:
        case Rule::same_frame:
        case Rule::same_frame_later:
        case Rule::no_time_to_repeat:
        case Rule::foreign_ttl:
        case Rule::foreign_ip_id:
        case Rule::sender_went_on:
        case Rule::zero_window:
        case Rule::window_full:
        case Rule::none:
        case Rule::limit_reached:
        case Rule::nothing_decides:
        case Rule::capture_faults:
        case Rule::cut_short:
            return Basis::frames;
    }
    return Basis::absence;
}

// Rules that compare moments: a poller that was away stamps frames late.
bool measures_time(Rule rule) {
    return rule == Rule::asked_and_waited || rule == Rule::short_lag ||
           rule == Rule::ack_long_before || rule == Rule::ack_just_before ||
           rule == Rule::answer_too_soon || rule == Rule::same_frame;
}

// Claims that something passed the tap and died behind it.
bool beyond_the_tap(const Finding& finding) {
    return finding.verdict == Verdict::lost_after_tap || finding.verdict == Verdict::ack_lost ||
           finding.verdict == Verdict::syn_unanswered;
}

void make_unknown(Finding& finding, Cause cause) {
    finding.possible.add(finding.verdict);
    finding.possible.add(Verdict::missed_by_capture);
    finding.excluded.remove(Verdict::missed_by_capture);
    finding.verdict = Verdict::unknown;
    finding.cause = cause;
    finding.confidence = Confidence::none;
    finding.rule = Rule::capture_faults;
    finding.place = Place::none;
    finding.if_capture_clean = false;
}

}  // namespace

bool casts_doubt(CaptureFaults faults) {
    return faults.has(CaptureFault::loss) || faults.has(CaptureFault::uncounted) ||
           faults.has(CaptureFault::link) || faults.has(CaptureFault::stall) ||
           faults.has(CaptureFault::unknown);
}

bool may_lack_frames(CaptureFaults faults) {
    return faults.has(CaptureFault::loss) || faults.has(CaptureFault::link) ||
           faults.has(CaptureFault::unknown) ||
           (faults.has(CaptureFault::stall) && faults.has(CaptureFault::uncounted));
}

void make_probable(Finding& finding) {
    if (finding.confidence == Confidence::proven) {
        finding.confidence = Confidence::probable;
    }
    finding.excluded.remove(Verdict::missed_by_capture);
    finding.possible.add(Verdict::missed_by_capture);
    finding.if_capture_clean = false;
}

Finding under_faults(const Finding& judged, CaptureFaults faults) {
    Finding finding = judged;
    if (finding.verdict == Verdict::none || finding.verdict == Verdict::unknown) {
        return finding;
    }
    if (faults.has(CaptureFault::forward) && beyond_the_tap(finding)) {
        // The monitor itself did not send on what it had received.
        make_unknown(finding, Cause::monitor);
        finding.place = Place::at_tap;
        finding.possible.remove(Verdict::missed_by_capture);
        return finding;
    }
    if (faults.has(CaptureFault::forward) && finding.cause == Cause::sender_silent) {
        finding.cause = Cause::none;  // the request may have died here
        make_probable(finding);
    }
    if (!casts_doubt(faults)) {
        return finding;
    }
    if (finding.verdict == Verdict::missed_by_capture) {
        // Not counted here, it was lost before our port as well as here.
        finding.cause = faults.has(CaptureFault::loss) ? Cause::monitor : finding.cause;
        return finding;
    }
    const bool stalled = faults.has(CaptureFault::stall);
    const bool missing = may_lack_frames(faults);
    const Basis basis = basis_of(finding.rule);
    // No loss of the network is told where the monitor itself lost frames, whatever it rests on.
    const bool blames =
        event::verdict_table()[static_cast<std::size_t>(finding.verdict)].network_loss;
    if ((missing && (basis == Basis::absence || blames)) ||
        (stalled && measures_time(finding.rule))) {
        make_unknown(finding, Cause::capture_loss_interval);
        return finding;
    }
    if (basis != Basis::frames) {
        make_probable(finding);
    }
    if (finding.rule == Rule::receiver_lacked) {
        finding.possible.add(Verdict::spurious_retransmission);
        finding.excluded.remove(Verdict::spurious_retransmission);
    }
    if (finding.rule == Rule::ack_just_before) {
        finding.possible.add(Verdict::ack_lost);
        finding.excluded.remove(Verdict::ack_lost);
    }
    return finding;
}

}  // namespace tw::verdict
