// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/episodes.hpp"

#include <algorithm>
#include <cstring>

#include "core/tcp/local_side.hpp"
#include "core/tcp/options.hpp"
#include "core/tcp/past.hpp"

namespace tw::tcp {
namespace {

namespace bit = flow::half_bit;
namespace flag = decode::tcp_flag;
using event::Event;
using event::EventType;
using event::Resolution;
using flow::Half;

bool has(const decode::Segment& segment, std::uint8_t bits) {
    return (segment.flags & bits) != 0;
}

std::uint32_t sequence_length(const decode::Segment& s) {
    return s.payload_bytes + (has(s, flag::kSyn) ? 1 : 0) + (has(s, flag::kFin) ? 1 : 0);
}

void set_bit(Half& half, std::uint8_t mask, bool on) {
    half.bits = static_cast<std::uint8_t>(on ? half.bits | mask : half.bits & ~mask);
}

}  // namespace

Episodes::Episodes(const Options& options, const History& history, event::Outbox& outbox,
                   stats::Counters& counters)
    : history_(history),
      records_(options.records_max, options.backing),
      holes_(options.holes_max, options.backing),
      cases_(options.cases_max, options.backing),
      direction_skew_(options.direction_skew),
      outbox_(outbox),
      counters_(counters) {}

std::size_t Episodes::memory_bytes(const Options& options) {
    return std::size_t{options.records_max} * Pool<EpisodeRecord>::bytes_per_record() +
           std::size_t{options.holes_max} * Pool<Hole>::bytes_per_record() +
           std::size_t{options.cases_max} * Pool<Case>::bytes_per_record();
}

EpisodeRecord* Episodes::record(const Scene& scene, bool create) {
    flow::ColdFlow& cold = *scene.cold;
    if (cold.episodes == 0 && create) {
        cold.episodes = records_.take() & flow::kEpisodesIndexMax;
        if (cold.episodes == 0) {
            counters_.add(stats::Counter::details_exhausted);
            scene.flow->bits |= flow::flow_bit::kDetailsLost;
            return nullptr;
        }
        records_[cold.episodes] = EpisodeRecord{};
    }
    return cold.episodes == 0 ? nullptr : &records_[cold.episodes];
}

void Episodes::observe(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                       FlagSet flags) {
    if (has(segment, flag::kRst)) {
        return;  // its numbers need not belong to the stream
    }
    if (EpisodeRecord* episodes = record(scene, false)) {
        for (std::uint8_t side = 0; side < 2; ++side) {
            conclude_due(scene, side, episodes->side[side]);
            report_waited(scene, side, episodes->side[side]);
        }
    }
    observe_data(scene, segment, sender, flags);
    if (has(segment, flag::kAck)) {
        observe_ack(scene, segment, sender ^ 1, flags);
    }
    if (const EpisodeRecord* episodes = record(scene, false)) {
        const bool active = episodes->side[0].active() || episodes->side[1].active();
        scene.flow->bits =
            static_cast<std::uint8_t>(active ? scene.flow->bits | flow::flow_bit::kEpisodes
                                             : scene.flow->bits & ~flow::flow_bit::kEpisodes);
        release_blank(scene, *episodes);
    }
}

// Records are few: one is kept only while there is something to remember.
void Episodes::release_blank(const Scene& scene, const EpisodeRecord& episodes) {
    if (episodes.side[0].blank() && episodes.side[1].blank()) {
        records_.give_back(scene.cold->episodes);
        scene.cold->episodes = 0;
    }
}

void Episodes::observe_data(const Scene& scene, const decode::Segment& s, std::uint8_t sender,
                            FlagSet flags) {
    Half& me = scene.flow->half[sender];
    const Range range{s.seq, s.seq + sequence_length(s)};
    const std::uint32_t seen_before = me.seen_end;
    const bool other_isn = has(s, flag::kSyn) && flags.has(Flag::reused_ports);
    if ((me.bits & bit::kSeen) == 0 || other_isn) {
        if (EpisodeRecord* episodes = record(scene, false)) {
            close_half(scene, sender, episodes->side[sender]);
        }
        set_bit(me, bit::kSeen, true);
        scene.cold->seen_begin[sender] = range.begin;
        me.seen_end = range.end;
    } else if (after(range.begin, me.seen_end)) {
        if (distance(me.seen_end, range.begin) > kJumpMax) {
            counters_.add(stats::Counter::sequence_jumps);
            scene.cold->seen_begin[sender] = range.begin;
        } else {
            open_hole(scene, sender, {me.seen_end, range.begin}, false);
        }
        me.seen_end = range.end;
    } else if (range.begin == me.seen_end) {
        me.seen_end = range.end;
    } else if (distance(range.begin, me.seen_end) > kJumpMax) {
        counters_.add(stats::Counter::sequence_jumps);
    } else if (range.begin != range.end) {
        observe_behind(scene, s, sender, flags, range);
    }
    if (flags.has(Flag::zero_window_probe)) {
        set_bit(me, bit::kProbeTail, me.seen_end == range.end);
    } else if (me.seen_end != seen_before) {
        set_bit(me, bit::kProbeTail, false);
    }
}

// A segment that begins below seen_end: it may fill holes, repeat what was captured, reach below
// the first captured byte, and end beyond seen_end, all at once.
void Episodes::observe_behind(const Scene& scene, const decode::Segment& s, std::uint8_t sender,
                              FlagSet flags, Range range) {
    Half& me = scene.flow->half[sender];
    std::uint32_t& seen_begin = scene.cold->seen_begin[sender];
    Range old{range.begin, at_or_before(range.end, me.seen_end) ? range.end : me.seen_end};
    if (after(seen_begin, old.begin)) {
        const std::uint32_t first = seen_begin;
        seen_begin = old.begin;
        old.begin = after(first, old.end) ? old.end : first;
    }
    std::uint32_t repeated = distance(old.begin, old.end);
    repeated -= captured_first(scene, sender, old);
    const bool probe_again =
        (me.bits & bit::kProbeTail) != 0 && old.begin == me.seen_end - 1 && repeated == 1;
    // A SYN again is a matter of the handshake (core/tcp/life).
    const bool syn_alone = has(s, flag::kSyn) && s.payload_bytes == 0;
    if (repeated != 0 && !probe_again && !syn_alone && !flags.has(Flag::keep_alive)) {
        add_repeat(scene, sender, old, std::min(repeated, s.payload_bytes));
    }
    if (after(range.end, me.seen_end)) {
        me.seen_end = range.end;
    }
}

void Episodes::observe_ack(const Scene& scene, const decode::Segment& s, std::uint8_t owner,
                           FlagSet flags) {
    Half& half = scene.flow->half[owner];
    if ((half.bits & bit::kSeen) == 0) {
        return;
    }
    if (after(s.ack, half.seen_end)) {
        if (distance(half.seen_end, s.ack) > kJumpMax) {
            counters_.add(stats::Counter::sequence_jumps);
            return;
        }
        open_hole(scene, owner, {half.seen_end, s.ack}, true);
        half.seen_end = s.ack;
    }
    EpisodeRecord* episodes = record(scene, false);
    if (episodes == nullptr) {
        return;
    }
    HalfEpisodes& mine = episodes->side[owner];
    if (!mine.active()) {
        return;
    }
    OptionFacts options;
    if (s.options_bytes != 0) {
        options = read_options(s, scene.cold->base[owner]);
    }
    mine.sacks |= options.sack_count != 0;
    if (mine.holes_head != 0) {
        note_asks(scene, mine, s, options, flags);
        acknowledge(scene, mine, {holes_[mine.holes_head].begin, s.ack}, false);
        for (std::uint32_t i = 0; i < options.sack_count; ++i) {
            acknowledge(scene, mine, {options.sack[i].left, options.sack[i].right}, true);
        }
        report_waited(scene, owner, mine);
        wake_for_waiting(scene, owner, mine);
    }
    answer_cases(scene, mine, s, options);
}

// ---- reports ----------------------------------------------------------------------------------

Event Episodes::event_of(const Scene& scene, std::uint8_t owner, EventType type) const {
    Event event;
    event.type = type;
    event.direction = direction_of(*scene.flow, owner);
    event.tap = static_cast<std::uint8_t>(scene.flow->tap);
    event.flow = name_of(*scene.table, scene.slot, *scene.flow, *scene.cold);
    event.seq_base = scene.cold->base[owner];
    event.seq_base_known = (scene.flow->half[owner].bits & bit::kBaseSet) != 0;
    return event;
}

void Episodes::report_hole(const Scene& scene, std::uint8_t owner, const Hole& hole,
                           Resolution resolution) {
    using event::Role;
    Event event = event_of(scene, owner, EventType::hole);
    const bool missed = resolution == Resolution::acknowledged_unseen;
    const Nanos seen_last = std::max(scene.flow->half[0].ack_time, scene.flow->half[1].ack_time);
    event.resolution = resolution;
    event.since = hole.since.before(hole.opened.time);
    event.time = hole.opened.time;
    event.time_end = missed ? hole.acked.time : seen_last;
    event.seq_begin = hole.begin;
    event.seq_end = hole.end;
    event.bytes = distance(hole.begin, hole.end);
    const Half& sender = scene.flow->half[owner];
    event.fin_possible = missed && hole.end == sender.seen_end && (sender.bits & bit::kFin) == 0;
    HalfEpisodes& half = records_[scene.cold->episodes].side[owner];
    event.subject[event.subjects_count++] = {hole.opened.frame, hole.opened.time, event.tap,
                                             !hole.by_data     ? Role::ack
                                             : hole.opener_fin ? Role::fin
                                                               : Role::opener};
    if (missed) {
        event.evidence[event.evidence_count++] = {hole.acked.frame, hole.acked.time, event.tap,
                                                  hole.by_sack ? Role::sack : Role::ack};
        event.finding = judge_missed(hole.by_sack);
    } else {
        event.finding =
            resolution == Resolution::never ? judge_unfilled(scene, owner, hole) : judge_limit();
        place_in_host(scene, owner, event.finding);
    }
    if (hole.asked != 0) {
        // A request for a lower number leaves this hole out by SACK.
        const Role role = hole.ask_number == hole.begin ? Role::dup_ack
                          : half.sacks                  ? Role::sack
                                                        : Role::none;
        event.evidence[event.evidence_count++] = {hole.ask.frame, hole.ask.time, event.tap, role};
    }
    if (missed || resolution == Resolution::never) {
        half.missing_bytes += event.bytes;
    }
    outbox_.emit(event, counters_);
}

// Where the tap sits inside a host, what happened between the two happened inside it.
void Episodes::place_in_host(const Scene& scene, std::uint8_t owner,
                             event::Finding& finding) const {
    const bool beside = finding.place == event::Place::sender_to_tap ||
                        finding.place == event::Place::tap_to_receiver ||
                        finding.place == event::Place::receiver_to_tap ||
                        finding.place == event::Place::tap_to_sender;
    const Sighting* const latest =
        history_.latest(*scene.flow, History::owner_of(scene.slot, scene.table->v6()));
    if (beside && latest != nullptr) {
        finding.place = place_with_local_side(
            finding.place, owner, local_side(history_, *latest, *scene.table, scene.slot));
    }
}

// Still open when the connection ends.
event::Finding Episodes::judge_unfilled(const Scene& scene, std::uint8_t owner, const Hole& hole) {
    const HalfEpisodes& half = records_[scene.cold->episodes].side[owner];
    const Half& sender = scene.flow->half[owner];
    const Half& receiver = scene.flow->half[owner ^ 1];
    OpenFacts facts;
    facts.path = path_times(scene, owner);
    facts.bytes = distance(hole.begin, hole.end);
    facts.asked = hole.asked;
    facts.asked_for =
        hole.asked != 0 ? std::max(sender.ack_time, receiver.ack_time) - hole.ask.time : 0;
    facts.sender_went_on =
        hole.asked != 0 && sender.ack_time > hole.ask.time + facts.path.to_sender;
    facts.sender_closed = (sender.bits & bit::kFin) != 0;
    facts.fin_opened = hole.opener_fin;
    facts.fins_repeated = half.fin_repeats;
    facts.others_refilled = half.resent_time > hole.opened.time;
    facts.receiver_heard = receiver.ack_time > hole.opened.time;
    return judge_open(facts);
}

std::array<std::uint64_t, 2> Episodes::close(const Scene& scene) {
    EpisodeRecord* episodes = record(scene, false);
    if (episodes == nullptr) {
        return {};
    }
    std::array<std::uint64_t, 2> missing{};
    for (std::uint8_t side = 0; side < 2; ++side) {
        close_half(scene, side, episodes->side[side]);
        missing[side] = episodes->side[side].missing_bytes;
    }
    records_.give_back(scene.cold->episodes);
    scene.cold->episodes = 0;
    scene.flow->bits &= static_cast<std::uint8_t>(~flow::flow_bit::kEpisodes);
    return missing;
}

void Episodes::close_half(const Scene& scene, std::uint8_t owner, HalfEpisodes& half) {
    while (half.cases_head != 0) {
        conclude(scene, owner, half.cases_head, false);
    }
    if (half.timer != 0) {
        unlink_due(cases_[half.timer]);
        cases_.give_back(half.timer);
        half.timer = 0;
    }
    while (half.holes_head != 0) {
        const Hole& hole = holes_[half.holes_head];
        report_hole(scene, owner, hole,
                    hole.acknowledged ? Resolution::acknowledged_unseen : Resolution::never);
        drop(half, &half.holes_head);
    }
}

event::Direction direction_of(const flow::Flow& flow, std::uint8_t side) {
    const std::uint8_t client = (flow.bits & flow::flow_bit::kClientSide) != 0 ? 1 : 0;
    return side == client ? event::Direction::c2s : event::Direction::s2c;
}

event::FlowName name_of(const flow::FlowTable& table, std::uint32_t slot, const flow::Flow& flow,
                        const flow::ColdFlow& cold) {
    const std::uint8_t client = (flow.bits & flow::flow_bit::kClientSide) != 0 ? 1 : 0;
    event::FlowName name;
    name.stream = cold.stream;
    event::FlowName* const out = &name;
    const auto fill_in = [&](const auto& key) {
        for (std::uint8_t side = 0; side < 2; ++side) {
            (side == client ? out->client : out->server) = flow::endpoint_of(key, side);
        }
    };
    if (table.v6()) {
        fill_in(table.key_v6(slot));
    } else {
        fill_in(flow.key_v4);
    }
    return name;
}

}  // namespace tw::tcp
