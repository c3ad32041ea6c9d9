// SPDX-License-Identifier: BSD-3-Clause
// Cases: filled parts of holes, and bytes sent again. Facts are gathered when they show and for a
// while after, since the receiver may yet report a duplicate; then the case is judged and leaves.
#include <algorithm>

#include "core/tcp/episodes.hpp"
#include "core/tcp/past.hpp"

namespace tw::tcp {
namespace {

using event::Event;
using event::EventType;
using event::FrameRef;
using event::Resolution;
using event::Role;

static_assert(EventType::repeat > EventType::hole, "a repeat explains a duplicate before a filler");

Order order_of(std::uint32_t number, std::uint32_t other) {
    return number == other ? Order::same : after(number, other) ? Order::later : Order::earlier;
}

Moment moment_of(const Sighting& sighting) {
    return {sighting.time, sighting.frame};
}

// Bytes that two ranges share.
std::uint32_t shared(Range one, Range other) {
    if (at_or_before(one.end, other.begin) || at_or_before(other.end, one.begin)) {
        return 0;
    }
    return distance(after(one.begin, other.begin) ? one.begin : other.begin,
                    after(one.end, other.end) ? other.end : one.end);
}

bool same_story(const FillFacts& one, const FillFacts& other) {
    return one.by_timestamp == other.by_timestamp && one.by_ack == other.by_ack &&
           one.by_ip_id == other.by_ip_id && one.after_ack == other.after_ack;
}

bool same_story(const RepeatFacts& one, const RepeatFacts& other) {
    return one.kind == other.kind &&
           (one.kind != RepeatKind::copy || copied_late(one) == copied_late(other));
}

// The newest SACK block (RFC 2018 section 4: the first) holds what was sent again.
bool first_sacked(const OptionFacts& options, const Case& repeat) {
    return options.sack_count != 0 && at_or_before(options.sack[0].left, repeat.range.begin) &&
           at_or_before(repeat.first_end, options.sack[0].right);
}

// The first copy of bytes sent again.
void note_original(const Sighting& original, const Sighting& seen, Nanos now, Case& repeat) {
    repeat.original = moment_of(original);
    repeat.original_tsval = original.tsval;
    repeat.first_tsval = repeat.last_tsval = seen.tsval;
    repeat.timed = original.has_timestamps != 0 && seen.has_timestamps != 0;
    repeat.repeat.apart = now - original.time;
    repeat.repeat.ttl_differs = original.ttl == seen.ttl + 1;
    repeat.repeat.alike = same_frame(original, seen);
    repeat.repeat.named = seen.v6 == 0 && seen.ip_id != 0;
}

// The ACK that had covered them before.
void note_covering(const Sighting& covering, const Sighting& seen, Nanos now, Case& repeat) {
    repeat.ack = moment_of(covering);
    repeat.repeat.ack_lag = now - covering.time;
    if (seen.has_timestamps != 0 && covering.has_timestamps != 0 &&
        seen.has(decode::tcp_flag::kAck)) {
        repeat.repeat.echo = order_of(seen.tsecr, covering.tsval);
    }
}

}  // namespace

// Looked for anew where no case waits: in a row of them little would change.
PathTimes Episodes::path_times(const Scene& scene, std::uint8_t owner) const {
    const EpisodeRecord& episodes = records_[scene.cold->episodes];
    const bool look = episodes.side[owner].cases_head == 0;
    const auto trip = [&](std::uint8_t side) {
        flow::Half& half = scene.flow->half[side];
        const Sighting* const latest = look || half.rtt_code == 0 ? sighting(scene) : nullptr;
        const std::uint8_t code = latest != nullptr
                                      ? rtt_code(round_trip_seen(history_, *latest, side))
                                      : std::uint8_t{0};
        if (code != 0 && (half.rtt_code == 0 || code < half.rtt_code)) {
            half.rtt_code = code;
        }
        return rtt_of(half.rtt_code);
    };
    return {trip(owner), trip(owner ^ 1)};
}

// The largest segment of this direction that R acknowledged, among the latest: what dies only above
// a size (a path MTU) shows against it.
std::uint32_t Episodes::delivered_before(const Scene& scene, std::uint8_t owner) const {
    constexpr std::uint32_t kSteps = 64;
    const auto ack = acknowledged_up_to(
        history_, *scene.flow, History::owner_of(scene.slot, scene.table->v6()), owner ^ 1);
    std::uint32_t largest = 0;
    const Sighting* at = sighting(scene);
    for (std::uint32_t i = 0; ack && at != nullptr && i < kSteps; ++i) {
        if (at->sender == owner && at_or_before(at->end(), *ack)) {
            largest = std::max<std::uint32_t>(largest, at->payload_bytes);
        }
        at = history_.before(*at);
    }
    return largest;
}

void Episodes::add_fill(const Scene& scene, std::uint8_t owner, HalfEpisodes& half,
                        const Hole& hole, Range part) {
    const Sighting* const filler = sighting(scene);
    Case fill{};
    fill.type = EventType::hole;
    fill.resolution = hole.acknowledged ? Resolution::filled_after_ack : Resolution::filled;
    fill.range = part;
    fill.since = hole.since;
    fill.first = hole.opened;
    fill.last = {scene.now, scene.frame};
    fill.ack = hole.acknowledged ? hole.acked : Moment{};
    fill.ask = hole.asked != 0 ? hole.ask : Moment{};
    fill.fill.path = path_times(scene, owner);
    fill.fill.after_ack = hole.acknowledged;
    fill.fill.asked = hole.asked;
    fill.fill.lag = scene.now - hole.opened.time;
    fill.segment_bytes = filler != nullptr ? filler->payload_bytes : 0;
    fill.fill.since_ask = hole.asked != 0 ? scene.now - hole.ask.time : kNever;
    if (filler != nullptr && hole.by_data) {
        if (filler->has_timestamps != 0 && hole.opener_timed) {
            fill.fill.by_timestamp = order_of(filler->tsval, hole.opener_tsval);
        }
        fill.fill.by_ack = order_of(filler->ack, hole.opener_ack);
        fill.fill.by_ip_id = order_by_ip_id(history_, *filler, hole.opener_ip_id);
    }
    if (fill.fill.by_timestamp == Order::later) {
        half.resent_time = scene.now;
    }
    for (std::uint32_t index = half.cases_head; index != 0; index = cases_[index].next) {
        Case& known = cases_[index];
        // One hole that closes piece by piece; or one direction that the capture has late, where
        // each ACK opens a hole behind the last.
        const bool one_hole =
            known.first.time == hole.opened.time && known.first.frame == hole.opened.frame;
        if (known.type == EventType::hole && known.range.end == part.begin &&
            (one_hole || known.fill.after_ack) && same_story(known.fill, fill.fill) &&
            known.dsack.time == 0) {
            known.range.end = part.end;
            known.last = fill.last;
            known.fill.lag = std::max(known.fill.lag, fill.fill.lag);
            known.segment_bytes = std::max(known.segment_bytes, fill.segment_bytes);
            return;
        }
    }
    append_case(scene, owner, half, fill);
}

bool Episodes::sent_before(const Sighting& one, const Sighting& other) const {
    if (one.has_timestamps != 0 && other.has_timestamps != 0 && one.tsval != other.tsval) {
        return after(other.tsval, one.tsval);
    }
    // Cards that cut up large segments count in steps of 256 (TCPRS traces): what was overtaken is
    // close to what overtook it, and earlier than the frame captured just before it, too.
    constexpr std::uint16_t kNear = 64;
    const Sighting* const latest = before_of_sender(history_, one);
    return latest != nullptr && static_cast<std::uint16_t>(other.ip_id - one.ip_id) < kNear &&
           static_cast<std::uint16_t>(latest->ip_id - one.ip_id) < kNear &&
           order_by_ip_id(history_, one, other.ip_id) == Order::earlier;
}

void Episodes::add_repeat(const Scene& scene, std::uint8_t owner, Range range,
                          std::uint32_t payload) {
    EpisodeRecord* episodes = record(scene, true);
    const Sighting* const seen = sighting(scene);
    if (episodes == nullptr || seen == nullptr) {
        return;
    }
    HalfEpisodes& half = episodes->side[owner];
    const bool fin_alone = payload == 0 && seen->has(decode::tcp_flag::kFin);
    half.fin_repeats += fin_alone ? 1 : 0;
    const flow::Half& receiver = scene.flow->half[owner ^ 1];
    const auto ack = acknowledged_up_to(
        history_, *scene.flow, History::owner_of(scene.slot, scene.table->v6()), owner ^ 1);
    const bool covered = ack && at_or_before(range.end, *ack);
    const RepeatPast past = past_of_repeat(history_, *seen, covered);
    // Where ACKs overtake each other the latest need not be the highest.
    const bool acknowledged = covered || past.covering != nullptr;
    Case repeat{};
    repeat.type = EventType::repeat;
    repeat.resolution = Resolution::never;
    repeat.range = range;
    repeat.since = Lead(std::max(receiver.ack_time, scene.cold->first), scene.now);
    repeat.bytes = payload;
    repeat.first = repeat.last = {scene.now, scene.frame};
    repeat.first_end = range.end;
    repeat.behind_hole = fin_alone && half.holes_head != 0;
    repeat.segment_bytes = seen->payload_bytes;
    repeat.stopped = ack && at_or_before(range.begin, *ack);
    // R's ACK may also be merely delayed: it is held up only where something below is missing.
    repeat.held_up = !repeat.stopped && missing_below(half, range.begin);
    repeat.ask = past.ask != nullptr ? moment_of(*past.ask) : Moment{};
    RepeatFacts& facts = repeat.repeat;
    facts.path = path_times(scene, owner);
    facts.asked = past.asked;
    facts.bytes = std::max(payload, 1U);
    const Sighting* const original = past.original;
    if (original != nullptr) {
        note_original(*original, *seen, scene.now, repeat);
    }
    const bool late = original != nullptr && !facts.alike && sent_before(*seen, *original);
    if (facts.alike && is_one_frame(*original, *seen, facts.path.to_sender, past.asked != 0)) {
        facts.kind = RepeatKind::copy;
        facts.doubled = tell_doubled(half, range);
    } else if (late) {
        facts.kind = RepeatKind::overtaken;
    } else if (acknowledged) {
        facts.kind = RepeatKind::acknowledged;
        if (past.covering != nullptr) {
            note_covering(*past.covering, *seen, scene.now, repeat);
        }
    } else if (past.sacked != nullptr) {
        facts.kind = RepeatKind::sacked;
        repeat.ack = moment_of(*past.sacked);
        facts.ack_lag = scene.now - past.sacked->time;
    }
    if (facts.kind != RepeatKind::copy) {
        tell_fills(half, range, late);
    }
    if (acknowledged) {
        repeat.resolution = Resolution::acknowledged_before;
        repeat.due = scene.now + kEvidenceWait;
    }
    half.resent_time = payload != 0 ? scene.now : half.resent_time;
    if (!extend_repeat(scene, half, repeat)) {
        append_case(scene, owner, half, repeat);
    }
}

// Whether bytes below `begin` are under repair: R's ACK cannot pass them.
bool Episodes::missing_below(const HalfEpisodes& half, std::uint32_t begin) const {
    if (half.holes_head != 0) {
        return true;
    }
    for (std::uint32_t index = half.cases_head; index != 0; index = cases_[index].next) {
        const Case& known = cases_[index];
        if (known.type == EventType::repeat && !known.repeat.answered &&
            at_or_before(known.range.begin, begin) && known.range.begin != begin) {
            return true;
        }
    }
    return false;
}

// What closed a hole came once more: the original, late, or yet another copy.
void Episodes::tell_fills(const HalfEpisodes& half, Range again, bool late) {
    for (std::uint32_t index = half.cases_head; index != 0; index = cases_[index].next) {
        FillFacts& fill = cases_[index].fill;
        if (shared(cases_[index].range, again) != 0) {
            fill.original_came |= late;
            fill.repeated = true;
        }
    }
}

// A copy of what closed a hole, or was a repeat: whether it is of one still under judgement, which
// is told. R's report of a duplicate may then be about either.
bool Episodes::tell_doubled(const HalfEpisodes& half, Range copy) {
    bool any = false;
    for (std::uint32_t index = half.cases_head; index != 0; index = cases_[index].next) {
        Case& known = cases_[index];
        const bool is_copy =
            known.type == EventType::repeat && known.repeat.kind == RepeatKind::copy;
        if (!is_copy && shared(known.range, copy) != 0) {
            known.fill.doubled = known.repeat.doubled = true;
            any = true;
        }
    }
    return any;
}

// One case as long as the bytes follow each other, or come once more, and mean the same.
bool Episodes::extend_repeat(const Scene& scene, HalfEpisodes& half, const Case& more) {
    for (std::uint32_t index = half.cases_head; index != 0; index = cases_[index].next) {
        Case& known = cases_[index];
        const bool follows = known.range.end == more.range.begin;
        const bool within = at_or_before(known.range.begin, more.range.begin) &&
                            at_or_before(more.range.end, known.range.end);
        if (known.type != EventType::repeat || !same_story(known.repeat, more.repeat) ||
            known.resolution != more.resolution || !(follows || within) || known.dsack.time != 0) {
            continue;
        }
        known.range.end = follows ? more.range.end : known.range.end;
        known.bytes += more.bytes;
        known.repeat.bytes += more.repeat.bytes;
        known.repeat.alike |= more.repeat.alike;
        known.segment_bytes = std::max(known.segment_bytes, more.segment_bytes);
        ++known.repeat.segments;
        known.last = {scene.now, scene.frame};
        known.last_tsval = more.last_tsval;
        known.repeat.ttl_differs &= more.repeat.ttl_differs;
        known.repeat.asked = std::max(known.repeat.asked, more.repeat.asked);
        known.ask = known.ask.time == 0 ? more.ask : known.ask;
        if (known.due != 0) {
            unlink_due(known);
            wait_for_evidence(index, scene.now + kEvidenceWait);
        }
        return true;
    }
    return false;
}

void Episodes::append_case(const Scene& scene, std::uint8_t owner, HalfEpisodes& half,
                           const Case& added) {
    if (half.cases_count == kCasesPerHalf) {
        counters_.add(stats::Counter::cases_exhausted);
        // What is resolved is judged without the rest of its wait, else nothing is claimed.
        conclude(scene, owner, half.cases_head, cases_[half.cases_head].due == 0);
    }
    const std::uint32_t index = cases_.take();
    if (index == 0) {
        counters_.add(stats::Counter::cases_exhausted);
        scene.flow->bits |= flow::flow_bit::kDetailsLost;
        return;
    }
    std::uint32_t* link = &half.cases_head;
    while (*link != 0) {
        link = &cases_[*link].next;
    }
    *link = index;
    ++half.cases_count;
    Case& kept = cases_[index];
    kept = added;
    kept.delivered_bytes = delivered_before(scene, owner);
    kept.next = 0;
    kept.side = owner;
    kept.owner = History::owner_of(scene.slot, scene.table->v6());
    if (kept.type == EventType::hole || kept.due != 0) {
        wait_for_evidence(index, scene.now + kEvidenceWait);
    }
}

// R has bytes twice: the latest repeat of them was not needed; where none was captured, a copy came
// that the capture missed.
void Episodes::note_duplicate(HalfEpisodes& half, Range reported, Moment dsack) {
    Case* latest = nullptr;
    for (std::uint32_t index = half.cases_head; index != 0; index = cases_[index].next) {
        Case& known = cases_[index];
        if (shared(known.range, reported) != 0 &&
            (latest == nullptr || known.type > latest->type ||
             (known.type == latest->type && known.last.time >= latest->last.time))) {
            latest = &known;
        }
    }
    if (latest == nullptr) {
        return;
    }
    latest->dsack = dsack;
    if (latest->type == EventType::repeat) {
        latest->repeat.dsacked += shared(latest->range, reported);
    } else {
        latest->fill.dsack = true;
    }
}

// A segment of the receiver: which cases does it settle, what does it say of them?
void Episodes::answer_cases(const Scene& scene, HalfEpisodes& half, const decode::Segment& s,
                            const OptionFacts& options) {
    const Sighting* const seen = sighting(scene);
    if (seen == nullptr) {
        return;
    }
    const bool dsack = seen->is_dsack != 0 && options.sack_count != 0;
    const Range reported = dsack ? Range{options.sack[0].left, options.sack[0].right} : Range{};
    half.reports |= dsack;
    if (dsack) {
        note_duplicate(half, reported, {scene.now, scene.frame});
    }
    for (std::uint32_t index = half.cases_head; index != 0; index = cases_[index].next) {
        Case& waiting = cases_[index];
        if (waiting.type != EventType::repeat) {
            continue;
        }
        RepeatFacts& facts = waiting.repeat;
        facts.reports = half.reports;
        facts.receiver_heard |= scene.now - waiting.first.time > facts.path.to_receiver;
        // R stood at these bytes, or took them out of order only now: it lacked them.
        waiting.stopped |=
            s.ack == waiting.range.begin || (!dsack && first_sacked(options, waiting));
        if (!facts.answered && at_or_before(waiting.first_end, s.ack)) {
            facts.answered = true;
            facts.passed_over = waiting.held_up && !waiting.stopped;
            facts.reported_at_once = dsack && shared(waiting.range, reported) != 0;
            facts.answer_lag = scene.now - waiting.first.time;
            if (waiting.stopped && waiting.timed && seen->has_timestamps != 0 &&
                waiting.first_tsval != waiting.original_tsval) {
                facts.echoes_repeat =
                    seen->tsecr == waiting.first_tsval || seen->tsecr == waiting.last_tsval;
                facts.echoes_original = seen->tsecr == waiting.original_tsval;
            }
        }
        if (waiting.due == 0 && at_or_before(waiting.range.end, s.ack)) {
            waiting.resolution = Resolution::acknowledged;
            waiting.ack = {scene.now, scene.frame};
            wait_for_evidence(index, scene.now + kEvidenceWait);
        }
    }
}

}  // namespace tw::tcp
