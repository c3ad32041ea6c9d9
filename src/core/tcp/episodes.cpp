// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/episodes.hpp"

#include <algorithm>
#include <cstring>

#include "core/tcp/options.hpp"

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

Episodes::Episodes(const Options& options, event::Outbox& outbox, stats::Counters& counters)
    : records_(options.records_max, options.backing),
      holes_(options.holes_max, options.backing),
      direction_skew_(options.direction_skew),
      outbox_(outbox),
      counters_(counters) {}

std::size_t Episodes::memory_bytes(const Options& options) {
    return std::size_t{options.records_max} * Pool<EpisodeRecord>::bytes_per_record() +
           std::size_t{options.holes_max} * Pool<Hole>::bytes_per_record();
}

EpisodeRecord* Episodes::record(const Scene& scene, bool create) {
    flow::ColdFlow& cold = *scene.cold;
    if (cold.episodes == 0 && create) {
        cold.episodes = records_.take();
        if (cold.episodes == 0) {
            counters_.add(stats::Counter::details_exhausted);
            scene.flow->bits |= flow::flow_bit::kDetailsLost;
            return nullptr;
        }
        records_[cold.episodes] = EpisodeRecord{};
    }
    return cold.episodes == 0 ? nullptr : &records_[cold.episodes];
}

