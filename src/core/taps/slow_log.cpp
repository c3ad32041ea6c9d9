// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/slow_log.hpp"

#include <algorithm>

namespace tw::taps {
namespace {

constexpr Nanos kSpread = 3;
constexpr Nanos kFloor = 20 * kMicrosecond;

// True if the interval took the packets in; they overlap it or follow closely.
bool join(SlowInterval& interval, const SlowInterval& more) {
    if (more.from > interval.until + SlowLog::kApartMax ||
        more.until < interval.from - SlowLog::kApartMax) {
        return false;
    }
    interval.from = std::min(interval.from, more.from);
    interval.until = std::max(interval.until, more.until);
    interval.worst = std::max(interval.worst, more.worst);
    interval.packets += more.packets;
    return true;
}

}  // namespace

Nanos slow_above(const TransitHistogram& usual) {
    const Nanos half = usual.quantile(0.5);
    const Nanos spread =
        std::min(usual.quantile(0.99) - half, kSpread * (usual.quantile(0.9) - half));
    return half + std::max({kSpread * spread, half / 2, kFloor});
}

SlowLog::SlowLog(Backing backing)
    : intervals_(kIntervalsMax, backing), first_(kFirstPairs, backing) {}

void SlowLog::look(const TransitHistogram& usual) {
    limit_ = slow_above(usual);
}

void SlowLog::add_slow(Nanos entered, Nanos transit) {
    const SlowInterval one{entered, entered, transit, 1};
    if (count_ != 0 && join(intervals_[count_ - 1], one)) {
        return;
    }
    if (count_ == kIntervalsMax) {
        ++dropped_;
        return;
    }
    intervals_[count_++] = one;
}

std::size_t SlowLog::above(Nanos limit, std::uint64_t packets_min,
                           std::span<SlowInterval> out) const {
    std::size_t count = 0;
    SlowInterval open;
    const auto close = [&] {
        if (open.packets >= packets_min && open.packets != 0 && count < out.size()) {
            out[count++] = open;
        }
    };
    const auto take = [&](const SlowInterval& more) {
        if (open.packets != 0 && join(open, more)) {
            return;
        }
        close();
        open = more;
    };
    const auto first_count = std::min<std::uint64_t>(seen_, kFirstPairs);
    for (std::uint64_t i = 0; i < first_count; ++i) {
        if (first_[i].transit > limit) {
            take({first_[i].entered, first_[i].entered, first_[i].transit, 1});
        }
    }
    for (std::uint32_t i = 0; i < count_; ++i) {
        if (intervals_[i].worst > limit) {
            take(intervals_[i]);
        }
    }
    close();
    return count;
}

void SlowLog::add(const SlowLog& other, Nanos limit) {
    const auto first_count = std::min<std::uint64_t>(other.seen_, kFirstPairs);
    if (seen_ == 0 && count_ == 0) {
        std::copy_n(other.first_.data(), first_count, first_.data());
        std::copy_n(other.intervals_.data(), other.count_, intervals_.data());
        seen_ = other.seen_;
        limit_ = other.limit_;
        count_ = other.count_;
        dropped_ = other.dropped_;
        return;
    }
    dropped_ += other.dropped_;
    for (std::uint64_t i = 0; i < first_count; ++i) {
        if (other.first_[i].transit > limit) {
            add_slow(other.first_[i].entered, other.first_[i].transit);
        }
    }
    for (std::uint32_t i = 0; i < other.count_; ++i) {
        if (count_ == kIntervalsMax) {
            ++dropped_;
        } else {
            intervals_[count_++] = other.intervals_[i];
        }
    }
    merge_neighbours();
}

void SlowLog::merge_neighbours() {
    SlowInterval* const begin = intervals_.data();
    std::sort(begin, begin + count_,
              [](const SlowInterval& a, const SlowInterval& b) { return a.from < b.from; });
    std::uint32_t kept = 0;
    for (std::uint32_t i = 0; i < count_; ++i) {
        if (kept == 0 || !join(intervals_[kept - 1], intervals_[i])) {
            intervals_[kept++] = intervals_[i];
        }
    }
    count_ = kept;
}

}  // namespace tw::taps
