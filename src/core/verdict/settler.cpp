// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/settler.hpp"

#include <algorithm>
#include <array>

#include "core/verdict/marked_times.hpp"
#include "core/verdict/misses.hpp"
#include "core/verdict/stream_sums.hpp"
#include "core/verdict/under_faults.hpp"
#include "core/verdict/waiting_room.hpp"

namespace tw::verdict {
namespace {

using event::CaptureMark;
using event::Cause;
using event::Confidence;
using event::Event;
using event::Finding;
using event::FlowRecord;
using event::Verdict;
using stats::Counter;

// Of either kind that may be ready before somebody takes them.
constexpr std::uint32_t kReadyMax = 4096;
// Flow records that wait for the last episodes of their connection.
constexpr std::uint32_t kDueMax = 16'384;

bool depends_on_capture(const Finding& finding) {
    return finding.if_capture_clean && finding.confidence == Confidence::proven;
}

bool wants_cause(const Finding& finding) {
    return finding.verdict == Verdict::missed_by_capture && finding.cause == Cause::none;
}

// Since when the bytes of an episode can have been on the wire. Those of a connection that had
// been idle for an hour were not: they came shortly before the first sign.
Nanos begin_of(const Event& event) {
    return std::max(event.since, earlier_by(event.time, kCleanAround));
}

bool may_have_episodes(const FlowRecord& record) {
    const auto any = [](const tcp::FlagCounts& counts) {
        return std::any_of(counts.begin(), counts.end(),
                           [](std::uint32_t count) { return count != 0; });
    };
    return record.details_lost || record.missing_bytes[0] != 0 || record.missing_bytes[1] != 0 ||
           any(record.flags[0]) || any(record.flags[1]);
}

struct WaitingRecord {
    FlowRecord record;
    Nanos due;
    bool complete;  // false: may have overtaken episodes
};

}  // namespace

struct Settler::State {
    State(const SettlerOptions& options_in, stats::Counters& counters_in)
        : options(options_in),
          wait(kCleanAround + options_in.lateness),
          record_wait(options_in.record_wait),
          counters(counters_in),
          room(options_in.events_max, kReadyMax),
          streams(std::max(options_in.streams_max, options_in.events_max + 1), counters_in),
          records(options_in.events_max + kDueMax + kReadyMax, Backing::lazy),
          due(kDueMax),
          ready(options_in.events_max + kDueMax + kReadyMax),
          paths(counters_in),
          patterns(counters_in) {}

    const SettlerOptions options;
    const Nanos wait;  // from time_end
    Nanos record_wait;
    stats::Counters& counters;
    WaitingRoom room;
    StreamSums streams;
    Pool<WaitingRecord> records;
    IndexQueue due;      // records that wait for time to pass
    IndexQueue ready;    // records
    MarkedTimes doubts;  // the capture missed something, or the ledger says so
    MarkedTimes proven;  // verdicts that depend on it were handed out as proven
    Misses misses;
    LoadHistory load;
    PathSums paths;
    Patterns patterns;
    std::array<std::uint64_t, event::kVerdicts> counts{};
    Nanos now = INT64_MIN;
    bool finishing = false;

