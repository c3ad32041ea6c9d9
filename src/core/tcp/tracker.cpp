// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/tracker.hpp"

#include <algorithm>
#include <bit>

#include "core/tcp/completeness.hpp"
#include "core/tcp/in_order.hpp"
#include "core/tcp/past.hpp"

namespace tw::tcp {
namespace {

namespace flag = decode::tcp_flag;
using decode::Decoded;
using flow::ColdFlow;
using flow::Flow;
using stats::Counter;

// The counter of each flag: they are rows of one table.
constexpr Counter counter_of(Flag flag) {
    return static_cast<Counter>(static_cast<std::uint32_t>(Counter::flag_retransmission) +
                                static_cast<std::uint32_t>(flag));
}
static_assert(counter_of(Flag::retransmission) == Counter::flag_retransmission);
static_assert(counter_of(Flag::zero_window_probe_ack) == Counter::flag_zero_window_probe_ack);

struct PoolSizes {
    std::uint32_t details;
    std::uint32_t episodes;
    std::uint32_t holes;
    std::uint32_t cases;
    std::uint32_t life;
};

// Flags and episodes belong to a part of the connections only; divisor 1 provides
// for all. The shares keep an IPv4 connection within 256 bytes all-in.
PoolSizes pool_sizes(const FlowOptions& options) {
    const std::uint64_t flows = std::uint64_t{options.v4_max} + options.v6_max;
    const std::uint64_t divisor = std::max(options.details_divisor, 1U);
    const auto sized = [](std::uint64_t count) {
        return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(count, 4096, UINT32_MAX - 1));
    };
    const auto episodes = [&](std::uint64_t count) {
        return std::min(sized(count), flow::kEpisodesIndexMax);
    };
    if (divisor == 1) {
        // Every connection may have them; not all have an open hole and waiting cases at one time.
        return {sized(flows * 2), episodes(flows), sized(flows), sized(flows / 4),
                sized(flows / 2)};
    }
    return {sized(flows / divisor), episodes(flows / (4 * divisor)), sized(flows / (4 * divisor)),
            sized(flows / (8 * divisor)), sized(flows / (4 * divisor))};
}

Episodes::Options episode_options(const FlowOptions& options,
                                  const std::array<Nanos, kTapsMax>& direction_skew) {
    const PoolSizes sizes = pool_sizes(options);
    return {sizes.episodes, sizes.holes, sizes.cases, options.backing, direction_skew};
}

Life::Options life_options(const PipelineOptions& options) {
    return {pool_sizes(options.flows).life, options.flows.backing, options.flows.hash_seed,
            options.analysis.direction_skew};
}

std::uint32_t flight_chunks(const PipelineOptions& options) {
    if (!options.analysis.exact_flight) {
        return 0;
    }
    const std::uint64_t flows = std::uint64_t{options.flows.v4_max} + options.flows.v6_max;
    return static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(flows * 2, 1U << 16, UINT32_MAX - 1));
}

void set_client(Flow& flow, std::uint8_t side) {
    flow.bits = static_cast<std::uint8_t>((flow.bits & ~flow::flow_bit::kClientSide) |
                                          (side == 1 ? flow::flow_bit::kClientSide : 0));
}

// A SYN tells who the client is; a SYN/ACK does where no SYN was seen.
void learn_client(Flow& flow, const decode::Segment& segment, std::uint8_t sender) {
    if (decode::is_bare_syn(segment)) {
        set_client(flow, sender);
    } else if ((flow.bits & flow::flow_bit::kClientKnown) == 0) {
        set_client(flow, sender ^ 1);
    }
    flow.bits |= flow::flow_bit::kClientKnown;
}

void count_segment(flow::Half& me, const decode::Segment& segment) {
    ++me.packets;
    const std::uint32_t before = me.payload_low;
    me.payload_low += segment.payload_bytes;
    me.payload_high = static_cast<std::uint16_t>(me.payload_high + (me.payload_low < before));
}

Nanos initial_rtt(const Flow& flow) {
    return (flow.bits & flow::flow_bit::kRttSet) != 0 ? flow.rtt_or_syn : 0;
}

}  // namespace

