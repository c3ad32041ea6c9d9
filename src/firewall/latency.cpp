// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/latency.hpp"

#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace tw::firewall {
namespace {

using sinks::format::clock_text;
using sinks::format::count_of;
using sinks::format::duration_text;
using taps::Way;

constexpr std::uint64_t kPacketsMin = 3;  // of both ways together
constexpr std::size_t kSpikesMax = 1024;
// Slower than usual by less is no finding: schedulers, interrupts and other flows make that.
constexpr Nanos kWorthTelling = kMillisecond;
// A time counts beyond so many times what the taps' times contradict each other by (gate T).
constexpr Nanos kSkewMargin = 4;

std::vector<Spike> spikes_of(const Study& study, Way way) {
    const taps::Passage& passage = study.all().passage;
    const taps::TransitHistogram& usual = passage.way(way).data;
    const Nanos half = usual.quantile(0.5);
    const Nanos limit = std::max(taps::slow_above(usual), half + kSkewMargin * study.all().skew);
    std::vector<taps::SlowInterval> intervals(kSpikesMax);
    const std::size_t count = passage.slow(way).above(limit, 1, intervals);
    std::vector<Spike> spikes;
    for (std::size_t i = 0; i < count; ++i) {
        spikes.push_back({.way = way,
                          .from = intervals[i].from,
                          .until = intervals[i].until,
                          .packets = intervals[i].packets,
                          .worst = intervals[i].worst,
                          .usual = half});
    }
    return spikes;
}

bool at_one_time(const Spike& spike, const Spike& other) {
    return spike.from <= other.until + taps::SlowLog::kApartMax &&
           other.from <= spike.until + taps::SlowLog::kApartMax;
}

// A mirror that queues makes one way slower and the other one quicker; the firewall can make both
// slower at one time.
bool in_both_ways(const Spike& spike, std::span<const Spike> back) {
    return std::any_of(back.begin(), back.end(),
                       [&](const Spike& other) { return at_one_time(spike, other); });
}

// A single slow packet is no spike; where the firewall stood still few may have been on their way.
std::vector<Spike> with_company(std::span<const Spike> spikes, std::span<const Spike> back) {
    std::vector<Spike> kept;
    for (const Spike& spike : spikes) {
        std::uint64_t packets = spike.packets;
        for (const Spike& other : back) {
            packets += at_one_time(spike, other) ? other.packets : 0U;
        }
        if (packets >= kPacketsMin) {
            kept.push_back(spike);
        }
    }
    return kept;
}

Lesson lesson_of(std::span<const Spike> spikes, std::span<const Spike> back) {
    Lesson lesson;
    lesson.behaviour = Behaviour::latency_spike;
    lesson.scope = fmt::format("all traffic, {}", taps::name(spikes.front().way));
    lesson.first = spikes.front().from;
    lesson.last = spikes.back().until;
    const auto worst =
        std::max_element(spikes.begin(), spikes.end(),
                         [](const Spike& a, const Spike& b) { return a.worst < b.worst; });
    bool both = false;
    for (const Spike& spike : spikes) {
        lesson.count += spike.packets;
        both |= in_both_ways(spike, back);
    }
    lesson.grade_max = both ? taps::Grade::proven : taps::Grade::probable;
    lesson.sentence = fmt::format(
        "{} took up to {} where half take no more than {}, in {}; the worst at {}",
        count_of(lesson.count, "packet"), duration_text(worst->worst), duration_text(worst->usual),
        count_of(spikes.size(), "interval"), clock_text(worst->from));
    if (both) {
        lesson.excluded.push_back(
            "a mirror that queued: it makes one way slower and the other one quicker");
    }
    return lesson;
}

}  // namespace

void sum_latencies(const Study& study, Lessons& lessons) {
    std::array<std::vector<Spike>, taps::kWays> slow;
    for (const Way way : {Way::inward, Way::outward}) {
        const auto& sums = study.all().passage.way(way);
        if (sums.setup.count() != 0) {
            lessons.latencies.push_back({way, true, sums.setup});
        }
        if (sums.data.count() != 0) {
            lessons.latencies.push_back({way, false, sums.data});
        }
        slow[taps::index(way)] = spikes_of(study, way);
    }
    const std::array<std::vector<Spike>, taps::kWays> spikes{with_company(slow[0], slow[1]),
                                                             with_company(slow[1], slow[0])};
    for (const Way way : {Way::inward, Way::outward}) {
        const auto& mine = spikes[taps::index(way)];
        std::vector<Spike> worth;
        std::copy_if(mine.begin(), mine.end(), std::back_inserter(worth),
                     [](const Spike& one) { return one.worst - one.usual >= kWorthTelling; });
        if (!worth.empty()) {
            lessons.lessons.push_back(lesson_of(worth, spikes[taps::index(taps::back(way))]));
        }
        lessons.spikes.insert(lessons.spikes.end(), mine.begin(), mine.end());
    }
    std::sort(lessons.spikes.begin(), lessons.spikes.end(),
              [](const Spike& a, const Spike& b) { return a.from < b.from; });
}

}  // namespace tw::firewall
