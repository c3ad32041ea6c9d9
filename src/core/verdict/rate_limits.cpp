// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/rate_limits.hpp"

#include <algorithm>

namespace tw::verdict {
namespace {

constexpr std::uint32_t kLossesMin = 10;
constexpr Nanos kTimeMin = kSecond;
constexpr double kSegmentGuess = 1448;
// What passed unharmed at first, in segments: less than that is no burst.
constexpr double kBurstMin = 8;
// How far the points may stray, root mean square: as many segments, or this part of the burst.
constexpr double kStraySegments = 4;
constexpr double kStrayOfBurst = 0.1;

// The first copy is what the limit threw away.
Nanos lost_at(const event::Event& loss) {
    for (std::size_t i = 0; i < loss.subjects_count; ++i) {
        if (loss.subject[i].role == event::Role::original) {
            return loss.subject[i].time;
        }
    }
    for (std::size_t i = 0; i < loss.evidence_count; ++i) {
        if (loss.evidence[i].role == event::Role::original) {
            return loss.evidence[i].time;
        }
    }
    return loss.time;
}

}  // namespace

void RateLimits::add(const event::Event& loss) {
    if (!loss.seq_base_known) {
        return;
    }
    Row* row = nullptr;
    for (std::uint32_t i = 0; i < kRowsMax; ++i) {
        Row& other = rows_[i];
        if (other.used && other.stream == loss.flow.stream && other.direction == loss.direction) {
            row = &other;
            break;
        }
        if (row == nullptr || (row->used && (!other.used || other.losses < row->losses))) {
            row = &other;
        }
    }
    if (!row->used || row->stream != loss.flow.stream || row->direction != loss.direction) {
        rows_used_ += row->used ? 0U : 1U;
        *row = Row{};
        row->used = true;
        row->tap = loss.tap;
        row->stream = loss.flow.stream;
        row->direction = loss.direction;
    }
    ++row->losses;
    row->segment_bytes = std::max(row->segment_bytes, loss.finding.segment_bytes);
    if (row->points_count == kPointsMax) {
        return;
    }
    const std::uint32_t offset = loss.seq_begin - loss.seq_base;
    std::uint64_t sent = offset;
    if (row->points_count != 0) {
        // Round the circle of sequence numbers: near the point before.
        const std::uint64_t before = row->points[row->points_count - 1].sent;
        sent =
            before + static_cast<std::uint64_t>(static_cast<std::int64_t>(
                         static_cast<std::int32_t>(offset - static_cast<std::uint32_t>(before))));
    }
    row->points[row->points_count++] = {
        lost_at(loss), sent,
        static_cast<std::uint32_t>(std::min<std::uint64_t>(loss.bytes, UINT32_MAX))};
}

void RateLimits::add(const event::FlowRecord& record, PatternList& found) {
    for (std::uint32_t i = 0; rows_used_ != 0 && i < kRowsMax; ++i) {
        Row& row = rows_[i];
        if (!row.used || row.stream != record.flow.stream) {
            continue;
        }
        Pattern pattern;
        if (fit(row, record.first, pattern)) {
            pattern.flow = record.flow;
            found.add(pattern);
        }
        row.used = false;
        --rows_used_;
    }
}

// Least squares through the points from the first loss to the last.
bool RateLimits::fit(const Row& row, Nanos start, Pattern& pattern) {
    std::array<Point, kPointsMax> points = row.points;
    const auto begin = points.begin();
    const auto end = begin + row.points_count;
    std::sort(begin, end, [](const Point& a, const Point& b) {
        return a.time != b.time ? a.time < b.time : a.sent < b.sent;
    });
    if (row.points_count < kLossesMin || (end - 1)->time - begin->time < kTimeMin) {
        return false;
    }
    // What was lost did not pass the limit: it takes no tokens. Seconds and bytes from the first.
    double sum_t = 0;
    double sum_s = 0;
    double sum_tt = 0;
    double sum_ts = 0;
    double lost = 0;
    std::array<double, kPointsMax> passed{};
    std::array<double, kPointsMax> time{};
    for (std::size_t i = 0; i < row.points_count; ++i) {
        time[i] = static_cast<double>(points[i].time - start) / 1e9;
        passed[i] = static_cast<double>(points[i].sent);
        lost += points[i].lost;
        sum_t += time[i];
        sum_s += passed[i];
        sum_tt += time[i] * time[i];
        sum_ts += time[i] * passed[i];
    }
    const auto n = static_cast<double>(row.points_count);
    const double spread = n * sum_tt - sum_t * sum_t;
    if (spread <= 0) {
        return false;
    }
    const double rate = (n * sum_ts - sum_t * sum_s) / spread;
    const double burst = (sum_s - rate * sum_t) / n;
    double squares = 0;
    for (std::size_t i = 0; i < row.points_count; ++i) {
        const double off = passed[i] - burst - rate * time[i];
        squares += off * off;
    }
    const double segment = row.segment_bytes == 0 ? kSegmentGuess : row.segment_bytes;
    const double stray = std::max(kStraySegments * segment, kStrayOfBurst * burst);
    const double ran = rate * (time[row.points_count - 1] - time[0]);
    if (rate <= 0 || burst < kBurstMin * segment || squares > n * stray * stray ||
        ran < 2 * burst) {
        return false;
    }
    pattern.id = PatternId::policing;
    pattern.tap = row.tap;
    pattern.direction = row.direction;
    pattern.from = points[0].time;
    pattern.until = points[row.points_count - 1].time;
    pattern.matching = row.points_count;
    pattern.of = row.losses;
    pattern.connections = 1;
    pattern.bytes = static_cast<std::uint64_t>(lost);
    pattern.rate = static_cast<std::uint64_t>(rate);
    pattern.burst = static_cast<std::uint64_t>(burst);
    return true;
}

}  // namespace tw::verdict