Tracker::Tracker(const PipelineOptions& options, event::Outbox& outbox, stats::Counters& counters)
    : stream_step_(options.stream_step),
      exact_flight_(options.analysis.exact_flight),
      observe_streams_(options.observe_streams),
      next_stream_(options.stream_first),
      outbox_(outbox),
      counters_(counters),
      details_(pool_sizes(options.flows).details, options.flows.backing),
      history_(options.flows.backing),
      episodes_(episode_options(options.flows, options.analysis.direction_skew), history_, outbox,
                counters),
      life_(life_options(options), history_, outbox, counters),
      flight_pool_(flight_chunks(options)) {
    if (exact_flight_) {
        flights_[0] = LazyArray<Flight>(std::size_t{options.flows.v4_max} * 2, Backing::lazy);
        flights_[1] = LazyArray<Flight>(std::size_t{options.flows.v6_max} * 2, Backing::lazy);
    }
}

// A guess until a SYN or SYN/ACK tells: servers have the lower port; else who spoke first.
void Tracker::begin(flow::FlowTable& table, std::uint32_t slot, const Frame& frame,
                    const Decoded& found) {
    Flow& flow = table.flow(slot);
    ColdFlow& cold = table.cold(slot);
    const auto& ports = found.v6 ? found.key.v6_key.port : found.key.v4.port;
    const std::uint8_t client = ports[0] == ports[1] ? found.sender : ports[0] < ports[1] ? 1 : 0;
    set_client(flow, client);
    flow.tap = frame.tap & (kTapsMax - 1);
    cold.first = frame.time;
    cold.stream = next_stream_;
    next_stream_ += stream_step_;
    counters_.add(Counter::flows_created);
}

// Same key, new life.
void Tracker::restart(flow::FlowTable& table, std::uint32_t slot, const Frame& frame,
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
    counters_.add(Counter::flows_reused);
}

void Tracker::observe(flow::FlowTable& table, std::uint32_t slot, const Frame& frame,
                      const Decoded& found, bool created, Observation& observation) {
    const decode::Segment& segment = found.segment;
    Flow& flow = table.flow(slot);
    flow::Half& me = flow.half[found.sender];
    const Timestamps times = timestamps_alone(segment);
    observation.tcp = true;
    observation.v6 = found.v6;
    observation.completeness = flow.completeness;
    const bool in_order =
        !created && is_in_order(segment, times, flow, me, flow.half[found.sender ^ 1]);
    if (!in_order) [[unlikely]] {
        observe_any(table, slot, frame, found, created, times, observation);
        return;
    }
    if (observe_streams_) {
        observation.stream = table.cold(slot).stream;
    }
    observation.initial_rtt = initial_rtt(flow);
    pass_in_order(segment, frame.time, flow, me);
    if (exact_flight_) {
        follow_flight(flight_of(table, slot), segment, found.sender, me.nxt);
    }
    flow.last_seen = flow::coarse_time(frame.time) & 0x7FF'FFFFU;
    history_.add(flow, History::owner_of(slot, table.v6()), frame, found, times);
    count_segment(me, segment);
}

