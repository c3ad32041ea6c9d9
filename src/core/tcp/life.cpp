// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/life.hpp"

#include <algorithm>
#include <bit>

#include "core/tcp/completeness.hpp"
#include "core/tcp/life_parts.hpp"

namespace tw::tcp {
namespace {

namespace bit = flow::half_bit;
namespace flag = decode::tcp_flag;
using event::Event;
using event::EventType;
using event::Finding;
using stats::Counter;

// Buckets: at least one per record, so that chains stay short.
std::uint32_t buckets_for(std::uint32_t records_max) {
    return std::bit_ceil(std::max(records_max, 2U));
}

Counter withheld(EventType type) {
    switch (type) {
        case EventType::handshake:
            return Counter::events_withheld_handshake;
        case EventType::reset:
            return Counter::events_withheld_reset;
        case EventType::stall:
            return Counter::events_withheld_stall;
        case EventType::path:
        case EventType::hole:
        case EventType::repeat:
            break;
    }
    return Counter::events_withheld_path;
}

// Watched for its sake, each segment of the connection has to be looked at.
bool needs_segments(const LifeRecord& record) {
    switch (record.watch) {
        case Watch::syn:
        case Watch::syn_ack:
            return true;
        case Watch::reset:
            return (record.bits & reset_bit::kReported) == 0;
        case Watch::stall:
            return (record.bits & stall_bit::kShut) != 0;
    }
    return false;
}

}  // namespace

Life::Life(const Options& options, const History& history, event::Outbox& outbox,
           stats::Counters& counters)
    : records_(options.records_max, options.backing),
      buckets_(buckets_for(options.records_max), options.backing),
      seed_(options.hash_seed),
      shift_(64U - static_cast<std::uint32_t>(std::countr_zero(buckets_for(options.records_max)))),
      direction_skew_(options.direction_skew),
      history_(history),
      outbox_(outbox),
      counters_(counters) {}

std::size_t Life::memory_bytes(std::uint32_t records_max) {
    return std::size_t{records_max} * Pool<LifeRecord>::bytes_per_record() +
           std::size_t{buckets_for(records_max)} * sizeof(std::uint32_t);
}

void Life::observe(const Scene& scene, const decode::Decoded& found, FlagSet flags, Nanos spoke) {
    const decode::Segment& segment = found.segment;
    const std::uint8_t sender = found.sender;
    if ((segment.flags & flag::kRst) != 0) {
        settle_handshake(scene);
        follow_stall(scene, segment, sender, flags);
        observe_reset(scene, found, spoke);
    } else {
        if ((segment.flags & flag::kSyn) != 0) {
            scene.cold->set_hops(sender, flow::hops_code(found.ttl));
            observe_syn(scene, segment, sender);
        } else if ((scene.flow->bits & flow::flow_bit::kLife) != 0) {
            follow_handshake(scene, segment, sender);
            follow_reset(scene, segment, sender);
            follow_stall(scene, segment, sender, flags);
        }
        observe_window(scene, segment, sender, flags);
    }
    update_bit(scene);
}

void Life::close(const Scene& scene) {
    const flow::Flow& flow = *scene.flow;
    const std::uint32_t packets = flow.half[0].packets + flow.half[1].packets;
    if (flow.completeness == completeness::kSyn && packets == 1) {
        counters_.add(Counter::flows_syn_unanswered);
    }
    if (buckets_[bucket_of(owner_of(scene))] != 0) {
        close_watched(scene);
    }
    judge_one_sided(scene);
    scene.flow->bits &= static_cast<std::uint8_t>(~flow::flow_bit::kLife);
}

void Life::close_watched(const Scene& scene) {
    settle_handshake(scene);
    for (std::uint8_t side = 0; side < 2; ++side) {
        if (LifeRecord* reset = find(scene, Watch::reset, side)) {
            settle_reset(scene, *reset, false);
            drop(*reset);
        }
        if (LifeRecord* stall = find(scene, Watch::stall, side)) {
            end_stall(scene, *stall, nullptr);
        }
        if (const LifeRecord* stall = find(scene, Watch::stall, side)) {
            drop(*stall);
        }
    }
}

// Bytes of the unseen side are acknowledged, or the seen one moves on as it could not without ACKs.
// A SYN alone, answered by nothing, says nothing about the path; neither does a stray RST.
void Life::judge_one_sided(const Scene& scene) {
    // What a sender may send before the first ACK: more than any initial window.
    constexpr std::uint64_t kUnaskedMax = 1U << 17;
    const flow::Flow& flow = *scene.flow;
    const std::uint8_t seen = flow.half[0].packets != 0 ? 0 : 1;
    const flow::Half& me = flow.half[seen];
    const flow::Half& unseen = flow.half[seen ^ 1];
    if (unseen.packets != 0 || me.packets < 2) {
        return;
    }
    // The ACK field of a segment without that flag, a RST as a rule, means nothing.
    const Sighting* last = history_.latest(flow, owner_of(scene));
    for (std::uint32_t i = 0; i < 8 && last != nullptr && !last->has(flag::kAck); ++i) {
        last = history_.before(*last);
    }
    const bool reset = (flow.completeness & completeness::kRst) != 0;
    const std::uint32_t first_ack = scene.cold->base[seen ^ 1] + 1;
    const std::uint32_t ack = last != nullptr && last->has(flag::kAck) ? last->ack
                              : reset                                  ? first_ack
                                                                       : me.ack;
    const std::uint32_t acknowledged =
        (unseen.bits & bit::kBaseSet) != 0 && after(ack, first_ack) ? ack - first_ack : 0;
    constexpr std::uint8_t kWentOn = completeness::kAck | completeness::kData;
    const bool opened = (flow.completeness & completeness::kSyn) != 0 &&
                        (flow.completeness & kWentOn) != 0 && (unseen.bits & bit::kBaseSet) != 0;
    const std::uint64_t sent = (std::uint64_t{me.payload_high} << 32) + me.payload_low;
    if (acknowledged == 0 && !opened && sent <= kUnaskedMax) {
        return;
    }
    Event event = start_event(scene, seen ^ 1, EventType::path);
    event.since = event.time = scene.cold->first;
    event.time_end = scene.now;
    event.seq_begin = first_ack;
    event.seq_end = first_ack + acknowledged;
    event.bytes = acknowledged;
    if (last != nullptr) {
        event.evidence[event.evidence_count++] =
            ref_of(scene, {last->time, last->frame}, event::Role::ack);
    }
    Finding& finding = event.finding;
    finding.verdict = event::Verdict::one_sided;
    finding.rule = event::Rule::one_direction;
    finding.place = event::Place::at_tap;
    // Acknowledged bytes were there; without any, the other side is only very likely.
    finding.confidence =
        acknowledged != 0 ? event::Confidence::proven : event::Confidence::probable;
    emit(event, scene.now);
}

void Life::emit(Event& event, Nanos now) {
    const auto type = static_cast<std::size_t>(event.type);
    constexpr auto kFirst = static_cast<std::size_t>(EventType::handshake);
    if (!limits_[type - kFirst].allows(now)) {
        counters_.add(withheld(event.type));
        return;
    }
    outbox_.emit(event, counters_);
}

LifeRecord* Life::find(const Scene& scene, Watch watch, std::uint8_t side) {
    const std::uint32_t owner = owner_of(scene);
    for (std::uint32_t i = buckets_[bucket_of(owner)]; i != 0; i = records_[i].next) {
        LifeRecord& record = records_[i];
        if (record.owner == owner && record.watch == watch && record.side == side) {
            return &record;
        }
    }
    return nullptr;
}

LifeRecord* Life::watch(const Scene& scene, Watch watch, std::uint8_t side) {
    const std::uint32_t index = records_.take();
    if (index == 0) {
        counters_.add(Counter::details_exhausted);
        scene.flow->bits |= flow::flow_bit::kDetailsLost;
        return nullptr;
    }
    LifeRecord& record = records_[index];
    record = LifeRecord{};
    record.owner = owner_of(scene);
    record.watch = watch;
    record.side = side;
    std::uint32_t& head = buckets_[bucket_of(record.owner)];
    record.next = head;
    head = index;
    return &record;
}

void Life::drop(const LifeRecord& record) {
    std::uint32_t* link = &buckets_[bucket_of(record.owner)];
    while (&records_[*link] != &record) {
        link = &records_[*link].next;
    }
    const std::uint32_t index = *link;
    *link = record.next;
    records_.give_back(index);
}

void Life::update_bit(const Scene& scene) {
    const std::uint32_t owner = owner_of(scene);
    bool needed = false;
    for (std::uint32_t i = buckets_[bucket_of(owner)]; i != 0 && !needed; i = records_[i].next) {
        needed = records_[i].owner == owner && needs_segments(records_[i]);
    }
    std::uint8_t& bits = scene.flow->bits;
    bits = static_cast<std::uint8_t>(needed ? bits | flow::flow_bit::kLife
                                            : bits & ~flow::flow_bit::kLife);
}

Event start_event(const Scene& scene, std::uint8_t side, EventType type) {
    Event event;
    event.type = type;
    event.direction = direction_of(*scene.flow, side);
    event.tap = static_cast<std::uint8_t>(scene.flow->tap);
    event.flow = name_of(*scene.table, scene.slot, *scene.flow, *scene.cold);
    event.seq_base = scene.cold->base[side];
    event.seq_base_known = (scene.flow->half[side].bits & bit::kBaseSet) != 0;
    return event;
}

}  // namespace tw::tcp
