// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/intervals.hpp"

#include <algorithm>
#include <utility>

namespace tw::verdict {
namespace {

constexpr std::uint32_t kBurstFlows = 8;
constexpr std::uint32_t kBurstDensity = 5;
constexpr std::uint32_t kOverloadMisses = 20;
constexpr std::uint32_t kOverloadFlows = 5;
constexpr std::uint32_t kOverloadPerCent = 80;

std::int64_t index_of(Nanos time) {
    return time >= 0 ? time / kInterval : -((-(time + 1)) / kInterval) - 1;
}

}  // namespace

bool is_network_loss(const event::Event& event) {
    return event::verdict_table()[static_cast<std::size_t>(event.finding.verdict)].network_loss;
}

Intervals::Intervals(stats::Counters& counters)
    : counters_(counters), intervals_(kOpenMax, Backing::lazy) {}

void Intervals::Flows::note(std::uint32_t wanted) {
    const auto end = stream.begin() + count;
    if (count < kFlowsMax && std::find(stream.begin(), end, wanted) == end) {
        stream[count++] = wanted;
    }
}

void Intervals::note(Cell& cell, const event::Event& event) {
    cell.first = cell.episodes == 0 ? event.time : std::min(cell.first, event.time);
    cell.last = cell.episodes == 0 ? event.time : std::max(cell.last, event.time);
    ++cell.episodes;
    cell.bytes += event.bytes;
    cell.flows.note(event.flow.stream);
}

Intervals::Interval* Intervals::interval_of(std::uint8_t tap, Nanos time) {
    const std::int64_t index = index_of(time);
    if (index < ended_until_) {
        return nullptr;
    }
    Interval* unused = nullptr;
    for (std::uint32_t i = 0; i < kOpenMax; ++i) {
        Interval& interval = intervals_[i];
        if (interval.open && interval.index == index && interval.tap == tap) {
            return &interval;
        }
        unused = interval.open ? unused : &interval;
    }
    if (unused != nullptr) {
        *unused = Interval{};
        unused->open = true;
        unused->tap = tap;
        unused->index = index;
    }
    return unused;
}

void Intervals::add(const event::Event& event, std::uint32_t load) {
    const bool missed = event.finding.verdict == event::Verdict::missed_by_capture;
    if (!missed && !is_network_loss(event)) {
        return;
    }
    Interval* interval = interval_of(event.tap, event.time);
    if (interval == nullptr) {
        counters_.add(stats::Counter::verdict_patterns_lost);
        return;
    }
    if (!missed) {
        ++interval->losses;
        // Unsigned: the first interval of all times begins before they do.
        const auto into = static_cast<std::uint64_t>(event.time) -
                          static_cast<std::uint64_t>(interval->index) * std::uint64_t{kInterval};
        note(interval->cells[into / kCellTime], event);
        return;
    }
    ++interval->misses;
    if (event.finding.cause == event::Cause::mirror) {
        note(interval->mirror, event);
        interval->load_sum += load;
        interval->load_count += load != 0 ? 1 : 0;
    }
}

std::uint32_t Intervals::advance(Nanos until, PatternList& found) {
    const std::int64_t index = index_of(until);
    if (index <= ended_until_) {
        return 0;
    }
    ended_until_ = index;
    std::uint32_t ended = 0;
    while (true) {
        // In order of time, then of taps.
        Interval* first = nullptr;
        for (std::uint32_t i = 0; i < kOpenMax; ++i) {
            Interval& interval = intervals_[i];
            const bool over = interval.open && interval.index < index;
            const auto order = [](const Interval& a) { return std::pair(a.index, a.tap); };
            if (over && (first == nullptr || order(interval) < order(*first))) {
                first = &interval;
            }
        }
        if (first == nullptr) {
            return ended;
        }
        look_for_burst(*first, found);
        look_for_overload(*first, found);
        first->open = false;
        ++ended;
    }
}

void Intervals::Cell::add(const Cell& next) {
    if (next.episodes == 0) {
        return;
    }
    first = episodes == 0 ? next.first : std::min(first, next.first);
    last = episodes == 0 ? next.last : std::max(last, next.last);
    episodes += next.episodes;
    bytes += next.bytes;
    for (std::uint32_t i = 0; i < next.flows.count; ++i) {
        flows.note(next.flows.stream[i]);
    }
}

// The two neighbouring cells with most losses, 200 ms. A rush that goes on is no burst, so they
// must also outweigh the second before and after them.
void Intervals::look_for_burst(const Interval& interval, PatternList& found) {
    Cell best{};
    std::uint32_t at = 0;
    for (std::uint32_t i = 0; i + 1 < kCells; ++i) {
        Cell both = interval.cells[i];
        both.add(interval.cells[i + 1]);
        if (both.flows.count >= kBurstFlows && both.episodes > best.episodes) {
            best = both;
            at = i;
        }
    }
    std::uint32_t around = 0;
    const std::uint32_t until = std::min(at + 2 + kSecondCells, kCells);
    for (std::uint32_t i = at > kSecondCells ? at - kSecondCells : 0; i < until; ++i) {
        around += interval.cells[i].episodes;
    }
    const std::uint64_t others = interval.losses - best.episodes;
    if (best.episodes == 0 || 2 * best.episodes < around ||
        std::uint64_t{best.episodes} * (kCells - 2) < 2 * kBurstDensity * others) {
        return;
    }
    Pattern pattern;
    pattern.id = PatternId::burst_loss;
    pattern.tap = interval.tap;
    pattern.from = best.first;
    pattern.until = best.last;
    pattern.matching = best.episodes;
    pattern.of = interval.losses;
    pattern.connections = best.flows.count;
    pattern.bytes = best.bytes;
    pattern.time = best.last - best.first;
    found.add(pattern);
}

void Intervals::look_for_overload(const Interval& interval, PatternList& found) {
    const Cell& mirror = interval.mirror;
    if (mirror.episodes < kOverloadMisses || mirror.flows.count < kOverloadFlows ||
        mirror.episodes * 100 < interval.misses * kOverloadPerCent) {
        return;
    }
    Pattern pattern;
    pattern.id = PatternId::mirror_overload;
    pattern.tap = interval.tap;
    pattern.from = mirror.first;
    pattern.until = mirror.last;
    pattern.matching = mirror.episodes;
    pattern.of = interval.misses;
    pattern.connections = mirror.flows.count;
    pattern.bytes = mirror.bytes;
    pattern.share = interval.load_count == 0
                        ? 0
                        : static_cast<std::uint32_t>(interval.load_sum / interval.load_count);
    found.add(pattern);
}

}  // namespace tw::verdict