    void note_miss(const Event& event);
    void release_first();
    void settle(Event& event, bool early);
    void pass(std::uint32_t record);
    void hand_out(std::uint32_t record, std::uint32_t entry);
};

Settler::Settler(const SettlerOptions& options, stats::Counters& counters)
    : state_(new State(options, counters)) {}

Settler::~Settler() = default;

bool Settler::has_event_room() const {
    // One event can make one record ready.
    return state_->room.has_room();
}

bool Settler::has_record_room() const {
    return state_->ready.size() < kReadyMax;
}

void Settler::add(const Event& given) {
    State& state = *state_;
    if (!state.room.has_room()) {
        state.counters.add(Counter::verdict_events_dropped);
        return;
    }
    Event event = given;
    if (state.options.hold) {
        state.now = std::max(state.now, event.time_end);
    }
    if (event.capture_known) {
        event.finding = under_faults(event.finding, event.capture);
        if (event.capture.has(event::CaptureFault::unknown)) {
            // No mark will tell of it.
            state.doubts.add(event.tap, begin_of(event), event.time_end);
        }
    }
    if (event.finding.verdict == Verdict::missed_by_capture) {
        state.note_miss(event);
    }
    if (!state.options.hold && !depends_on_capture(event.finding) && !wants_cause(event.finding)) {
        state.settle(state.room.pass(event), false);
        return;
    }
    if (state.room.waiting_full()) {
        state.release_first();
    }
    const std::uint32_t entry = state.streams.find_or_add(event.flow.stream);
    state.streams.begin_wait(entry);
    state.room.wait(event, state.options.hold ? event.time : later_by(event.time_end, state.wait));
}

void Settler::State::note_miss(const Event& event) {
    const Nanos begin = begin_of(event);
    doubts.add(event.tap, begin, event.time);
    misses.add(event);
    if (proven.near(event.tap, begin, event.time)) {
        counters.add(Counter::verdict_late_misses);
    }
}

void Settler::State::release_first() {
    Event& event = room.release_first();
    const bool early = !finishing && later_by(event.time_end, wait) > now;
    const std::uint32_t entry = streams.find(event.flow.stream);
    if (options.hold) {
        (void)patterns.advance(event.time);  // they leave in order of time
    }
    settle(event, early);
    if (streams.end_wait(entry) && streams[entry].record != 0) {
        hand_out(streams[entry].record, entry);
    }
}

// What the neighbours say. `early`: not all of them are known.
void Settler::State::settle(Event& event, bool early) {
    Finding& finding = event.finding;
    if (depends_on_capture(finding)) {
        if (early) {
            counters.add(Counter::verdict_not_awaited);
            make_probable(finding);
        } else if (doubts.near(event.tap, begin_of(event), event.time_end)) {
            make_probable(finding);
        } else {
            proven.add(event.tap, begin_of(event), event.time_end);
        }
    }
    if (wants_cause(finding)) {
        finding.cause = misses.cause_of(event, load);
    }
    ++counts[static_cast<std::size_t>(finding.verdict)];
    patterns.add(event, load.relative(event.time));
    if (const std::uint32_t entry = streams.find_or_add(event.flow.stream); entry != 0) {
        streams.add(entry, event);
    }
}

void Settler::add(const FlowRecord& record) {
    State& state = *state_;
    const std::uint32_t index = state.records.take();
    if (index == 0) {
        state.counters.add(Counter::verdict_records_dropped);
        return;
    }
    // Without room for its episodes, they may still be in the outbox.
    state.records[index] = {record, later_by(state.now, state.record_wait), state.room.has_room()};
    if (state.record_wait == 0 || !may_have_episodes(record)) {
        state.pass(index);
        return;
    }
    if (state.due.full()) {
        state.counters.add(Counter::verdict_records_hurried);
        state.records[state.due.front()].complete = false;
        state.pass(state.due.pop());
    }
    state.due.push(index);
}

// A record leaves, or waits for episodes of its connection.
void Settler::State::pass(std::uint32_t record) {
    const std::uint32_t entry = streams.find(records[record].record.flow.stream);
    if (entry != 0 && streams[entry].waiting != 0 && streams[entry].record == 0) {
        streams[entry].record = record;
        return;
    }
    hand_out(record, entry != 0 && streams[entry].waiting == 0 ? entry : 0);
}

void Settler::State::hand_out(std::uint32_t record, std::uint32_t entry) {
    FlowRecord& leaving = records[record].record;
    streams.finish(entry, leaving);
    leaving.outcomes_complete = leaving.outcomes_complete && records[record].complete;
    misses.add(leaving);
    paths.add(leaving);
    patterns.add(leaving);
    ready.push(record);
}

void Settler::add(const CaptureMark& mark) {
    for (std::uint32_t tap = 0; tap < kTapsMax; ++tap) {
        if (casts_doubt(mark.faults[tap])) {
            state_->doubts.add(static_cast<std::uint8_t>(tap), mark.from, mark.until);
        }
    }
}

void Settler::set_capture_dropped(std::uint64_t frames) {
    state_->misses.set_capture_dropped(frames);
}

void Settler::advance(Nanos now, std::uint64_t bytes_seen) {
    State& state = *state_;
    state.now = std::max(state.now, now);
    state.load.advance(now, bytes_seen);
    if (state.options.hold) {
        return;
    }
    while (!state.due.empty() && state.records[state.due.front()].due <= state.now) {
        state.pass(state.due.pop());
    }
    while (state.room.waiting() != 0 && state.room.first_key() <= state.now) {
        state.release_first();
    }
    if (state.patterns.advance(earlier_by(state.now, state.wait))) {
        state.patterns.look_at_run(state.paths);
    }
}

void Settler::end_record_wait() {
    state_->record_wait = 0;
    while (!state_->due.empty()) {
        state_->pass(state_->due.pop());
    }
}

void Settler::finish() {
    State& state = *state_;
    state.finishing = true;
    end_record_wait();
    while (state.room.waiting() != 0) {
        state.release_first();
    }
    (void)state.patterns.advance(INT64_MAX);
    state.patterns.look_at_run(state.paths);
}

bool Settler::pop(Event& event) {
    return state_->room.pop(event);
}

bool Settler::pop(FlowRecord& record) {
    State& state = *state_;
    if (state.ready.empty()) {
        return false;
    }
    const std::uint32_t index = state.ready.pop();
    record = state.records[index].record;
    state.records.give_back(index);
    return true;
}

std::uint64_t Settler::count(Verdict verdict) const {
    return state_->counts[static_cast<std::size_t>(verdict)];
}

const PathSums& Settler::paths() const {
    return state_->paths;
}

const Patterns& Settler::patterns() const {
    return state_->patterns;
}

std::size_t Settler::waiting() const {
    return state_->room.waiting() + state_->room.ready() + state_->records.used();
}

std::size_t Settler::memory_bytes(const SettlerOptions& options) {
    const std::size_t events = std::size_t{options.events_max} + kReadyMax;
    return events * sizeof(Event) + (events + kDueMax) * sizeof(WaitingRecord) +
           std::max(options.streams_max, options.events_max) * sizeof(StreamEntry);
}

}  // namespace tw::verdict
