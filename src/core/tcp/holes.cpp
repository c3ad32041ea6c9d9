// SPDX-License-Identifier: BSD-3-Clause
// The holes of one direction: how they open, fill, split, are acknowledged and leave.
#include <algorithm>

#include "core/tcp/episodes.hpp"

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
    hole.begin = hole.origin = range.begin;
    hole.end = range.end;
    hole.opened_time = hole.touched_time = scene.now;
    hole.opened_frame = hole.touched_frame = scene.frame;
    hole.acknowledged = acknowledged;
    if (!append(half, hole)) {
        counters_.add(stats::Counter::holes_exhausted);
        scene.flow->bits |= flow::flow_bit::kDetailsLost;
        report_hole(scene, owner, hole, range, Resolution::unknown_limit);
    }
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
    Hole& lowest = holes_[half.holes_head];
    counters_.add(stats::Counter::holes_exhausted);
    scene.flow->bits |= flow::flow_bit::kDetailsLost;
    flush_prefix(scene, owner, lowest);
    report_hole(scene, owner, lowest, {lowest.begin, lowest.end},
                lowest.acknowledged ? Resolution::acknowledged_unseen : Resolution::unknown_limit);
    drop(half, &half.holes_head);
}

std::uint32_t Episodes::captured_first(const Scene& scene, std::uint8_t owner, Range range) {
    EpisodeRecord* episodes = record(scene, false);
    if (episodes == nullptr || range.begin == range.end) {
        return 0;
    }
    HalfEpisodes& half = episodes->side[owner];
    const std::uint32_t missed = missed_before(half, range);
    const std::uint32_t filled = half.holes_head != 0 ? fill(scene, owner, half, range) : 0;
    // A range missed 2^32 bytes ago may overlap by accident: never more than what is there.
    return std::min(missed + filled, distance(range.begin, range.end));
}

std::uint32_t Episodes::missed_before(const HalfEpisodes& half, Range range) {
    std::uint32_t bytes = 0;
    const std::uint32_t kept =
        half.missed_count < HalfEpisodes::kMissedMax ? half.missed_count : HalfEpisodes::kMissedMax;
    for (std::uint32_t i = 0; i < kept; ++i) {
        const Range& missed = half.missed[i];
        if (at_or_before(range.end, missed.begin) || at_or_before(missed.end, range.begin)) {
            continue;
        }
        bytes += distance(after(range.begin, missed.begin) ? range.begin : missed.begin,
                          after(missed.end, range.end) ? range.end : missed.end);
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
            flush_prefix(scene, owner, hole);
            drop(half, link);
        } else {
            link = &hole.next;
        }
    }
    return filled;
}

// From the left the hole shrinks and remembers what was filled, so that a hole refilled in order is
// one episode; anywhere else the filled part is reported at once.
void Episodes::fill_part(const Scene& scene, std::uint8_t owner, HalfEpisodes& half, Hole& hole,
                         Range part) {
    if (part.begin == hole.begin) {
        hole.begin = part.end;
        hole.touched_time = scene.now;
        hole.touched_frame = scene.frame;
        return;
    }
    Hole middle = hole;
    middle.touched_time = scene.now;
    middle.touched_frame = scene.frame;
    report_hole(scene, owner, middle, part,
                hole.acknowledged ? Resolution::filled_after_ack : Resolution::filled);
    if (part.end != hole.end && !split(half, hole, part.end)) {
        counters_.add(stats::Counter::holes_exhausted);
        scene.flow->bits |= flow::flow_bit::kDetailsLost;
        report_hole(scene, owner, hole, {part.end, hole.end}, Resolution::unknown_limit);
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
    right.begin = right.origin = at;
    holes_[index] = right;
    hole.end = at;
    hole.next = index;
    ++half.holes_count;
    half.waiting_count += hole.acknowledged ? 1U : 0U;
    return true;
}

// The receiver has `range`: what of it lies in holes was missed by the capture, unless it turns up
// within direction_skew.
void Episodes::acknowledge(const Scene& scene, std::uint8_t owner, HalfEpisodes& half,
                           Range range) {
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
        flush_prefix(scene, owner, *hole);
        hole->acknowledged = true;
        ++half.waiting_count;
        hole->touched_time = scene.now;
        hole->touched_frame = scene.frame;
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
        if (!hole.acknowledged || scene.now - hole.touched_time < skew) {
            link = &hole.next;
            continue;
        }
        flush_prefix(scene, owner, hole);
        report_hole(scene, owner, hole, {hole.begin, hole.end}, Resolution::acknowledged_unseen);
        half.missed[half.missed_count++ % HalfEpisodes::kMissedMax] = {hole.begin, hole.end};
        drop(half, link);
    }
}

// What was filled from the left so far is an episode of its own once the rest goes another way.
void Episodes::flush_prefix(const Scene& scene, std::uint8_t owner, Hole& hole) {
    if (hole.origin != hole.begin) {
        report_hole(scene, owner, hole, {hole.origin, hole.begin},
                    hole.acknowledged ? Resolution::filled_after_ack : Resolution::filled);
    }
    hole.origin = hole.begin;
}

}  // namespace tw::tcp
