// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/ladder_log.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <unordered_set>

#include "base/byte_reader.hpp"
#include "core/event/verdict.hpp"
#include "sinks/summary.hpp"

namespace tw::sinks {
namespace {

namespace tcp_flag = decode::tcp_flag;
using event::EventType;
using event::Verdict;

// Rows on each side of one that is kept for itself.
constexpr std::size_t kAround = 4;

// Kinds of TCP options (RFC 9293 3.2, RFC 7323, RFC 2018).
constexpr std::uint8_t kEndOfList = 0;
constexpr std::uint8_t kNop = 1;
constexpr std::uint8_t kMss = 2;
constexpr std::uint8_t kWindowScale = 3;
constexpr std::uint8_t kSackPermitted = 4;
constexpr std::uint8_t kSack = 5;
constexpr std::uint8_t kTimestamps = 8;
constexpr std::int8_t kShiftMax = 14;  // RFC 7323 2.3

// How much a finding changes what its reader does next; more is graver.
[[nodiscard]] int gravity(const event::Event& event) {
    switch (event.finding.verdict) {
        case Verdict::never_recovered:
        case Verdict::sequence_overshoot:
            return 10;
        case Verdict::rst_by_third_party:
        case Verdict::syn_unanswered:
            return 9;
        case Verdict::lost_before_tap:
        case Verdict::lost_after_tap:
            return 8;
        case Verdict::missed_by_capture:
            return 7;
        case Verdict::ack_lost:
        case Verdict::one_sided:
            return 6;
        case Verdict::unknown:
        case Verdict::receiver_limited:
            return 5;
        case Verdict::spurious_retransmission:
        case Verdict::duplicated_in_network:
            return 4;
        case Verdict::reordered_before_tap:
            return 3;
        case Verdict::duplicated_by_mirror:
        case Verdict::reordered_in_capture:
            return 2;
        case Verdict::none:
            break;
    }
    const bool hole = event.type == EventType::hole;
    return hole && still_missing(event.resolution) ? 7 : hole ? 5 : 4;
}

}  // namespace

bool LadderRow::notable() const {
    return !flags.empty() ||
           (tcp_flags & (tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst)) != 0 ||
           sack_count != 0 || quoted || !length_known;
}

bool graver(const event::Event& a, const event::Event& b) {
    const auto key = [](const event::Event& event) {
        return std::tuple(-gravity(event), -event.finding.cost, UINT64_MAX - event.bytes, event.id);
    };
    return key(a) < key(b);
}

void LadderLog::add(const Frame& frame, const decode::Decoded& found,
                    const Observation& observation) {
    const decode::Segment& segment = found.segment;
    const std::uint8_t side = found.sender;
    LadderRow row;
    row.time = frame.time;
    row.frame = frame.number;
    row.side = side;
    row.quoted = segment.quoted;
    row.length_known = segment.payload_known;
    learn_bases(segment, side);
    row.seq = segment.seq;
    row.relative_seq = segment.seq - base_[side];
    row.relative_ack = segment.ack - base_[side ^ 1U];
    row.payload_bytes = segment.payload_bytes;
    row.tcp_flags = segment.flags;
    row.flags = observation.flags;
    read_options(segment, side, row);
    if (row.has(tcp_flag::kSyn) && !row.quoted) {
        learn_scale(row);
    }
    // Both sides must offer it, and it does not hold for the SYNs themselves (RFC 7323 2.2).
    row.window_scaled = !row.has(tcp_flag::kSyn) && syn_seen_[0] && syn_seen_[1];
    const bool scaled = row.window_scaled && shift_[0] >= 0 && shift_[1] >= 0;
    row.window = std::uint32_t{segment.window} << (scaled ? shift_[side] : 0);

    row.segments = last_.segments;
    row.bytes = last_.bytes;
    ++row.segments[side];
    row.bytes[side] += row.quoted ? 0 : segment.payload_bytes;
    row.flagged = last_.flagged + (row.flags.empty() ? 0 : 1);
    last_ = row;
    if (rows_.size() >= options_.rows_max) {
        thin();
    }
    rows_.push_back(row);
}

// As Wireshark counts: from the SYN, else from the first number seen of a side or acknowledged.
void LadderLog::learn_bases(const decode::Segment& segment, std::uint8_t side) {
    const bool syn = (segment.flags & tcp_flag::kSyn) != 0;
    if (syn && base_set_[side] && (segment.flags & tcp_flag::kAck) != 0) {
        base_[side] = segment.seq;
    }
    if (!segment.payload_known) {
        return;
    }
    if (!base_set_[side]) {
        base_set_[side] = true;
        base_[side] = syn ? segment.seq : segment.seq - 1;
    }
    if (!base_set_[side ^ 1U] && (segment.flags & tcp_flag::kAck) != 0) {
        base_set_[side ^ 1U] = true;
        base_[side ^ 1U] = segment.ack - 1;
    }
}

void LadderLog::learn_scale(const LadderRow& row) {
    syn_seen_[row.side] = true;
    shift_[row.side] = row.window_shift;
}

void LadderLog::read_options(const decode::Segment& segment, std::uint8_t side, LadderRow& row) {
    const std::uint8_t peer = side ^ 1U;
    ByteReader rest(segment.options, segment.options_bytes, segment.options_bytes);
    while (rest.has(2)) {
        const std::uint8_t kind = rest.u8(0);
        if (kind == kEndOfList) {
            return;
        }
        if (kind == kNop) {
            rest.skip(1);
            continue;
        }
        const std::uint8_t bytes = rest.u8(1);
        if (bytes < 2 || !rest.has(bytes)) {
            return;
        }
        if (kind == kMss && bytes == 4) {
            row.mss = rest.be16(2);
        } else if (kind == kWindowScale && bytes == 3) {
            row.window_shift = static_cast<std::int8_t>(std::min<int>(rest.u8(2), kShiftMax));
        } else if (kind == kSackPermitted && bytes == 2) {
            row.sack_permitted = true;
        } else if (kind == kTimestamps && bytes == 10) {
            row.timestamps = true;
            row.ts_value = rest.be32(2);
            row.ts_echo = rest.be32(6);
        } else if (kind == kSack) {
            for (std::uint8_t at = 2; at + 8 <= bytes && row.sack_count < row.sack.size();
                 at = static_cast<std::uint8_t>(at + 8)) {
                row.sack[row.sack_count++] = {rest.be32(at) - base_[peer],
                                              rest.be32(at + 4U) - base_[peer]};
            }
        }
        rest.skip(bytes);
    }
}

// Frees at least a quarter of the rows: cheap per segment, since it comes that seldom.
void LadderLog::thin() {
    const std::size_t max = options_.rows_max;
    const std::size_t head = max / 8;
    const std::size_t tail = rows_.size() - max / 4;
    std::unordered_set<std::uint64_t> referenced;
    for (const event::Event& event : events_) {
        for (const event::FrameRef& ref : event.subject) {
            referenced.insert(ref.frame);
        }
        for (const event::FrameRef& ref : event.evidence) {
            referenced.insert(ref.frame);
        }
    }
    std::vector<LadderRow> kept(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(head));
    std::size_t keep_until = 0;  // one past the last row kept for one before it
    std::size_t next = head;     // not decided yet
    for (std::size_t i = head; i < rows_.size(); ++i) {
        if (i >= tail || rows_[i].notable() || referenced.contains(rows_[i].frame)) {
            next = std::max(next, i - std::min(i - head, kAround));
            keep_until = i + kAround + 1;
        }
        if (i < keep_until) {
            kept.insert(kept.end(), rows_.begin() + static_cast<std::ptrdiff_t>(next),
                        rows_.begin() + static_cast<std::ptrdiff_t>(i + 1));
            next = i + 1;
        }
    }
    if (kept.size() > max / 4 * 3) {
        // Something happens all the time: the middle goes, oldest first.
        const std::size_t surplus = kept.size() - max / 2;
        const auto from = kept.begin() + static_cast<std::ptrdiff_t>(head);
        kept.erase(from, from + static_cast<std::ptrdiff_t>(surplus));
    }
    rows_ = std::move(kept);
}

void LadderLog::add(const event::Event& event) {
    ++episodes_;
    const event::Finding& finding = event.finding;
    // Where there is a verdict, that says more than how the episode ended.
    const event::Resolution resolution =
        finding.verdict == Verdict::none ? event.resolution : event::Resolution::never;
    const EpisodeKind kind{event.direction, finding.verdict, finding.cause,
                           finding.place,   event.type,      resolution};
    const auto [at, first] = sums_.try_emplace(kind);
    EpisodeSum& sum = at->second;
    if (first) {
        sum.example = event;
    }
    ++sum.episodes;
    sum.proven += finding.confidence == event::Confidence::proven ? 1U : 0U;
    sum.bytes += event.bytes;
    sum.cost += finding.cost;
    events_.push_back(event);
    if (events_.size() >= 2 * kEventsMax) {
        keep_gravest(events_, options_.episode, kEventsMax);
    }
}

std::vector<event::Event> LadderLog::events() const {
    std::vector<event::Event> events = events_;
    keep_gravest(events, options_.episode, kEventsMax);
    std::sort(events.begin(), events.end(), [](const auto& a, const auto& b) {
        return std::tuple(a.time, a.id) < std::tuple(b.time, b.id);
    });
    return events;
}

void keep_gravest(std::vector<event::Event>& events, std::uint64_t wanted, std::size_t count_max) {
    if (events.size() <= count_max) {
        return;
    }
    const auto order = [wanted](const event::Event& a, const event::Event& b) {
        return (a.id == wanted) != (b.id == wanted) ? a.id == wanted : graver(a, b);
    };
    const auto end = events.begin() + static_cast<std::ptrdiff_t>(count_max);
    std::nth_element(events.begin(), end, events.end(), order);
    events.erase(end, events.end());
}

}  // namespace tw::sinks
