// SPDX-License-Identifier: BSD-3-Clause
#include "core/pipeline.hpp"

#include <algorithm>

#include "core/decode/decode.hpp"
#include "core/flow/hash.hpp"
#include "core/flow/table.hpp"
#include "core/tcp/analysis.hpp"
#include "core/tcp/completeness.hpp"
#include "core/tcp/episodes.hpp"

namespace tw {
namespace {

using decode::Decoded;
using flow::ColdFlow;
using flow::Flow;
using flow::FlowTable;
using stats::Counter;
namespace flag = decode::tcp_flag;

// Calls of tick() for one round through the tables.
constexpr std::uint32_t kSweepCalls = 1024;

struct FlagLine {
    tcp::FlagCounts counts;
};

struct PoolSizes {
    std::uint32_t flag_lines;
    std::uint32_t episodes;
    std::uint32_t holes;
};

// Flags and episodes belong to a part of the connections only; exact_details (divisor 1) provides
// for all. The shares keep an IPv4 connection within 256 bytes all-in (design section 7).
PoolSizes pool_sizes(const FlowOptions& options) {
    const std::uint64_t flows = std::uint64_t{options.v4_max} + options.v6_max;
    const std::uint64_t divisor = std::max(options.details_divisor, 1U);
    const auto sized = [](std::uint64_t count) {
        return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(count, 4096, UINT32_MAX - 1));
    };
    if (divisor == 1) {
        return {sized(flows * 2), sized(flows), sized(flows * 2)};
    }
    return {sized(flows * 5 / (2 * divisor)), sized(flows / (2 * divisor)), sized(flows / (2 * divisor))};
}

tcp::Episodes::Options episode_options(const PipelineOptions& options) {
    const PoolSizes sizes = pool_sizes(options.flows);
    return {sizes.episodes, sizes.holes, options.flows.backing, options.analysis.direction_skew};
}

bool is_bare_syn(const decode::Segment& segment) {
    return (segment.flags & (flag::kSyn | flag::kAck)) == flag::kSyn;
}

}  // namespace

struct Pipeline::State {
    State(const PipelineOptions& options_in, flow::FlowIndex& index_v4, flow::FlowIndex& index_v6,
          event::Outbox& outbox_in, stats::Counters& counters_in)
        : options(options_in),
          outbox(outbox_in),
          counters(counters_in),
          tables{FlowTable(index_v4, options_in.flows.v4_max, false, options_in.flows.backing),
                 FlowTable(index_v6, options_in.flows.v6_max, true, options_in.flows.backing)},
          flag_lines(pool_sizes(options_in.flows).flag_lines, options_in.flows.backing),
          episodes(episode_options(options_in), outbox_in, counters_in),
          flight_pool(options_in.analysis.exact_flight ? flights_max(options_in) : 0),
          next_stream(options_in.stream_first) {
        if (options.analysis.exact_flight) {
            for (std::size_t v6 = 0; v6 < 2; ++v6) {
                flights[v6] =
                    LazyArray<tcp::Flight>(std::size_t{tables[v6].flows_max()} * 2, Backing::lazy);
            }
        }
    }

    static std::uint32_t flights_max(const PipelineOptions& options) {
        const std::uint64_t flows = std::uint64_t{options.flows.v4_max} + options.flows.v6_max;
        return static_cast<std::uint32_t>(
            std::clamp<std::uint64_t>(flows * 2, 1U << 16, UINT32_MAX - 1));
    }

    const PipelineOptions options;
    event::Outbox& outbox;
    stats::Counters& counters;
    FlowTable tables[2];  // IPv4, IPv6
    Pool<FlagLine> flag_lines;
    tcp::Episodes episodes;
    tcp::FlightPool flight_pool;
    LazyArray<tcp::Flight> flights[2];  // two per slot
    std::uint32_t next_stream;
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
    void track(const Frame& frame, std::uint32_t i);
    [[nodiscard]] std::uint32_t slot_of(std::uint32_t i, const Decoded& found,
                                        tcp::Meeting& meeting, const Frame& frame);
    [[nodiscard]] std::uint32_t make_room_and_add(FlowTable& table, const void* key,
                                                  std::uint32_t hash,
                                                  const decode::Segment& segment);
    void begin(FlowTable& table, std::uint32_t slot, const Frame& frame, const Decoded& found);
    void restart(FlowTable& table, std::uint32_t slot, const Frame& frame, const Decoded& found);
    void count_flags(Flow& flow, ColdFlow& cold, std::uint8_t sender, tcp::FlagSet flags);
    void close(FlowTable& table, std::uint32_t slot);
    void sweep(FlowTable& table, std::uint32_t& at, Nanos now);
    [[nodiscard]] Nanos limit_of(const Flow& flow) const;
    [[nodiscard]] tcp::FlightView flight_of(const FlowTable& table, std::uint32_t slot);
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
            }
        }
    }
}

