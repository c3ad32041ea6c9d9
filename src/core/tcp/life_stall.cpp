// SPDX-License-Identifier: BSD-3-Clause
// Times in which the receiver's window was shut and the sender had something to send. Never a loss:
// a window filled while bytes are being repaired is no stall, and neither is a receiver that shuts
// its window when there is nothing more to come, nor a keep-alive.
#include <algorithm>

#include "base/sequence.hpp"
#include "core/tcp/life_parts.hpp"

namespace tw::tcp {
namespace {

namespace bit = flow::half_bit;
namespace flag = decode::tcp_flag;
using event::Confidence;
using event::Event;
using event::EventType;
using event::Finding;
using event::Place;
using event::Role;
using event::Rule;
using event::Verdict;

// Shorter than this an ordinary delayed ACK may take (Linux and Windows: up to 200 ms) ...
constexpr Nanos kStallMin = 200 * kMillisecond;
// ... and the first probe of a shut window comes no later (RFC 9293 3.8.6.1: about one
// retransmission timeout); a lone keep-alive comes much later.
constexpr Nanos kProbeMax = 5 * kSecond;
// Reported per direction of a connection; later ones are counted.
constexpr std::uint8_t kStallsMax = 8;

Nanos stall_min(const flow::Flow& flow) {
    const bool known = (flow.bits & flow::flow_bit::kRttSet) != 0;
    return std::max(kStallMin, known ? 2 * flow.rtt_or_syn : 0);
}

// Right edge of the window a segment announces.
std::uint32_t edge_of(const decode::Segment& segment, const flow::Half& receiver) {
    const bool scaled = (receiver.bits & bit::kSynWindow) == 0 && receiver.scale > 0;
    return segment.ack + (std::uint32_t{segment.window} << (scaled ? receiver.scale : 0));
}

bool is_probe(const decode::Segment& segment, FlagSet flags) {
    return flags.has(Flag::keep_alive) || flags.has(Flag::zero_window_probe) ||
           segment.payload_bytes != 0;
}

}  // namespace

void Life::observe_window(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                          FlagSet flags) {
    const bool zero = flags.has(Flag::zero_window);
    if (!zero && !flags.has(Flag::window_full)) {
        return;
    }
    const auto waiting = static_cast<std::uint8_t>(zero ? sender ^ 1 : sender);
    const flow::Half& source = scene.flow->half[waiting];
    if ((source.bits & bit::kFin) != 0 || (source.bits & bit::kSeen) == 0) {
        return;  // nothing more to come, or nothing of it is seen
    }
    LifeRecord* record = find(scene, Watch::stall, waiting);
    if (record == nullptr) {
        record = watch(scene, Watch::stall, waiting);
        if (record == nullptr) {
            return;
        }
    }
    const std::uint32_t acknowledged = zero ? segment.ack : scene.flow->half[waiting ^ 1].ack;
    const bool first_zero = zero && (record->bits & stall_bit::kZero) == 0;
    if ((record->bits & stall_bit::kShut) == 0 || first_zero) {
        record->stall.since = moment_of(scene);
        record->stall.edge = zero ? segment.ack : segment.seq + segment.payload_bytes;
        record->number = after(source.seen_end, acknowledged) ? source.seen_end - acknowledged : 0;
    }
    record->bits &= static_cast<std::uint8_t>(~stall_bit::kOpened);
    record->bits |= stall_bit::kShut;
    record->bits |= zero ? stall_bit::kZero : stall_bit::kFull;
}

void Life::follow_stall(const Scene& scene, const decode::Segment& segment, std::uint8_t sender,
                        FlagSet flags) {
    if (LifeRecord* const mine = find(scene, Watch::stall, sender)) {
        follow_waiting(scene, segment, flags, *mine);
    }
    LifeRecord* const other = find(scene, Watch::stall, sender ^ 1);
    if (other == nullptr ||
        (other->bits & (stall_bit::kShut | stall_bit::kOpened)) != stall_bit::kShut) {
        return;
    }
    const Moment now = moment_of(scene);
    if ((segment.flags & flag::kRst) != 0) {
        end_stall(scene, *other, nullptr);
        return;
    }
    const std::uint32_t edge = edge_of(segment, scene.flow->half[sender]);
    const bool zero = (other->bits & stall_bit::kZero) != 0;
    if (zero ? segment.window != 0 : after(edge, other->stall.edge)) {
        end_stall(scene, *other, &now);
    } else if (!zero && segment.ack != other->stall.edge - other->number) {
        other->bits |= stall_bit::kHeld;
    }
}

// A segment of the side that waits.
void Life::follow_waiting(const Scene& scene, const decode::Segment& segment, FlagSet flags,
                          LifeRecord& record) {
    const bool reset = (segment.flags & flag::kRst) != 0;
    if ((record.bits & stall_bit::kShut) == 0) {
        return;
    }
    if (reset) {
        end_stall(scene, record, nullptr);
        return;
    }
    if ((record.bits & stall_bit::kOpened) != 0) {
        const bool in_time = elapsed(record.stall.opened.time, scene.now) <= stall_min(*scene.flow);
        if (in_time && segment.payload_bytes == 0) {
            return;
        }
        if (in_time && !flags.has(Flag::keep_alive)) {
            report_stall(scene, record, record.stall.opened.time);
        }
        forget_stall(record);
        return;
    }
    if (flags.has(Flag::retransmission) || flags.has(Flag::out_of_order)) {
        record.bits |= stall_bit::kRepaired;
    }
    const bool in_time = elapsed(record.stall.since.time, scene.now) <= kProbeMax;
    if ((record.bits & (stall_bit::kProbed | stall_bit::kZero)) == stall_bit::kZero && in_time &&
        is_probe(segment, flags)) {
        record.bits |= stall_bit::kProbed;
        record.stall.probe = moment_of(scene);
    }
}

// `opened`: the segment that moved the window; nullptr = the connection ended first.
void Life::end_stall(const Scene& scene, LifeRecord& record, const Moment* opened) {
    const Nanos end = opened != nullptr ? opened->time : scene.now;
    const std::uint8_t bits = record.bits;
    const bool zero = (bits & stall_bit::kZero) != 0;
    const bool long_enough = elapsed(record.stall.since.time, end) >= stall_min(*scene.flow) &&
                             (bits & stall_bit::kShut) != 0 && (bits & stall_bit::kOpened) == 0;
    const bool had_data =
        zero ? (bits & (stall_bit::kProbed | stall_bit::kFull)) != 0
             : (bits & (stall_bit::kHeld | stall_bit::kRepaired)) == stall_bit::kHeld;
    if (long_enough && had_data) {
        record.stall.opened = opened != nullptr ? *opened : Moment{};
        report_stall(scene, record, end);
    } else if (long_enough && zero && opened != nullptr) {
        record.stall.opened = *opened;
        record.bits |= stall_bit::kOpened;
        return;
    }
    forget_stall(record);
}

// Only how many there were is remembered.
void Life::forget_stall(LifeRecord& record) {
    if (record.count == 0) {
        drop(record);
        return;
    }
    record.bits = 0;
    record.number = 0;
    record.stall = StallWatch{};
}

void Life::report_stall(const Scene& scene, LifeRecord& record, Nanos end) {
    if (record.count == kStallsMax) {
        counters_.add(stats::Counter::events_withheld_stall);
        return;
    }
    ++record.count;
    const StallWatch& stall = record.stall;
    const bool zero = (record.bits & stall_bit::kZero) != 0;
    Event event = start_event(scene, record.side, EventType::stall);
    event.since = event.time = stall.since.time;
    event.time_end = std::max(end, stall.since.time);
    event.bytes = record.number;
    event.seq_begin = zero ? stall.edge : stall.edge - record.number;
    event.seq_end = event.seq_begin + record.number;
    event.subject[event.subjects_count++] = ref_of(scene, stall.since, Role::window);
    if (stall.probe.time != 0) {
        event.evidence[event.evidence_count++] = ref_of(scene, stall.probe, Role::probe);
    }
    if (stall.opened.time != 0) {
        event.evidence[event.evidence_count++] = ref_of(scene, stall.opened, Role::window);
    }
    Finding& finding = event.finding;
    finding.verdict = Verdict::receiver_limited;
    finding.rule = zero ? Rule::zero_window : Rule::window_full;
    finding.confidence = zero ? Confidence::proven : Confidence::probable;
    finding.place = Place::inside_receiver;
    finding.cost = finding.lag = elapsed(stall.since.time, event.time_end);
    emit(event, scene.now);
}

}  // namespace tw::tcp
