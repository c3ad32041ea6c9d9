// SPDX-License-Identifier: BSD-3-Clause
// Cases that wait for what the receiver may still say: by when each is due, and how it is judged
// and reported then.
#include <algorithm>

#include "core/tcp/episodes.hpp"

namespace tw::tcp {
namespace {

using event::Event;
using event::EventType;
using event::Resolution;
using event::Role;

void add_evidence(Event& event, const Moment& moment, Role role) {
    if (moment.time != 0 && event.evidence_count < Event::kEvidenceMax) {
        event.evidence[event.evidence_count++] = {moment.frame, moment.time, event.tap, role};
    }
}

}  // namespace

void Episodes::wait_for_evidence(std::uint32_t index, Nanos due) {
    Case& waiting = cases_[index];
    waiting.due = due;
    waiting.due_next = 0;
    waiting.due_previous = due_tail_;
    (due_tail_ != 0 ? cases_[due_tail_].due_next : due_head_) = index;
    due_tail_ = index;
}

void Episodes::unlink_due(Case& waiting) {
    (waiting.due_previous != 0 ? cases_[waiting.due_previous].due_next : due_head_) =
        waiting.due_next;
    (waiting.due_next != 0 ? cases_[waiting.due_next].due_previous : due_tail_) =
        waiting.due_previous;
}

// So that what the capture missed is told soon, also of a connection that fell silent.
void Episodes::wake_for_waiting(const Scene& scene, std::uint8_t owner, HalfEpisodes& half) {
    if (half.waiting_count == 0 || half.timer != 0) {
        return;
    }
    half.timer = cases_.take();
    if (half.timer == 0) {
        counters_.add(stats::Counter::cases_exhausted);
        return;  // the next segment, or the end of the connection, tells
    }
    Case& timer = cases_[half.timer];
    timer = Case{};
    timer.timer = true;
    timer.side = owner;
    timer.owner = History::owner_of(scene.slot, scene.table->v6());
    // At least a little: where time runs backwards a hole may wait on.
    const Nanos skew = direction_skew_[scene.flow->tap % kTapsMax];
    wait_for_evidence(half.timer, scene.now + std::max(skew, kMillisecond));
}

void Episodes::tick(flow::FlowTable* tables, Nanos now) {
    while (due_head_ != 0 && cases_[due_head_].due <= now) {
        const std::uint32_t index = due_head_;
        Case& waiting = cases_[index];
        constexpr std::uint32_t kV6 = 1U << 31;
        flow::FlowTable& table = tables[(waiting.owner & kV6) != 0];
        const std::uint32_t slot = waiting.owner & ~kV6;
        const Scene scene{&table, slot, &table.flow(slot), &table.cold(slot), now, 0, 0};
        const std::uint8_t side = waiting.side;
        if (!waiting.timer) {
            conclude(scene, side, index, false);
            continue;
        }
        unlink_due(waiting);
        cases_.give_back(index);
        HalfEpisodes& half = records_[scene.cold->episodes].side[side];
        half.timer = 0;
        report_waited(scene, side, half);
        wake_for_waiting(scene, side, half);
    }
}

// Before a segment is looked at: when tick() comes must not change what a case learns.
void Episodes::conclude_due(const Scene& scene, std::uint8_t owner, const HalfEpisodes& half) {
    for (std::uint32_t index = half.cases_head; index != 0;) {
        const Case& waiting = cases_[index];
        const std::uint32_t next = waiting.next;
        if (waiting.due != 0 && waiting.due <= scene.now) {
            conclude(scene, owner, index, false);
        }
        index = next;
    }
}

void Episodes::remove_case(const Scene& scene, std::uint8_t owner, std::uint32_t index) {
    HalfEpisodes& half = records_[scene.cold->episodes].side[owner];
    Case& leaving = cases_[index];
    if (leaving.due != 0) {
        unlink_due(leaving);
    }
    std::uint32_t* link = &half.cases_head;
    while (*link != index) {
        link = &cases_[*link].next;
    }
    *link = leaving.next;
    --half.cases_count;
    cases_.give_back(index);
}

void Episodes::conclude(const Scene& scene, std::uint8_t owner, std::uint32_t index,
                        bool cut_short) {
    const Case& done = cases_[index];
    if (done.behind_hole && !done.repeat.answered &&
        records_[scene.cold->episodes].side[owner].holes_head != 0) {
        // No ACK could cover it before the hole below: what happened is the hole's story.
        remove_case(scene, owner, index);
        return;
    }
    Event event = event_of(scene, owner, done.type);
    const bool hole = done.type == EventType::hole;
    event.resolution = done.resolution;
    event.since = done.since.before(done.first.time);
    event.time = done.first.time;
    event.time_end =
        hole || done.resolution != Resolution::acknowledged ? done.last.time : done.ack.time;
    event.seq_begin = done.range.begin;
    event.seq_end = done.range.end;
    event.bytes = hole ? distance(done.range.begin, done.range.end) : done.bytes;
    event.subject[event.subjects_count++] = {done.first.frame, done.first.time, event.tap,
                                             hole ? Role::opener : Role::repeat};
    if (hole) {
        add_evidence(event, done.last, Role::filler);
        add_evidence(event, done.ack, Role::ack);
    } else {
        event.repeats_count = done.repeat.segments;
        if (done.repeat.segments > 1) {
            event.subject[event.subjects_count++] = {done.last.frame, done.last.time, event.tap,
                                                     Role::repeat};
        }
        add_evidence(event, done.ack,
                     done.repeat.kind == RepeatKind::sacked ? Role::sack : Role::ack);
        add_evidence(event, done.original, Role::original);
    }
    add_evidence(event, done.ask, Role::dup_ack);
    add_evidence(event, done.dsack, Role::dsack);
    event.finding = cut_short ? judge_cut_short()
                    : hole    ? judge_fill(done.fill)
                              : judge_repeat(done.repeat);
    event.finding.segment_bytes = done.segment_bytes;
    event.finding.delivered_bytes = done.delivered_bytes;
    place_in_host(scene, owner, event.finding);
    remove_case(scene, owner, index);
    outbox_.emit(event, counters_);
}

}  // namespace tw::tcp
