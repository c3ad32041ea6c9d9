// SPDX-License-Identifier: BSD-3-Clause
#include "core/pipeline.hpp"

#include <algorithm>

#include "core/decode/decode.hpp"
#include "core/flow/hash.hpp"
#include "core/flow/table.hpp"
#include "core/tcp/tracker.hpp"

namespace tw {
namespace {

using decode::Decoded;
using flow::Flow;
using flow::FlowTable;
using stats::Counter;

// Calls of tick() for one round through the tables.
constexpr std::uint32_t kSweepCalls = 1024;
// Frames between asking for a connection's scattered parts and needing them.
constexpr std::uint32_t kLookAhead = 4;

}  // namespace

struct Pipeline::State {
    State(const PipelineOptions& options_in, flow::FlowIndex& index_v4, flow::FlowIndex& index_v6,
          event::Outbox& outbox, stats::Counters& counters_in)
        : options(options_in),
          counters(counters_in),
          tables{FlowTable(index_v4, options_in.flows.v4_max, false, options_in.flows.backing),
                 FlowTable(index_v6, options_in.flows.v6_max, true, options_in.flows.backing)},
          tracker(options_in, outbox, counters_in) {}

    PipelineOptions options;  // constant but for set_times()
    stats::Counters& counters;
    FlowTable tables[2];  // IPv4, IPv6
    tcp::Tracker tracker;
    std::uint32_t sweep_at[2] = {0, 0};
    std::uint32_t close_at[2] = {0, 0};

    // One burst.
    std::array<Decoded, kBurstMax> decoded;
    std::array<std::uint32_t, kBurstMax> hashes;
    std::array<std::uint32_t, kBurstMax> slots;
    std::array<Observation, kBurstMax> observations;
    bool added[2];    // slots found as absent may be stale
    bool removed[2];  // any slot may be stale

    void find_flows(std::uint32_t count);
    void look_ahead(std::uint32_t i, std::uint32_t count);
    void track(const Frame& frame, std::uint32_t i);
    [[nodiscard]] std::uint32_t known_slot(std::uint32_t i);
    [[nodiscard]] std::uint32_t new_slot(std::uint32_t i);
    void evict(FlowTable& table, std::uint32_t slot);
    void sweep(FlowTable& table, std::uint32_t& at, Nanos now);
    [[nodiscard]] Nanos limit_of(const Flow& flow) const;
};

Pipeline::Pipeline(const PipelineOptions& options, flow::FlowIndex& index_v4,
                   flow::FlowIndex& index_v6, event::Outbox& outbox, stats::Counters& counters)
    : state_(new State(options, index_v4, index_v6, outbox, counters)) {}

Pipeline::~Pipeline() = default;

std::span<const Observation> Pipeline::process(std::span<const Frame> frames) {
    State& state = *state_;
    const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(frames.size(), kBurstMax));
    std::uint64_t bytes = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
        decode::decode(frames[i], state.options.decode, state.counters, state.decoded[i]);
        bytes += frames[i].wire_bytes;
    }
    state.counters.add(Counter::frames, count);
    state.counters.add(Counter::frame_bytes, bytes);
    state.find_flows(count);
    for (std::uint32_t i = 0; i < count; ++i) {
        state.look_ahead(i + kLookAhead, count);
        state.observations[i] = Observation{};
        if (state.decoded[i].outcome == Counter::decoded_segments) {
            state.track(frames[i], i);
        }
    }
    return {state.observations.data(), count};
}

// One look-up per IP version for the whole burst, then the records' lines on their way to the cache
// before the first is needed.
void Pipeline::State::find_flows(std::uint32_t count) {
    for (std::uint32_t v6 = 0; v6 < 2; ++v6) {
        std::array<const void*, kBurstMax> keys;
        std::array<std::uint32_t, kBurstMax> key_hashes;
        std::array<std::uint32_t, kBurstMax> found;
        std::array<std::uint32_t, kBurstMax> origin;
        std::uint32_t wanted = 0;
        for (std::uint32_t i = 0; i < count; ++i) {
            const Decoded& d = decoded[i];
            if (d.outcome != Counter::decoded_segments || d.v6 != (v6 == 1)) {
                continue;
            }
            const std::uint64_t seed = options.flows.hash_seed;
            hashes[i] = d.v6 ? flow::hash_key(d.key.v6_key, seed) : flow::hash_key(d.key.v4, seed);
            keys[wanted] = &d.key;
            key_hashes[wanted] = hashes[i];
            origin[wanted++] = i;
        }
        added[v6] = removed[v6] = false;
        if (wanted == 0) {
            continue;
        }
        tables[v6].index().find_burst(keys.data(), key_hashes.data(), wanted, found.data());
        for (std::uint32_t i = 0; i < wanted; ++i) {
            slots[origin[i]] = found[i];
            if (found[i] != FlowTable::kNoSlot) {
                const char* record =
                    static_cast<const char*>(static_cast<const void*>(&tables[v6].flow(found[i])));
                __builtin_prefetch(record, 1);
                __builtin_prefetch(record + 64, 1);
                tracker.prefetch_line(tables[v6], found[i]);
            }
        }
    }
}

void Pipeline::State::look_ahead(std::uint32_t i, std::uint32_t count) {
    if (i < count && decoded[i].outcome == Counter::decoded_segments &&
        slots[i] != FlowTable::kNoSlot) {
        tracker.prefetch_rest(tables[decoded[i].v6], slots[i]);
    }
}

