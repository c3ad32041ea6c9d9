// SPDX-License-Identifier: BSD-3-Clause
// What the campaigns of the simulators have in common: seeds played on all cores, each thread with
// a tally of its own; and what is said of the goals.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace tw::sim {

// `play(seed, tally)` for `seeds` seeds from `first` on; the sum of all tallies.
template <typename Tally, typename Play>
[[nodiscard]] Tally in_threads(std::uint32_t threads, std::uint64_t first, std::uint64_t seeds,
                               const Tally& empty, const Play& play) {
    std::vector<Tally> parts(std::max(threads, 1U), empty);
    std::atomic<std::uint64_t> next = 0;
    {
        std::vector<std::jthread> workers;
        for (Tally& part : parts) {
            workers.emplace_back([&play, &next, &part, first, seeds] {
                for (std::uint64_t i = next++; i < seeds; i = next++) {
                    play(first + i, part);
                }
            });
        }
    }
    Tally all = empty;
    for (const Tally& part : parts) {
        all.add(part);
    }
    return all;
}

// Prints the tally and the goals it misses; the exit code.
template <typename Tally>
[[nodiscard]] int tell(const Tally& tally) {
    fmt::print("{}", tally.text());
    const auto missed = tally.goals_missed();
    for (const auto& goal : missed) {
        fmt::print("goal missed: {}\n", goal);
    }
    if (missed.empty()) {
        fmt::print("every goal is met\n");
    }
    return missed.empty() ? 0 : 1;
}

}  // namespace tw::sim