void Episodes::observe_rest(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                            FlagSet flags) {
    if (has(segment, flag::kRst)) {
        return;  // its numbers need not belong to the stream
    }
    if (EpisodeRecord* episodes = record(scene, false)) {
        report_waited(scene, 0, episodes->side[0]);
        report_waited(scene, 1, episodes->side[1]);
    }
    observe_data(scene, segment, sender, flags);
    if (has(segment, flag::kAck)) {
        observe_ack(scene, segment, sender ^ 1);
    }
    if (const EpisodeRecord* episodes = record(scene, false)) {
        const bool active = episodes->side[0].active() || episodes->side[1].active();
        scene.flow->bits =
            static_cast<std::uint8_t>(active ? scene.flow->bits | flow::flow_bit::kEpisodes
                                             : scene.flow->bits & ~flow::flow_bit::kEpisodes);
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
        EpisodeRecord* episodes = record(scene, false);
        if (episodes != nullptr && episodes->side[sender].run.acknowledged_before) {
            report_run(scene, sender, episodes->side[sender].run, Resolution::acknowledged_before,
                       nullptr);
        }
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
    if (repeated != 0 && !probe_again && !flags.has(Flag::keep_alive)) {
        extend_run(scene, sender, old, std::min(repeated, s.payload_bytes));
    }
    if (after(range.end, me.seen_end)) {
        me.seen_end = range.end;
    }
}

void Episodes::observe_ack(const Scene& scene, const decode::Segment& s, std::uint8_t owner) {
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
    if (mine.holes_head != 0) {
        acknowledge(scene, owner, mine, {holes_[mine.holes_head].begin, s.ack});
        if (s.options_bytes != 0) {
            const OptionFacts options = read_options(s, scene.cold->base[owner]);
            for (std::uint32_t i = 0; i < options.sack_count; ++i) {
                acknowledge(scene, owner, mine, {options.sack[i].left, options.sack[i].right});
            }
        }
        report_waited(scene, owner, mine);
    }
    RepeatRun& run = mine.run;
    if (run.count != 0 && !run.acknowledged_before && at_or_before(run.end, s.ack)) {
        const event::FrameRef ack{scene.frame, scene.now,
                                  static_cast<std::uint8_t>(scene.flow->tap)};
        report_run(scene, owner, run, Resolution::acknowledged, &ack);
    }
}

// ---- repeats ----------------------------------------------------------------------------------

void Episodes::extend_run(const Scene& scene, std::uint8_t owner, Range range,
                          std::uint32_t payload) {
    EpisodeRecord* episodes = record(scene, true);
    if (episodes == nullptr) {
        return;
    }
    const Half& receiver = scene.flow->half[owner ^ 1];
    const bool acknowledged_before =
        (receiver.bits & bit::kWindowSet) != 0 && at_or_before(range.end, receiver.ack);
    RepeatRun& run = episodes->side[owner].run;
    if (run.count != 0 && run.acknowledged_before != acknowledged_before) {
        report_run(scene, owner, run,
                   run.acknowledged_before ? Resolution::acknowledged_before : Resolution::never,
                   nullptr);
    }
    if (run.count == 0) {
        run = RepeatRun{};
        run.begin = range.begin;
        run.end = range.end;
        run.acknowledged_before = acknowledged_before;
        run.since = Lead(std::max(receiver.ack_time, scene.cold->first), scene.now);
        run.first_time = scene.now;
        run.first_frame = scene.frame;
    }
    run.begin = after(run.begin, range.begin) ? range.begin : run.begin;
    run.end = after(range.end, run.end) ? range.end : run.end;
    run.bytes += payload;
    ++run.count;
    run.last_time = scene.now;
    run.last_frame = scene.frame;
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

void Episodes::report_run(const Scene& scene, std::uint8_t owner, RepeatRun& run,
                          Resolution resolution, const event::FrameRef* evidence) {
    Event event = event_of(scene, owner, EventType::repeat);
    event.resolution = resolution;
    event.since = run.since.before(run.first_time);
    event.time = run.first_time;
    event.time_end = evidence != nullptr ? evidence->time : run.last_time;
    event.seq_begin = run.begin;
    event.seq_end = run.end;
    event.bytes = run.bytes;
    event.repeats_count = run.count;
    event.subject[event.subjects_count++] = {run.first_frame, run.first_time, event.tap};
    if (run.count > 1) {
        event.subject[event.subjects_count++] = {run.last_frame, run.last_time, event.tap};
    }
    if (evidence != nullptr) {
        event.evidence[event.evidence_count++] = *evidence;
    }
    outbox_.emit(event, counters_);
    run = RepeatRun{};
}

void Episodes::report_hole(const Scene& scene, std::uint8_t owner, const Hole& hole, Range range,
                           Resolution resolution) {
    Event event = event_of(scene, owner, EventType::hole);
    const bool resolved = resolution == Resolution::filled ||
                          resolution == Resolution::filled_after_ack ||
                          resolution == Resolution::acknowledged_unseen;
    const Nanos seen_last = std::max(scene.flow->half[0].ack_time, scene.flow->half[1].ack_time);
    event.resolution = resolution;
    event.since = hole.since.before(hole.opened_time);
    event.time = hole.opened_time;
    event.time_end = resolved ? hole.touched_time : seen_last;
    event.seq_begin = range.begin;
    event.seq_end = range.end;
    event.bytes = distance(range.begin, range.end);
    const flow::Half& half = scene.flow->half[owner];
    event.fin_possible = resolution == Resolution::acknowledged_unseen &&
                         range.end == half.seen_end && (half.bits & bit::kFin) == 0;
    event.subject[event.subjects_count++] = {hole.opened_frame, hole.opened_time, event.tap};
    if (resolved) {
        event.evidence[event.evidence_count++] = {hole.touched_frame, hole.touched_time, event.tap};
    }
    if (resolution == Resolution::acknowledged_unseen || resolution == Resolution::never) {
        records_[scene.cold->episodes].side[owner].missing_bytes += event.bytes;
    }
    outbox_.emit(event, counters_);
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
    while (half.holes_head != 0) {
        Hole& hole = holes_[half.holes_head];
        flush_prefix(scene, owner, hole);
        report_hole(scene, owner, hole, {hole.begin, hole.end},
                    hole.acknowledged ? Resolution::acknowledged_unseen : Resolution::never);
        drop(half, &half.holes_head);
    }
    if (half.run.count != 0) {
        report_run(
            scene, owner, half.run,
            half.run.acknowledged_before ? Resolution::acknowledged_before : Resolution::never,
            nullptr);
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
            flow::Endpoint& end = side == client ? out->client : out->server;
            std::memcpy(end.address.data(), key.address[side].data(), key.address[side].size());
            end.port = key.port[side];
            end.v6 = key.address[side].size() == end.address.size();
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