std::uint32_t Pipeline::State::slot_of(std::uint32_t i, const Decoded& found, tcp::Meeting& meeting,
                                       const Frame& frame) {
    FlowTable& table = tables[found.v6 ? 1 : 0];
    const void* key = &found.key;
    if (removed[found.v6] || (added[found.v6] && slots[i] == FlowTable::kNoSlot)) {
        table.index().find_burst(&key, &hashes[i], 1, &slots[i]);
    }
    if (slots[i] != FlowTable::kNoSlot) {
        return slots[i];
    }
    const std::uint32_t slot = make_room_and_add(table, key, hashes[i], found.segment);
    if (slot == FlowTable::kNoSlot) {
        counters.add(Counter::flows_refused);
        return slot;
    }
    added[found.v6] = true;
    meeting = tcp::Meeting::created;
    begin(table, slot, frame, found);
    return slot;
}

std::uint32_t Pipeline::State::make_room_and_add(FlowTable& table, const void* key,
                                                 std::uint32_t hash,
                                                 const decode::Segment& segment) {
    const std::uint32_t slot = table.add(key, hash);
    if (slot != FlowTable::kNoSlot) {
        return slot;
    }
    const std::uint32_t victim = table.victim(is_bare_syn(segment));
    if (victim == FlowTable::kNoSlot) {
        return victim;
    }
    switch (flow::age_of(table.flow(victim))) {
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
    close(table, victim);
    table.remove(victim, options.flows.hash_seed);
    removed[table.v6()] = true;
    return table.add(key, hash);
}

// A guess until a SYN or SYN/ACK tells: servers have the lower port; else who spoke first.
void Pipeline::State::begin(FlowTable& table, std::uint32_t slot, const Frame& frame,
                            const Decoded& found) {
    Flow& flow = table.flow(slot);
    ColdFlow& cold = table.cold(slot);
    const auto& ports = found.v6 ? found.key.v6_key.port : found.key.v4.port;
    const std::uint8_t client = ports[0] == ports[1] ? found.sender : ports[0] < ports[1] ? 1 : 0;
    flow.bits |= client == 1 ? flow::flow_bit::kClientSide : 0;
    flow.tap = frame.tap;
    cold.first = frame.time;
    cold.stream = next_stream;
    next_stream += options.stream_step;
    counters.add(Counter::flows_created);
}

// Same key, new life.
void Pipeline::State::restart(FlowTable& table, std::uint32_t slot, const Frame& frame,
                              const Decoded& found) {
    close(table, slot);
    Flow& flow = table.flow(slot);
    const flow::KeyV4 key = flow.key_v4;
    flow = Flow{};
    flow.key_v4 = key;
    flow.bits = flow::flow_bit::kOccupied;
    flow.half[0].scale = flow.half[1].scale = flow::kScaleUnknown;
    table.cold(slot) = ColdFlow{};
    begin(table, slot, frame, found);
    counters.add(Counter::flows_reused);
}

tcp::FlightView Pipeline::State::flight_of(const FlowTable& table, std::uint32_t slot) {
    if (!options.analysis.exact_flight) {
        return {};
    }
    return {&flight_pool, &flights[table.v6()][std::size_t{slot} * 2]};
}

void Pipeline::State::track(const Frame& frame, std::uint32_t i) {
    const Decoded& found = decoded[i];
    const decode::Segment& segment = found.segment;
    FlowTable& table = tables[found.v6 ? 1 : 0];
    tcp::Meeting meeting = tcp::Meeting::known;
    const std::uint32_t slot = slot_of(i, found, meeting, frame);
    if (slot == FlowTable::kNoSlot) {
        return;
    }
    Flow& flow = table.flow(slot);
    ColdFlow& cold = table.cold(slot);
    const std::uint8_t sender = found.sender;
    flow::Half& me = flow.half[sender];
    if ((segment.flags & flag::kSyn) != 0) {
        const bool bare = is_bare_syn(segment);
        if (meeting == tcp::Meeting::known &&
            tcp::replaces_connection(segment, sender, flow, cold)) {
            restart(table, slot, frame, found);
            meeting = tcp::Meeting::reused;
        }
        if (bare || (flow.bits & flow::flow_bit::kClientKnown) == 0) {
            const std::uint8_t client = bare ? sender : sender ^ 1;
            flow.bits = static_cast<std::uint8_t>((flow.bits & ~flow::flow_bit::kClientSide) |
                                                  flow::flow_bit::kClientKnown |
                                                  (client == 1 ? flow::flow_bit::kClientSide : 0));
        }
    }
    Observation& observation = observations[i];
    observation.tcp = true;
    observation.v6 = found.v6;
    observation.stream = cold.stream;
    observation.completeness =
        meeting == tcp::Meeting::reused ? tcp::completeness::kSyn : flow.completeness;
    observation.flags = tcp::judge(segment, sender, frame.time, meeting, flow, cold,
                                   flight_of(table, slot), counters);
    observation.initial_rtt = (flow.bits & flow::flow_bit::kRttSet) != 0 ? flow.rtt_or_syn : 0;
    flow.last_seen = flow::coarse_time(frame.time);
    if (segment.quoted) {
        return;
    }
    ++me.packets;
    const std::uint32_t before = me.payload_low;
    me.payload_low += segment.payload_bytes;
    me.payload_high = static_cast<std::uint16_t>(me.payload_high + (me.payload_low < before));
    me.bits |= (segment.flags & flag::kFin) != 0 ? flow::half_bit::kFin : 0;
    if (!observation.flags.empty()) {
        count_flags(flow, cold, sender, observation.flags);
    }
    if (segment.payload_known) {
        episodes.observe({&table, slot, &flow, &cold, frame.time, frame.number}, segment, sender,
                         observation.flags);
    }
}

void Pipeline::State::count_flags(Flow& flow, ColdFlow& cold, std::uint8_t sender,
                                  tcp::FlagSet flags) {
    std::uint32_t& line = cold.counts[sender];
    if (line == 0) {
        line = flag_lines.take();
        if (line == 0) {
            counters.add(Counter::details_exhausted);
            flow.bits |= flow::flow_bit::kDetailsLost;
            return;
        }
        flag_lines[line] = FlagLine{};
    }
    for (std::uint32_t bits = flags.bits(); bits != 0; bits &= bits - 1) {
        ++flag_lines[line].counts[static_cast<std::uint32_t>(__builtin_ctz(bits))];
    }
}

void Pipeline::State::close(FlowTable& table, std::uint32_t slot) {
    Flow& flow = table.flow(slot);
    ColdFlow& cold = table.cold(slot);
    const Nanos last = std::max(flow.half[0].ack_time, flow.half[1].ack_time);
    event::FlowRecord record;
    record.flow = tcp::name_of(table, slot, flow, cold);
    record.first = cold.first;
    record.last = std::max(last, cold.first);
    record.initial_rtt = (flow.bits & flow::flow_bit::kRttSet) != 0 ? flow.rtt_or_syn : 0;
    record.completeness = flow.completeness;
    record.client_known = (flow.bits & flow::flow_bit::kClientKnown) != 0;
    record.tap = static_cast<std::uint8_t>(flow.tap);
    const auto missing = episodes.close({&table, slot, &flow, &cold, record.last, 0});
    record.details_lost = (flow.bits & flow::flow_bit::kDetailsLost) != 0;
    for (std::uint8_t side = 0; side < 2; ++side) {
        const auto direction = static_cast<std::size_t>(tcp::direction_of(flow, side));
        const flow::Half& half = flow.half[side];
        record.packets[direction] = half.packets;
        record.bytes[direction] = (std::uint64_t{half.payload_high} << 32) + half.payload_low;
        record.missing_bytes[direction] = missing[side];
        if (cold.counts[side] != 0) {
            record.flags[direction] = flag_lines[cold.counts[side]].counts;
            flag_lines.give_back(cold.counts[side]);
            cold.counts[side] = 0;
        }
    }
    if (options.analysis.exact_flight) {
        const tcp::FlightView view = flight_of(table, slot);
        flight_pool.clear(view.side[0]);
        flight_pool.clear(view.side[1]);
    }
    outbox.emit(record, counters);
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
        const auto idle = static_cast<std::int32_t>(flow::coarse_time(now) - flow.last_seen);
        if (limit > 0 && idle > static_cast<std::int32_t>(flow::coarse_time(limit))) {
            counters.add(Counter::flows_expired);
            close(table, slot);
            table.remove(slot, options.flows.hash_seed);
        }
    }
}

void Pipeline::tick(Nanos now) {
    if (!state_->options.flows.timeouts.enabled) {
        return;
    }
    for (std::size_t v6 = 0; v6 < 2; ++v6) {
        state_->sweep(state_->tables[v6], state_->sweep_at[v6], now);
    }
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
            state.close(table, at);
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
    const PoolSizes sizes = pool_sizes(options);
    PipelineOptions wanted;
    wanted.flows = options;
    return options.v4_max * FlowTable::bytes_per_flow(false) +
           options.v6_max * FlowTable::bytes_per_flow(true) +
           sizes.flag_lines * Pool<FlagLine>::bytes_per_record() +
           tcp::Episodes::memory_bytes(episode_options(wanted));
}

}  // namespace tw