void Tracker::observe_any(flow::FlowTable& table, std::uint32_t slot, const Frame& frame,
                          const Decoded& found, bool created, const Timestamps& times,
                          Observation& observation) {
    const decode::Segment& segment = found.segment;
    Flow& flow = table.flow(slot);
    ColdFlow& cold = table.cold(slot);
    const std::uint8_t sender = found.sender;
    Meeting meeting = created ? Meeting::created : Meeting::known;
    if ((segment.flags & flag::kSyn) != 0) {
        if (!created && replaces_connection(segment, sender, flow, cold)) {
            restart(table, slot, frame, found);
            meeting = Meeting::reused;
        }
        learn_client(flow, segment, sender);
    }
    if (observe_streams_) {
        observation.stream = cold.stream;
    }
    if (meeting == Meeting::reused) {
        observation.completeness = completeness::kSyn;
    }
    const Nanos raised = flow.half[sender].nxt_time;
    const bool shaken = (flow.bits & flow::flow_bit::kRttSet) != 0;
    const Nanos spoke = flow.half[sender].ack_time;
    observation.flags = judge_segment(table, slot, frame.time, found, meeting);
    observation.initial_rtt = initial_rtt(flow);
    flow.last_seen = flow::coarse_time(frame.time) & 0x7FF'FFFFU;
    if (segment.quoted) {
        return;  // not sent now, only quoted
    }
    history_.add(flow, History::owner_of(slot, table.v6()), frame, found, times);
    if ((segment.flags & flag::kSyn) != 0 ||
        shaken != ((flow.bits & flow::flow_bit::kRttSet) != 0)) {
        note_handshake(table, slot, sender);
    }
    flow::Half& me = flow.half[sender];
    count_segment(me, segment);
    me.bits |= (segment.flags & flag::kFin) != 0 ? flow::half_bit::kFin : 0;
    if (!observation.flags.empty()) {
        count_flags(flow, cold, sender, observation.flags);
    }
    if (!segment.payload_known) {
        return;
    }
    const FlagSet flags = observation.flags;
    const bool passed = Episodes::pass(flow, segment, sender, flags);
    const bool calm = Life::calm(flow, segment, flags);
    if (!passed || !calm) {
        const Scene scene{&table, slot, &flow, &cold, frame.time, frame.number, raised};
        if (!passed) {
            episodes_.observe(scene, segment, sender, flags);
        }
        if (!calm) {
            life_.observe(scene, found, flags, spoke);
        }
    }
}

// As judge() does, for a segment in order that ends at `end`.
void Tracker::follow_flight(Flight* flight, const decode::Segment& segment, std::uint8_t sender,
                            std::uint32_t end) {
    if (segment.payload_bytes != 0 && !FlightPool::full(flight[sender]) &&
        !flight_pool_.push(flight[sender], end)) {
        counters_.add(Counter::flight_exhausted);
    }
    flight_pool_.acknowledge(flight[sender ^ 1], segment.ack);
}

// The two halves of the initial round trip: from the tap to the server and back, then to the
// client. A repeated SYN could be answered by either answer: nothing is learnt from it.
void Tracker::note_handshake(flow::FlowTable& table, std::uint32_t slot, std::uint8_t sender) {
    constexpr std::uint32_t kSteps = 8;
    Flow& flow = table.flow(slot);
    const Sighting* const answer = history_.latest(flow, History::owner_of(slot, table.v6()));
    const Sighting* asked = nullptr;
    const Sighting* at =
        answer != nullptr && answer->has(flag::kAck) ? history_.before(*answer) : nullptr;
    for (std::uint32_t i = 0; at != nullptr && i < kSteps; ++i, at = history_.before(*at)) {
        if (at->sender != sender && at->has(flag::kSyn)) {
            if (asked != nullptr) {
                return;
            }
            asked = at;
        }
    }
    if (asked != nullptr && asked->end() == answer->ack && flow.half[sender].rtt_code == 0) {
        flow.half[sender].rtt_code = rtt_code(answer->time - asked->time);
    }
}

FlagSet Tracker::judge_segment(flow::FlowTable& table, std::uint32_t slot, Nanos now,
                               const Decoded& found, Meeting meeting) {
    Flow& flow = table.flow(slot);
    ColdFlow& cold = table.cold(slot);
    Extras extras;
    if (exact_flight_) {
        extras.flight_pool = &flight_pool_;
        extras.flight = flight_of(table, slot);
    }
    const bool mptcp = (flow.bits & flow::flow_bit::kMptcp) != 0;
    const std::uint16_t kinds = mptcp ? mptcp_kinds(cold) : 0;
    if (mptcp) {
        extras.mptcp_changed = details_[cold.details[found.sender]].mptcp_known != kinds;
    }
    const FlagSet flags =
        judge(found.segment, found.sender, now, meeting, flow, cold, extras, counters_);
    if (mptcp || extras.mptcp_kinds != 0) {
        note_mptcp(flow, cold, found.sender, found.segment.payload_known, kinds,
                   extras.mptcp_kinds);
    }
    return flags;
}