void Pipeline::State::track(const Frame& frame, std::uint32_t i) {
    const Decoded& found = decoded[i];
    FlowTable& table = tables[found.v6];
    std::uint32_t slot = known_slot(i);
    const bool created = slot == FlowTable::kNoSlot;
    if (created) {
        slot = new_slot(i);
        if (slot == FlowTable::kNoSlot) {
            counters.add(Counter::flows_refused);
            return;
        }
        tracker.begin(table, slot, frame, found);
    }
    tracker.observe(table, slot, frame, found, created, observations[i]);
}

// The slot found for the burst, looked up again where an earlier frame of the burst made it stale.
std::uint32_t Pipeline::State::known_slot(std::uint32_t i) {
    const bool v6 = decoded[i].v6;
    if (removed[v6] || (added[v6] && slots[i] == FlowTable::kNoSlot)) {
        const void* key = &decoded[i].key;
        tables[v6].index().find_burst(&key, &hashes[i], 1, &slots[i]);
    }
    return slots[i];
}

std::uint32_t Pipeline::State::new_slot(std::uint32_t i) {
    const Decoded& found = decoded[i];
    FlowTable& table = tables[found.v6];
    std::uint32_t slot = table.add(&found.key, hashes[i]);
    if (slot == FlowTable::kNoSlot) {
        const std::uint32_t victim = table.victim(decode::is_bare_syn(found.segment));
        if (victim == FlowTable::kNoSlot) {
            return victim;
        }
        evict(table, victim);
        slot = table.add(&found.key, hashes[i]);
    }
    added[found.v6] = true;
    return slot;
}

void Pipeline::State::evict(FlowTable& table, std::uint32_t slot) {
    switch (flow::age_of(table.flow(slot))) {
        case flow::Age::embryonic:
            counters.add(Counter::flows_evicted_embryonic);
            break;
        case flow::Age::closing:
            counters.add(Counter::flows_evicted_closed);
            break;
        case flow::Age::established:
            counters.add(Counter::flows_evicted_established);
            break;
    }
    tracker.close(table, slot);
    table.remove(slot, options.flows.hash_seed);
    removed[table.v6()] = true;
}

Nanos Pipeline::State::limit_of(const Flow& flow) const {
    switch (flow::age_of(flow)) {
        case flow::Age::embryonic:
            return options.flows.timeouts.embryonic;
        case flow::Age::closing:
            return options.flows.timeouts.closing;
        case flow::Age::established:
            return options.flows.timeouts.established;
    }
    return 0;
}

void Pipeline::State::sweep(FlowTable& table, std::uint32_t& at, Nanos now) {
    const std::uint32_t slice =
        std::min(table.slots_used(), std::max(64U, table.flows_max() / kSweepCalls + 1));
    for (std::uint32_t i = 0; i < slice; ++i) {
        const std::uint32_t slot = at;
        at = at + 1 >= table.slots_used() ? 0 : at + 1;
        const Flow& flow = table.flow(slot);
        if ((flow.bits & flow::flow_bit::kOccupied) == 0) {
            continue;
        }
        const Nanos limit = limit_of(flow);
        const std::int32_t idle = flow::coarse_since(flow.last_seen, flow::coarse_time(now));
        if (limit > 0 && idle > static_cast<std::int32_t>(flow::coarse_time(limit))) {
            counters.add(Counter::flows_expired);
            tracker.close(table, slot);
            table.remove(slot, options.flows.hash_seed);
        }
    }
}

void Pipeline::tick(Nanos now) {
    state_->tracker.tick(state_->tables, now);
    if (!state_->options.flows.timeouts.enabled) {
        return;
    }
    for (std::size_t v6 = 0; v6 < 2; ++v6) {
        state_->sweep(state_->tables[v6], state_->sweep_at[v6], now);
    }
}

void Pipeline::set_times(const FlowTimeouts& timeouts,
                         const std::array<Nanos, kTapsMax>& direction_skew) {
    state_->options.flows.timeouts = timeouts;
    state_->options.analysis.direction_skew = direction_skew;
    state_->tracker.set_direction_skew(direction_skew);
}

bool Pipeline::close_some(std::uint32_t connections_max) {
    State& state = *state_;
    for (std::size_t v6 = 0; v6 < 2; ++v6) {
        FlowTable& table = state.tables[v6];
        for (std::uint32_t& at = state.close_at[v6]; at < table.slots_used(); ++at) {
            if ((table.flow(at).bits & flow::flow_bit::kOccupied) == 0) {
                continue;
            }
            if (connections_max-- == 0) {
                return false;
            }
            state.counters.add(Counter::flows_closed_at_end);
            state.tracker.close(table, at);
            table.remove(at, state.options.flows.hash_seed);
        }
    }
    return true;
}

std::uint64_t Pipeline::live_flows() const {
    return std::uint64_t{state_->tables[0].live()} + state_->tables[1].live();
}

std::size_t Pipeline::memory_bytes() const {
    return memory_bytes(state_->options.flows);
}

std::size_t Pipeline::memory_bytes(const FlowOptions& options) {
    return options.v4_max * FlowTable::bytes_per_flow(false) +
           options.v6_max * FlowTable::bytes_per_flow(true) + tcp::Tracker::memory_bytes(options);
}

}  // namespace tw
