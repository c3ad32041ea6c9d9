// SPDX-License-Identifier: BSD-3-Clause
// The holes of one direction: how they open, fill, split, are asked for and acknowledged, and
// leave.
#include <algorithm>

#include "core/tcp/episodes.hpp"
#include "core/tcp/past.hpp"

namespace tw::tcp {

using event::Resolution;

void Episodes::open_hole(const Scene& scene, std::uint8_t owner, Range range, bool acknowledged) {
    EpisodeRecord* episodes = record(scene, true);
    if (episodes == nullptr) {
        return;
    }
    HalfEpisodes& half = episodes->side[owner];
    if (half.holes_count == kHolesPerHalf) {
        give_up_lowest(scene, owner, half);
    }
    Hole hole{};
    // Data shows a hole of its sender, an ACK one of the other side.
    const Nanos raised = acknowledged ? scene.flow->half[owner].nxt_time : scene.raised;
    hole.since = Lead(std::max(raised, scene.cold->first), scene.now);
    hole.begin = range.begin;
    hole.end = range.end;
    hole.opened = hole.acked = {scene.now, scene.frame};
    hole.acknowledged = acknowledged;
    hole.by_data = !acknowledged;
    if (const Sighting* opener = sighting(scene); opener != nullptr && !acknowledged) {
        hole.opener_tsval = opener->tsval;
        hole.opener_timed = opener->has_timestamps != 0;
        hole.opener_ack = opener->ack;
        hole.opener_ip_id = opener->ip_id;
        hole.opener_fin = opener->payload_bytes == 0 && opener->has(decode::tcp_flag::kFin);
    }
    if (!append(half, hole)) {
        limit_reached(scene, owner, hole);
    }
}

void Episodes::limit_reached(const Scene& scene, std::uint8_t owner, const Hole& hole) {
    counters_.add(stats::Counter::holes_exhausted);
    scene.flow->bits |= flow::flow_bit::kDetailsLost;
    report_hole(scene, owner, hole,
                hole.acknowledged ? Resolution::acknowledged_unseen : Resolution::unknown_limit);
}

// A new hole always lies above the others. It continues the last one where nothing was captured
// between the two.
bool Episodes::append(HalfEpisodes& half, const Hole& hole) {
    std::uint32_t* link = &half.holes_head;
    while (*link != 0) {
        Hole& last = holes_[*link];
        if (last.end == hole.begin && !last.acknowledged && !hole.acknowledged) {
            last.end = hole.end;
            return true;
        }
        link = &last.next;
    }
    const std::uint32_t index = holes_.take();
    if (index == 0) {
        return false;
    }
    holes_[index] = hole;
    *link = index;
    ++half.holes_count;
    half.waiting_count += hole.acknowledged ? 1U : 0U;
    return true;
}

void Episodes::drop(HalfEpisodes& half, std::uint32_t* link) {
    const std::uint32_t index = *link;
    half.waiting_count -= holes_[index].acknowledged ? 1U : 0U;
    --half.holes_count;
    *link = holes_[index].next;
    holes_.give_back(index);
}

// The list is full: the lowest one leaves.
void Episodes::give_up_lowest(const Scene& scene, std::uint8_t owner, HalfEpisodes& half) {
    limit_reached(scene, owner, holes_[half.holes_head]);
    drop(half, &half.holes_head);
}

std::uint32_t Episodes::captured_first(const Scene& scene, std::uint8_t owner, Range range) {
    EpisodeRecord* episodes = record(scene, false);
    if (episodes == nullptr || range.begin == range.end) {
        return 0;
    }
    HalfEpisodes& half = episodes->side[owner];
    const std::uint32_t missed = take_missed(half, range);
    const std::uint32_t filled = half.holes_head != 0 ? fill(scene, owner, half, range) : 0;
    // A range missed 2^32 bytes ago may overlap by accident: never more than what is there.
    return std::min(missed + filled, distance(range.begin, range.end));
}

// Counts the bytes of the range that were reported as missed. Captured now, they are remembered no
// more: what comes after this copy is a repeat.
std::uint32_t Episodes::take_missed(HalfEpisodes& half, Range range) {
    std::uint32_t bytes = 0;
    const std::uint32_t kept =
        half.missed_count < HalfEpisodes::kMissedMax ? half.missed_count : HalfEpisodes::kMissedMax;
    for (std::uint32_t i = 0; i < kept; ++i) {
        Range& missed = half.missed[i];
        if (at_or_before(range.end, missed.begin) || at_or_before(missed.end, range.begin)) {
            continue;
        }
        const Range part{after(range.begin, missed.begin) ? range.begin : missed.begin,
                         after(missed.end, range.end) ? range.end : missed.end};
        bytes += distance(part.begin, part.end);
        if (part.begin == missed.begin) {
            missed.begin = part.end;
        } else if (part.end == missed.end) {
            missed.end = part.begin;
        }
    }
    return bytes;
}

// Bytes of the range were captured: takes them out of the holes.
std::uint32_t Episodes::fill(const Scene& scene, std::uint8_t owner, HalfEpisodes& half,
                             Range range) {
    std::uint32_t filled = 0;
    for (std::uint32_t* link = &half.holes_head; *link != 0;) {
        Hole& hole = holes_[*link];
        if (at_or_before(range.end, hole.begin)) {
            break;
        }
        if (at_or_before(hole.end, range.begin)) {
            link = &hole.next;
            continue;
        }
        const Range part{after(range.begin, hole.begin) ? range.begin : hole.begin,
                         after(hole.end, range.end) ? range.end : hole.end};
        filled += distance(part.begin, part.end);
        fill_part(scene, owner, half, hole, part);
        if (hole.begin == hole.end) {
            drop(half, link);
        } else {
            link = &hole.next;
        }
    }
    return filled;
}

// What was filled becomes a case; what is left of the hole, to its left and right, stays open.
void Episodes::fill_part(const Scene& scene, std::uint8_t owner, HalfEpisodes& half, Hole& hole,
                         Range part) {
    add_fill(scene, owner, half, hole, part);
    if (part.begin == hole.begin) {
        hole.begin = part.end;
        return;
    }
    if (part.end != hole.end && !split(half, hole, part.end)) {
        Hole right = hole;
        right.begin = part.end;
        limit_reached(scene, owner, right);
    }
    hole.end = part.begin;
}

// Cuts [begin, end) into [begin, at) and [at, end).
bool Episodes::split(HalfEpisodes& half, Hole& hole, std::uint32_t at) {
    const std::uint32_t index = half.holes_count < 2 * kHolesPerHalf ? holes_.take() : 0;
    if (index == 0) {
        return false;
    }
    Hole right = hole;
    right.begin = at;
    holes_[index] = right;
    hole.end = at;
    hole.next = index;
    ++half.holes_count;
    half.waiting_count += hole.acknowledged ? 1U : 0U;
    return true;
}

// The receiver has `range`: what of it lies in holes was missed by the capture, unless it turns up
// within direction_skew.
void Episodes::acknowledge(const Scene& scene, HalfEpisodes& half, Range range, bool by_sack) {
    for (std::uint32_t index = half.holes_head; index != 0; index = holes_[index].next) {
        Hole* hole = &holes_[index];
        if (at_or_before(range.end, hole->begin)) {
            break;
        }
        if (hole->acknowledged || at_or_before(hole->end, range.begin)) {
            continue;
        }
        // Where a cut is refused the hole stays open: a later cumulative ACK covers it whole.
        if (after(range.begin, hole->begin)) {
            (void)split(half, *hole, range.begin);
            continue;
        }
        if (after(hole->end, range.end) && !split(half, *hole, range.end)) {
            continue;
        }
        hole->acknowledged = true;
        hole->by_sack = by_sack;
        hole->acked = {scene.now, scene.frame};
        ++half.waiting_count;
    }
}

void Episodes::report_waited(const Scene& scene, std::uint8_t owner, HalfEpisodes& half) {
    if (half.waiting_count == 0) {
        return;
    }
    const std::uint16_t tap = scene.flow->tap;
    const Nanos skew = direction_skew_[tap < kTapsMax ? tap : 0];
    for (std::uint32_t* link = &half.holes_head; *link != 0;) {
        Hole& hole = holes_[*link];
        if (!hole.acknowledged || scene.now - hole.acked.time < skew) {
            link = &hole.next;
            continue;
        }
        report_hole(scene, owner, hole, Resolution::acknowledged_unseen);
        half.missed[half.missed_count++ % HalfEpisodes::kMissedMax] = {hole.begin, hole.end};
        drop(half, link);
    }
}

// The receiver shows that it lacks bytes although later ones arrived (RFC 5681 section 4.2, RFC
// 2018): a duplicate ACK asks for the lowest hole, a SACK block for all holes below it.
void Episodes::note_asks(const Scene& scene, HalfEpisodes& half, const decode::Segment& s,
                         const OptionFacts& options, FlagSet flags) {
    constexpr std::uint8_t kNoAck =
        decode::tcp_flag::kSyn | decode::tcp_flag::kFin | decode::tcp_flag::kRst;
    const Sighting* const seen = sighting(scene);
    if (seen == nullptr || s.payload_bytes != 0 || (s.flags & kNoAck) != 0 ||
        is_copy(history_, *seen)) {
        return;
    }
    const Sighting* const before = before_of_sender(history_, *seen);
    const bool again =
        flags.has(Flag::duplicate_ack) || (before != nullptr && before->ack == s.ack);
    for (std::uint32_t index = half.holes_head; index != 0; index = holes_[index].next) {
        Hole& hole = holes_[index];
        bool asks = again && hole.begin == s.ack;
        for (std::uint32_t i = seen->is_dsack; i < options.sack_count && !asks; ++i) {
            asks = at_or_before(s.ack, hole.begin) && at_or_before(hole.end, options.sack[i].left);
        }
        if (asks && !hole.acknowledged) {
            if (hole.asked == 0) {
                hole.ask = {scene.now, scene.frame};
                hole.ask_number = s.ack;
            }
            hole.asked = static_cast<std::uint16_t>(hole.asked + (hole.asked != UINT16_MAX));
        }
    }
}

}  // namespace tw::tcp