SideDetail* Tracker::detail(Flow& flow, ColdFlow& cold, std::uint8_t side) {
    std::uint32_t& index = cold.details[side];
    if (index == 0) {
        index = details_.take();
        if (index == 0) {
            counters_.add(Counter::details_exhausted);
            flow.bits |= flow::flow_bit::kDetailsLost;
            return nullptr;
        }
        details_[index] = SideDetail{};
    }
    return &details_[index];
}

void Tracker::count_flags(Flow& flow, ColdFlow& cold, std::uint8_t sender, FlagSet flags) {
    for (std::uint32_t bits = flags.bits(); bits != 0; bits &= bits - 1) {
        counters_.add(counter_of(static_cast<Flag>(std::countr_zero(bits))));
    }
    SideDetail* mine = detail(flow, cold, sender);
    if (mine == nullptr) {
        return;
    }
    for (std::uint32_t bits = flags.bits(); bits != 0; bits &= bits - 1) {
        ++mine->counts[static_cast<std::uint32_t>(__builtin_ctz(bits))];
    }
}

std::uint16_t Tracker::mptcp_kinds(const ColdFlow& cold) const {
    return static_cast<std::uint16_t>(details_[cold.details[0]].mptcp_kinds |
                                      details_[cold.details[1]].mptcp_kinds);
}

// tshark remembers the kinds per side after each analysis, before it adds those of the segment.
void Tracker::note_mptcp(Flow& flow, ColdFlow& cold, std::uint8_t sender, bool analysed,
                         std::uint16_t kinds, std::uint16_t new_kinds) {
    SideDetail* mine = detail(flow, cold, sender);
    if (mine == nullptr || detail(flow, cold, sender ^ 1) == nullptr) {
        return;
    }
    flow.bits |= flow::flow_bit::kMptcp;
    if (analysed) {
        mine->mptcp_known = kinds;
    }
    mine->mptcp_kinds = static_cast<std::uint16_t>(mine->mptcp_kinds | new_kinds);
}

void Tracker::close(flow::FlowTable& table, std::uint32_t slot) {
    Flow& flow = table.flow(slot);
    ColdFlow& cold = table.cold(slot);
    const Nanos last = std::max(flow.half[0].ack_time, flow.half[1].ack_time);
    event::FlowRecord record;
    record.flow = name_of(table, slot, flow, cold);
    record.first = cold.first;
    record.last = std::max(last, cold.first);
    record.initial_rtt = (flow.bits & flow::flow_bit::kRttSet) != 0 ? flow.rtt_or_syn : 0;
    record.completeness = flow.completeness;
    record.client_known = (flow.bits & flow::flow_bit::kClientKnown) != 0;
    record.tap = static_cast<std::uint8_t>(flow.tap);
    if ((flow.half[0].packets == 0 || flow.half[1].packets == 0) &&
        flow.completeness != completeness::kSyn) {
        counters_.add(stats::Counter::flows_one_sided);
    }
    const Scene scene{&table, slot, &flow, &cold, record.last, 0, 0};
    life_.close(scene);
    const auto missing = episodes_.close(scene);
    record.details_lost = (flow.bits & flow::flow_bit::kDetailsLost) != 0;
    for (std::uint8_t side = 0; side < 2; ++side) {
        const auto direction = static_cast<std::size_t>(direction_of(flow, side));
        const flow::Half& half = flow.half[side];
        record.packets[direction] = half.packets;
        record.bytes[direction] = (std::uint64_t{half.payload_high} << 32) + half.payload_low;
        record.missing_bytes[direction] = missing[side];
        if (cold.details[side] != 0) {
            record.flags[direction] = details_[cold.details[side]].counts;
            details_.give_back(cold.details[side]);
            cold.details[side] = 0;
        }
    }
    if (exact_flight_) {
        flight_pool_.clear(flight_of(table, slot)[0]);
        flight_pool_.clear(flight_of(table, slot)[1]);
    }
    outbox_.emit(record, counters_);
}

std::size_t Tracker::memory_bytes(const FlowOptions& options) {
    return pool_sizes(options).details * Pool<SideDetail>::bytes_per_record() +
           History::memory_bytes() + Episodes::memory_bytes(episode_options(options, {}));
}

}  // namespace tw::tcp
