// SPDX-License-Identifier: BSD-3-Clause
// Resets that may not come from the host they name (Weaver, Sommer, Paxson, NDSS 2009). Two signs
// count: the claimed sender goes on, or the RST has travelled another distance than its segments.
// What kernels do on their own says nothing: another initial TTL, IP identification 0, window 0 and
// no options are what Linux, Windows and BSD give RSTs of closed sockets.
#include <algorithm>

#include "base/sequence.hpp"
#include "core/tcp/completeness.hpp"
#include "core/tcp/life_parts.hpp"

namespace tw::tcp {
namespace {

namespace bit = flow::half_bit;
using event::Confidence;
using event::Event;
using event::EventType;
using event::Finding;
using event::Place;
using event::Role;
using event::Rule;
using event::Verdict;

// Frames sent before the RST and captured after it come within this: queues on the path, and the
// order in which a capture merges. A stack that has sent a RST sends nothing of its own later.
constexpr Nanos kOvertakenMax = 100 * kMillisecond;
// A segment farther from the RST than this belongs to another connection of the same ports.
constexpr std::uint32_t kNearBytes = 1U << 24;
// Shorter silences end without anybody's timer.
constexpr Nanos kIdleMin = 5 * kSecond;
// Sightings of the connection that are looked at.
constexpr std::uint32_t kLookBack = 32;

// What is known of the claimed sender's own segments.
struct Sender {
    std::uint32_t segments = 0;
    bool same_distance = false;     // one of them came as far as the RST
    std::uint32_t ids_in_step = 0;  // in a row, from the latest
    std::uint16_t last_id = 0;
    Nanos last_time = 0;
    Nanos first_time = 0;  // of those in step
};

Sender look_at_sender(const History& history, const Sighting& rst) {
    // A counter per connection steps by 1, one per host by what else it sends.
    constexpr std::uint16_t kStepMax = 16;
    Sender sender;
    bool in_step = true;
    std::uint16_t later_id = 0;
    const Sighting* s = history.before(rst);
    for (std::uint32_t i = 0; s != nullptr && i < kLookBack; ++i, s = history.before(*s)) {
        if (s->sender != rst.sender || s->has(decode::tcp_flag::kRst)) {
            continue;
        }
        sender.same_distance |= flow::hops_code(s->ttl) == flow::hops_code(rst.ttl);
        const auto step = static_cast<std::uint16_t>(later_id - s->ip_id);
        if (sender.segments++ == 0) {
            sender.last_id = s->ip_id;
            sender.last_time = s->time;
        } else {
            in_step &= step >= 1 && step <= kStepMax;
        }
        later_id = s->ip_id;
        if (in_step && s->ip_id != 0 && s->v6 == 0) {
            ++sender.ids_in_step;
            sender.first_time = s->time;
        }
    }
    return sender;
}

// The sender counts up in small steps, and at that pace it cannot have come to the RST's number.
bool out_of_step(const Sender& sender, const Sighting& rst) {
    constexpr std::uint32_t kInStepMin = 4;
    constexpr std::uint16_t kFarOff = 4096;
    const auto ahead = static_cast<std::uint16_t>(rst.ip_id - sender.last_id);
    const auto behind = static_cast<std::uint16_t>(sender.last_id - rst.ip_id);
    const Nanos pause = elapsed(sender.last_time, rst.time);
    const bool soon =
        pause <= std::max(elapsed(sender.first_time, sender.last_time), 10 * kMillisecond);
    return sender.ids_in_step >= kInStepMin && rst.ip_id != 0 && soon && ahead > kFarOff &&
           behind > kFarOff;
}

// The longest silence before the RST since its sender last spoke: of the connection, where the
// segments in between are still known.
Nanos idle_before(const History& history, const Sighting* rst, Nanos now, Nanos spoke) {
    Nanos idle = 0;
    Nanos later = now;
    const Sighting* s = rst == nullptr ? nullptr : history.before(*rst);
    for (std::uint32_t i = 0; s != nullptr && s->time > spoke && i < kLookBack; ++i) {
        idle = std::max(idle, elapsed(s->time, later));
        later = s->time;
        s = history.before(*s);
    }
    return std::max(idle, elapsed(spoke, later));
}

}  // namespace

void Life::observe_reset(const Scene& scene, const decode::Decoded& found, Nanos spoke) {
    const flow::Half& me = scene.flow->half[found.sender];
    constexpr std::uint8_t kEstablished = completeness::kAck | completeness::kData;
    // Before the handshake is over a RST refuses, and a client may try again (RFC 9293 3.5.1);
    // after the sender's FIN it only says that nobody listens any more.
    if ((scene.flow->completeness & kEstablished) == 0 || (me.bits & bit::kFin) != 0 ||
        me.packets < 2) {
        return;
    }
    LifeRecord* record = find(scene, Watch::reset, found.sender);
    if (record != nullptr) {
        record->count = static_cast<std::uint8_t>(std::min(record->count + 1, 255));
        const Sighting* const rst = history_.latest(*scene.flow, owner_of(scene));
        if (rst != nullptr && look_at_sender(history_, *rst).same_distance) {
            record->bits &= static_cast<std::uint8_t>(~reset_bit::kForeignTtl);
        }
        return;
    }
    record = watch(scene, Watch::reset, found.sender);
    if (record == nullptr) {
        return;
    }
    record->count = 1;
    record->reset.at = moment_of(scene);
    record->reset.before = {spoke, 0};
    record->reset.seq = found.segment.seq;
    note_sender(scene, found, *record);
}

void Life::note_sender(const Scene& scene, const decode::Decoded& found, LifeRecord& record) const {
    const Sighting* const rst = history_.latest(*scene.flow, owner_of(scene));
    ResetWatch& reset = record.reset;
    reset.idle = idle_before(history_, rst, scene.now, reset.before.time);
    const std::uint8_t known = scene.cold->hops(found.sender);
    const bool syn_differs = known != 0 && known != flow::hops_code(found.ttl);
    if (rst == nullptr) {
        return;
    }
    const Sender sender = look_at_sender(history_, *rst);
    const bool differs =
        sender.segments != 0 ? !sender.same_distance && (known == 0 || syn_differs) : syn_differs;
    record.bits |= differs ? reset_bit::kForeignTtl : std::uint8_t{0};
    record.bits |= out_of_step(sender, *rst) ? reset_bit::kForeignIpId : std::uint8_t{0};
    const Sighting* s = history_.before(*rst);
    for (std::uint32_t i = 0; s != nullptr && i < kLookBack; ++i, s = history_.before(*s)) {
        if (s->sender == found.sender && s->time == reset.before.time) {
            reset.before.frame = s->frame;
            return;
        }
    }
}

// Anything but SYN and RST from the side that is said to have reset the connection.
void Life::follow_reset(const Scene& scene, const decode::Segment& segment, std::uint8_t sender) {
    LifeRecord* const record = find(scene, Watch::reset, sender);
    if (record == nullptr || (record->bits & reset_bit::kReported) != 0) {
        return;
    }
    const std::uint32_t tap = scene.flow->tap;
    const bool rtt_known = (scene.flow->bits & flow::flow_bit::kRttSet) != 0;
    const Nanos wait = std::max({kOvertakenMax, 2 * direction_skew_[tap < kTapsMax ? tap : 0],
                                 rtt_known ? 2 * scene.flow->rtt_or_syn : 0});
    const std::uint32_t seq = record->reset.seq;
    const bool near = std::min(distance(seq, segment.seq), distance(segment.seq, seq)) < kNearBytes;
    if (near && elapsed(record->reset.at.time, scene.now) >= wait) {
        settle_reset(scene, *record, true);
        record->bits |= reset_bit::kReported;
    }
}

void Life::settle_reset(const Scene& scene, LifeRecord& record, bool went_on) {
    const ResetWatch& reset = record.reset;
    const bool foreign_ttl = (record.bits & reset_bit::kForeignTtl) != 0;
    const bool foreign_id = (record.bits & reset_bit::kForeignIpId) != 0;
    const bool third_party = went_on || foreign_ttl || foreign_id;
    if ((record.bits & reset_bit::kReported) != 0 || (!third_party && reset.idle < kIdleMin)) {
        return;
    }
    Event event = start_event(scene, record.side, EventType::reset);
    event.since = event.time = reset.at.time;
    event.time_end = went_on ? std::max(scene.now, reset.at.time) : reset.at.time;
    event.seq_begin = event.seq_end = reset.seq;
    event.repeats_count = record.count - 1U;
    event.subject[event.subjects_count++] = ref_of(scene, reset.at, Role::rst);
    if (reset.before.time != 0) {
        event.evidence[event.evidence_count++] = ref_of(scene, reset.before, Role::genuine);
    }
    if (went_on) {
        event.evidence[event.evidence_count++] = ref_of(scene, moment_of(scene), Role::genuine);
    }
    Finding& finding = event.finding;
    finding.lag = reset.idle < kIdleMin ? 0 : reset.idle;
    if (third_party) {
        finding.verdict = Verdict::rst_by_third_party;
        finding.place = Place::none;
        finding.rule = went_on       ? Rule::sender_went_on
                       : foreign_ttl ? Rule::foreign_ttl
                                     : Rule::foreign_ip_id;
        finding.confidence = went_on && foreign_ttl ? Confidence::proven : Confidence::probable;
    }
    emit(event, scene.now);
}

}  // namespace tw::tcp
