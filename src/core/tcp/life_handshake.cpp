// SPDX-License-Identifier: BSD-3-Clause
// Handshakes that needed more than one try: SYNs and SYN/ACKs sent again. They are judged together
// once the handshake is over, because one repeat provokes the other.
//
//   C          T          S      the SYN again: SYN lost beyond T, or SYN/ACK before T or beyond
//   |---SYN----+--------->|      SYN/ACK again, the client's ACK captured: the ACK was lost
//   |<---------+-SYN/ACK--|      SYN/ACK again, the client silent: SYN/ACK or ACK was lost
//   |---ACK----+--------->|      TSecr of the answer names the copy that arrived
#include <algorithm>

#include "core/tcp/completeness.hpp"
#include "core/tcp/life_parts.hpp"
#include "core/tcp/past.hpp"

namespace tw::tcp {
namespace {

namespace flag = decode::tcp_flag;
using event::Cause;
using event::Confidence;
using event::Event;
using event::EventType;
using event::Finding;
using event::Place;
using event::Resolution;
using event::Role;
using event::Rule;
using event::Verdict;

// No sender repeats a SYN sooner (RFC 6298 2.1: 1 s; the quickest known take 0.2 s): a copy, of the
// mirror's within the first time, else of the network's.
constexpr Nanos kMirrorMax = 10 * kMillisecond;
constexpr Nanos kCopyMax = 100 * kMillisecond;
// What the far side may take on top of the round trip before its answer passes the tap.
constexpr Nanos kAnswerMargin = 10 * kMillisecond;
// Where no round trip is known: longer than any but satellite links.
constexpr Nanos kRoundTripDefault = 500 * kMillisecond;

// Bits of a LifeRecord of a SYN or SYN/ACK.
constexpr std::uint8_t kHasTimestamp = 1U << 0;      // `number` is the last copy's TSval
constexpr std::uint8_t kAnsweredBefore = 1U << 1;    // the answer had been captured before a repeat
constexpr std::uint8_t kEchoesLast = 1U << 2;        // the answer echoes the last copy ...
constexpr std::uint8_t kEchoesEarlier = 1U << 3;     // ... or another
constexpr std::uint8_t kCopied = 1U << 4;            // captured twice, not sent twice
constexpr std::uint8_t kSameFrame = 1U << 5;         // ... the copy is identical
constexpr std::uint8_t kCopiedLate = 1U << 7;        // ... by the network
constexpr std::uint8_t kReportsDuplicate = 1U << 6;  // the answer brings a DSACK

bool is_syn(const LifeRecord& record) {
    return record.watch == Watch::syn;
}

// The latest sighting of `side` before `later`, of those that `wanted` takes.
template <typename Wanted>
const Sighting* look_back(const History& history, const Sighting* later, Wanted wanted) {
    constexpr std::uint32_t kSteps = 64;
    for (std::uint32_t i = 0; later != nullptr && i < kSteps; ++i) {
        later = history.before(*later);
        if (later != nullptr && wanted(*later)) {
            return later;
        }
    }
    return nullptr;
}

Moment moment_at(const Sighting& sighting) {
    return {sighting.time, sighting.frame};
}

// The same but for time, and for the TTL by one. No IP identification proves nothing by itself.
bool is_alike(const Sighting& one, const Sighting& other) {
    const int hops = one.ttl - other.ttl;
    return one.seq == other.seq && one.ack == other.ack && one.flags == other.flags &&
           one.window == other.window && one.checksum == other.checksum &&
           one.ip_id == other.ip_id && hops >= -1 && hops <= 1;
}

void add_evidence(const Scene& scene, Event& event, const Moment& moment, Role role) {
    if (moment.time != 0 && event.evidence_count < Event::kEvidenceMax) {
        event.evidence[event.evidence_count++] = ref_of(scene, moment, role);
    }
}

void conclude(Finding& finding, Verdict verdict, Confidence confidence, Rule rule, Place place) {
    finding.verdict = verdict;
    finding.confidence = confidence;
    finding.rule = rule;
    finding.place = place;
}

void leave_open(Finding& finding, std::initializer_list<Verdict> possible) {
    finding.verdict = Verdict::unknown;
    finding.cause = Cause::not_enough_evidence;
    finding.rule = Rule::nothing_decides;
    finding.place = Place::beyond_tap;
    for (const Verdict verdict : possible) {
        finding.possible.add(verdict);
    }
}

}  // namespace

// A SYN is a repeat if its side has sent nothing but SYNs with that number.
void Life::observe_syn(const Scene& scene, const decode::Segment& segment, std::uint8_t sender) {
    const flow::Half& me = scene.flow->half[sender];
    const bool bare = decode::is_bare_syn(segment);
    LifeRecord* const mine = find(scene, bare ? Watch::syn : Watch::syn_ack, sender);
    const bool only_syns = me.packets == 2 || mine != nullptr;
    const bool same = segment.seq == scene.cold->base[sender];
    if (only_syns && same && me.packets > 1) {
        repeat_syn(scene, segment, sender, bare ? Watch::syn : Watch::syn_ack);
    }
    LifeRecord* const syn = bare ? nullptr : find(scene, Watch::syn, sender ^ 1);
    if (syn != nullptr && syn->syn.answer.time == 0) {
        note_answer(scene, segment, *syn);
    }
}

void Life::repeat_syn(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                      Watch kind) {
    const Sighting* const now = history_.latest(*scene.flow, owner_of(scene));
    const auto same_kind = [&](const Sighting& s) {
        return s.sender == sender && s.has(flag::kSyn) && s.seq == segment.seq;
    };
    const Sighting* const last = look_back(history_, now, same_kind);
    LifeRecord* record = find(scene, kind, sender);
    if (record == nullptr) {
        record = watch(scene, kind, sender);
        if (record == nullptr) {
            return;
        }
        record->syn.first = {scene.raised, last != nullptr ? last->frame : 0};
        record->syn.last = record->syn.first;
        note_answered_before(scene, segment, *record);
    }
    if (now != nullptr && now->has_timestamps != 0) {
        record->bits |= kHasTimestamp;
        record->number = now->tsval;
    }
    const Nanos apart = elapsed(record->syn.last.time, scene.now);
    if (apart < kCopyMax) {
        const bool same = now != nullptr && last != nullptr && is_alike(*now, *last);
        record->bits |= kCopied;
        record->bits |= same ? kSameFrame : std::uint8_t{0};
        record->bits |= apart > kMirrorMax ? kCopiedLate : std::uint8_t{0};
        record->syn.again = record->count == 0 ? moment_of(scene) : record->syn.again;
        return;
    }
    record->syn.last = moment_of(scene);
    if (record->count == 0) {
        record->syn.again = record->syn.last;
    }
    record->count = static_cast<std::uint8_t>(std::min(record->count + 1, 255));
}

// What had been said to it before it was sent again.
void Life::note_answered_before(const Scene& scene, const decode::Segment& segment,
                                LifeRecord& record) {
    const flow::Half& peer = scene.flow->half[record.side ^ 1];
    constexpr std::uint8_t kClientWentOn = completeness::kAck | completeness::kData;
    const bool answered = is_syn(record) ? (scene.flow->completeness & completeness::kSynAck) != 0
                                         : (scene.flow->completeness & kClientWentOn) != 0;
    if (!answered || peer.packets == 0 || peer.ack != segment.seq + 1 + segment.payload_bytes) {
        return;
    }
    record.bits |= kAnsweredBefore;
    record.syn.answer = {peer.ack_time, 0};
    // The first of them, where it is still known.
    const Sighting* found = history_.latest(*scene.flow, owner_of(scene));
    const auto answers = [&](const Sighting& s) {
        return s.sender != record.side && s.has(flag::kAck) && s.ack == peer.ack &&
               s.has(flag::kSyn) == is_syn(record);
    };
    while ((found = look_back(history_, found, answers)) != nullptr) {
        record.syn.answer = moment_at(*found);
    }
}

void Life::note_answer(const Scene& scene, const decode::Segment& segment, LifeRecord& record) {
    if ((segment.flags & flag::kAck) == 0 || segment.ack - 1 != scene.cold->base[record.side]) {
        return;
    }
    record.syn.answer = moment_of(scene);
    const Sighting* const answer = history_.latest(*scene.flow, owner_of(scene));
    if (answer == nullptr) {
        return;
    }
    if (answer->has_timestamps != 0 && (record.bits & kHasTimestamp) != 0 && answer->tsecr != 0) {
        record.bits |= answer->tsecr == record.number ? kEchoesLast : kEchoesEarlier;
    }
    if (answer->is_dsack != 0 && answer->sack.left == scene.cold->base[record.side]) {
        record.bits |= kReportsDuplicate;
    }
}

// Neither SYN nor RST. The client's ACK answers the SYN/ACK; the server's first such segment shows
// that the handshake is over on both sides.
void Life::follow_handshake(const Scene& scene, const decode::Segment& segment,
                            std::uint8_t sender) {
    LifeRecord* const syn_ack = find(scene, Watch::syn_ack, sender ^ 1);
    if (syn_ack != nullptr && syn_ack->syn.answer.time == 0) {
        note_answer(scene, segment, *syn_ack);
    }
    const bool from_server = find(scene, Watch::syn_ack, sender) != nullptr ||
                             find(scene, Watch::syn, sender ^ 1) != nullptr;
    if (from_server) {
        settle_handshake(scene);
    }
}

void Life::settle_handshake(const Scene& scene) {
    for (std::uint8_t client = 0; client < 2; ++client) {
        LifeRecord* const syn = find(scene, Watch::syn, client);
        LifeRecord* const syn_ack = find(scene, Watch::syn_ack, client ^ 1);
        if (syn != nullptr && syn->count != 0) {
            settle_syn(scene, *syn, syn_ack);
        } else if (syn_ack != nullptr && syn_ack->count != 0) {
            settle_syn_ack(scene, *syn_ack);
        } else if (const LifeRecord* copied = syn != nullptr ? syn : syn_ack) {
            judge_copies(scene, *copied);
        }
        if (syn != nullptr) {
            drop(*syn);
        }
        if (syn_ack != nullptr) {
            drop(*syn_ack);
        }
    }
}

Event Life::handshake_event(const Scene& scene, const LifeRecord& record) const {
    Event event = start_event(scene, record.side, EventType::handshake);
    const SynWatch& syn = record.syn;
    const std::uint32_t isn = scene.cold->base[record.side];
    event.since = event.time = syn.first.time;
    event.time_end = std::max({syn.last.time, syn.answer.time, syn.first.time});
    event.seq_begin = isn;
    event.seq_end = isn + 1;
    event.repeats_count = record.count;
    event.subject[event.subjects_count++] = ref_of(scene, syn.first, Role::original);
    if (record.count != 0) {
        event.subject[event.subjects_count++] = ref_of(scene, syn.last, Role::repeat);
    }
    event.finding.cost = elapsed(event.time, event.time_end);
    event.finding.lag = elapsed(syn.first.time, syn.again.time);
    event.resolution = syn.answer.time == 0                   ? Resolution::never
                       : (record.bits & kAnsweredBefore) != 0 ? Resolution::acknowledged_before
                                                              : Resolution::acknowledged;
    return event;
}

// Sent once, captured twice.
void Life::judge_copies(const Scene& scene, const LifeRecord& record) {
    if ((record.bits & kSameFrame) == 0) {
        return;
    }
    Event event = handshake_event(scene, record);
    event.time_end = std::max(event.time_end, record.syn.again.time);
    event.subject[event.subjects_count++] = ref_of(scene, record.syn.again, Role::repeat);
    event.finding.cost = 0;
    if ((record.bits & kCopiedLate) != 0) {
        conclude(event.finding, Verdict::duplicated_in_network, Confidence::probable,
                 Rule::same_frame_later, Place::sender_to_tap);
    } else {
        conclude(event.finding, Verdict::duplicated_by_mirror, Confidence::probable,
                 Rule::same_frame, Place::at_tap);
    }
    emit(event, scene.now);
}

void Life::settle_syn(const Scene& scene, const LifeRecord& syn, const LifeRecord* syn_ack) {
    const flow::Half& client = scene.flow->half[syn.side];
    const flow::Half& server = scene.flow->half[syn.side ^ 1];
    if (syn.syn.answer.time != 0) {
        if ((syn.bits & kAnsweredBefore) != 0) {
            judge_answered_before(scene, syn, syn_ack);
        } else {
            judge_answered_after(scene, syn, syn_ack);
        }
        return;
    }
    // Refused by a RST, or answered unseen: the client goes on, so there is no doubt that it was.
    constexpr std::uint8_t kWentOn = completeness::kAck | completeness::kData;
    if (server.packets != 0 || (scene.flow->completeness & kWentOn) != 0) {
        return;
    }
    Event event = handshake_event(scene, syn);
    event.time_end = client.ack_time;
    event.finding.cost = elapsed(event.time, event.time_end);
    conclude(event.finding, Verdict::syn_unanswered, Confidence::probable, Rule::syn_without_answer,
             Place::beyond_tap);
    event.finding.possible.add(Verdict::lost_after_tap);   // the SYNs
    event.finding.possible.add(Verdict::lost_before_tap);  // the answers
    event.finding.possible.add(Verdict::one_sided);        // the answers take another way
    emit(event, scene.now);
}

// The SYN/ACK passed the tap, and the client asked again all the same: it was lost on its way, or
// it was still on it.
void Life::judge_answered_before(const Scene& scene, const LifeRecord& syn,
                                 const LifeRecord* syn_ack) {
    Event event = handshake_event(scene, syn);
    add_evidence(scene, event, syn.syn.answer, Role::ack);
    const Nanos lag = elapsed(syn.syn.answer.time, syn.syn.again.time);
    const bool ack_known = syn_ack != nullptr && syn_ack->syn.answer.time != 0;
    Nanos answer_max = kRoundTripDefault;
    if (ack_known) {
        add_evidence(scene, event, syn_ack->syn.answer, Role::ack);
        answer_max = 2 * elapsed(syn_ack->syn.last.time, syn_ack->syn.answer.time) + kAnswerMargin;
    }
    const std::uint8_t echo = ack_known ? syn_ack->bits : 0;
    event.finding.lag = lag;
    // Whoever acknowledges before the SYN/ACK came again had the first one.
    const bool first_arrived = (echo & (kEchoesEarlier | kAnsweredBefore)) != 0;
    const bool in_flight = first_arrived || ((echo & kEchoesLast) == 0 && lag < answer_max);
    if (in_flight) {
        conclude(event.finding, Verdict::spurious_retransmission, Confidence::probable,
                 Rule::ack_just_before, Place::inside_sender);
        event.finding.cause = Cause::early_timer;
        event.finding.cost = 0;
    } else {
        // What was lost is the server's.
        event.direction = direction_of(*scene.flow, syn.side ^ 1);
        event.seq_begin = scene.cold->base[syn.side ^ 1];
        event.seq_end = event.seq_begin + 1;
        event.seq_base = event.seq_begin;
        event.subject[0] = ref_of(scene, syn.syn.answer, Role::original);
        event.subjects_count = 1;
        event.evidence[0] = ref_of(scene, syn.syn.again, Role::syn);
        if (syn_ack != nullptr) {
            event.subject[event.subjects_count++] = ref_of(scene, syn_ack->syn.last, Role::repeat);
        }
        event.repeats_count = syn_ack != nullptr ? syn_ack->count : 0;
        event.since = event.time = syn.syn.answer.time;
        event.time_end =
            std::max({event.time_end, event.time, ack_known ? syn_ack->syn.answer.time : 0});
        event.finding.cost = elapsed(event.time, event.time_end);
        const bool echoed = (echo & kEchoesLast) != 0;
        conclude(event.finding, Verdict::lost_after_tap, Confidence::probable,
                 echoed ? Rule::echo_of_repeat : Rule::receiver_lacked, Place::tap_to_receiver);
        event.finding.excluded.add(Verdict::missed_by_capture);
    }
    emit(event, scene.now);
}

// Answered only after the client had asked again. The SYN/ACK echoes the timestamp of the SYN that
// made the server remember the client.
void Life::judge_answered_after(const Scene& scene, const LifeRecord& syn,
                                const LifeRecord* syn_ack) {
    Event event = handshake_event(scene, syn);
    add_evidence(scene, event, syn.syn.answer, Role::ack);
    Finding& finding = event.finding;
    finding.cost = elapsed(syn.syn.first.time, syn.syn.answer.time);
    if ((syn.bits & kEchoesLast) != 0) {
        conclude(finding, Verdict::lost_after_tap, Confidence::probable, Rule::echo_of_repeat,
                 Place::tap_to_receiver);
        finding.possible.add(Verdict::lost_before_tap);  // SYN cookies: every SYN looks like new
    } else if ((syn.bits & kEchoesEarlier) != 0 && syn_ack != nullptr && syn_ack->count != 0) {
        // Both SYNs were answered, the first one late.
        conclude(finding, Verdict::spurious_retransmission, Confidence::probable,
                 Rule::echo_of_original, Place::inside_sender);
        finding.cause = Cause::early_timer;
        finding.cost = 0;
    } else if ((syn.bits & kEchoesEarlier) != 0) {
        event.direction = direction_of(*scene.flow, syn.side ^ 1);
        event.seq_begin = event.seq_base = scene.cold->base[syn.side ^ 1];
        event.seq_end = event.seq_begin + 1;
        event.subjects_count = 0;
        event.subject[event.subjects_count++] = ref_of(scene, syn.syn.answer, Role::repeat);
        event.evidence_count = 0;
        add_evidence(scene, event, syn.syn.first, Role::syn);
        add_evidence(scene, event, syn.syn.again, Role::syn);
        conclude(finding, Verdict::lost_before_tap, Confidence::probable, Rule::echo_of_original,
                 Place::sender_to_tap);
        finding.possible.add(Verdict::spurious_retransmission);
        finding.possible.add(Verdict::missed_by_capture);
    } else {
        leave_open(finding, {Verdict::lost_after_tap, Verdict::lost_before_tap,
                             Verdict::missed_by_capture, Verdict::spurious_retransmission});
    }
    emit(event, scene.now);
}

// No SYN was repeated, so the server's own timer repeated the SYN/ACK. Never more than probable: a
// server with a full accept queue, or one that waits for data first, repeats it as well.
void Life::settle_syn_ack(const Scene& scene, const LifeRecord& syn_ack) {
    Event event = handshake_event(scene, syn_ack);
    Finding& finding = event.finding;
    add_evidence(scene, event, syn_ack.syn.answer, Role::ack);
    if ((syn_ack.bits & kAnsweredBefore) != 0) {
        const bool syn_seen = (scene.flow->completeness & completeness::kSyn) != 0;
        const Nanos round_trip = elapsed(scene.cold->first, syn_ack.syn.first.time);
        finding.lag = elapsed(syn_ack.syn.answer.time, syn_ack.syn.again.time);
        if (finding.lag > (syn_seen ? 2 * round_trip + kAnswerMargin : kRoundTripDefault)) {
            conclude(finding, Verdict::ack_lost, Confidence::probable, Rule::ack_long_before,
                     Place::tap_to_sender);
        } else {
            conclude(finding, Verdict::spurious_retransmission, Confidence::probable,
                     Rule::ack_just_before, Place::inside_sender);
            finding.cause = Cause::early_timer;
            finding.cost = 0;
        }
    } else if (syn_ack.syn.answer.time == 0) {
        leave_open(finding,
                   {Verdict::lost_after_tap, Verdict::missed_by_capture, Verdict::one_sided});
    } else if ((syn_ack.bits & (kReportsDuplicate | kEchoesEarlier)) != 0) {
        // The client had it; what it answered did not reach the tap.
        const bool reported = (syn_ack.bits & kReportsDuplicate) != 0;
        conclude(finding, Verdict::spurious_retransmission, Confidence::probable,
                 reported ? Rule::dsack : Rule::echo_of_original, Place::receiver_to_tap);
    } else {
        const bool echoed = (syn_ack.bits & kEchoesLast) != 0;
        conclude(finding, Verdict::lost_after_tap, Confidence::probable,
                 echoed ? Rule::echo_of_repeat : Rule::ack_jump, Place::tap_to_receiver);
        if (!echoed) {
            finding.possible.add(Verdict::spurious_retransmission);
        }
    }
    emit(event, scene.now);
}

}  // namespace tw::tcp
