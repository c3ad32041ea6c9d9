// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/mirror.hpp"

#include <algorithm>
#include <utility>

namespace tw::sim::two_taps {
namespace {

// A direction is held back for a stretch of this many of its packets.
constexpr std::uint32_t kStretch = 24;
constexpr Nanos kSwapMax = 200 * kMicrosecond;
constexpr Nanos kCopySoon = 50 * kMicrosecond;
constexpr Nanos kCopyLate = 5 * kMillisecond;

}  // namespace

bool MirrorPlan::perfect() const {
    return loss.per_million == 0 && duplicate.per_million == 0 && held.per_million == 0 &&
           swap.per_million == 0 && jitter == 0 && carries[0] && carries[1] && snaplen == 0 &&
           from < 0 && until == INT64_MAX;
}

Mirror::Mirror(const MirrorPlan& plan, std::uint64_t seed)
    : plan_(plan),
      random_(seed),
      loss_(plan.loss),
      duplicate_(plan.duplicate),
      held_(plan.held),
      swap_(plan.swap) {}

Nanos Mirror::delay(taps::Way way, Nanos now) {
    Skew& skew = skew_[taps::index(way)];
    if (skew.left == 0) {
        const bool held = held_.strikes(random_);
        skew.delay = held ? some_delay(plan_.held_max, random_) : 0;
        skew.left = held ? 1 + random_.below(kStretch) : 1;
    }
    --skew.left;
    Nanos time = now + skew.delay;
    if (plan_.jitter != 0) {
        time += static_cast<Nanos>(random_.next() % static_cast<std::uint64_t>(plan_.jitter));
    }
    if (swap_.strikes(random_)) {
        return time + some_delay(kSwapMax, random_);
    }
    // Otherwise a mirror keeps the order within a direction.
    skew.last = std::max(skew.last + 1, time);
    return skew.last;
}

void Mirror::see(std::uint32_t number, Sighting& sighting) {
    const Nanos time = delay(sighting.way, sighting.wire);
    const bool twice = duplicate_.strikes(random_);
    sighting.missed = loss_.strikes(random_) || !plan_.carries[taps::index(sighting.way)];
    if (sighting.missed) {
        return;
    }
    captured_.push_back({.time = time, .sighting = number});
    if (twice) {
        const Nanos apart = some_delay(random_.chance(80) ? kCopySoon : kCopyLate, random_);
        captured_.push_back({.time = time + apart,
                             .sighting = number,
                             .copy = true,
                             .ttl_less = random_.chance(30)});
    }
}

std::vector<Captured> Mirror::finish(std::vector<Sighting>& sightings) {
    std::erase_if(captured_, [&](const Captured& one) {
        return one.time < plan_.from || one.time > plan_.until;
    });
    std::ranges::stable_sort(captured_, {}, &Captured::time);
    std::uint32_t number = 0;
    for (const Captured& one : captured_) {
        sightings[one.sighting].frames.push_back(++number);
    }
    return std::exchange(captured_, {});
}

}  // namespace tw::sim::two_taps
