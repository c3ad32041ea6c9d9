// SPDX-License-Identifier: BSD-3-Clause
// The counters flag.* of a run: one per flag of each segment, whether or not the connection's own
// record has room for it.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "core/stats/counters.hpp"
#include "core/tcp/flags.hpp"
#include "support/pipeline_run.hpp"
#include "support/traffic_generator.hpp"

namespace tw {
namespace {

TEST(FlagCounters, each_flag_of_each_segment_is_counted_once) {
    constexpr std::uint64_t kSeed = 11;
    test::HostileTraffic traffic({.seed = kSeed, .layers = false, .faults = false});
    test::PipelineRun run;
    std::array<std::uint64_t, tcp::kFlags> seen{};
    for (int i = 0; i < 50'000; ++i) {
        const test::GeneratedFrame frame = traffic.next();
        const Observation observation = run.feed(frame.bytes, frame.time);
        for (const tcp::FlagInfo& flag : tcp::flag_table()) {
            seen[static_cast<std::size_t>(flag.id)] += observation.flags.has(flag.id) ? 1U : 0U;
        }
    }
    std::size_t counters = 0;
    for (const stats::CounterInfo& counter : stats::counter_table()) {
        for (const tcp::FlagInfo& flag : tcp::flag_table()) {
            if (counter.name == "flag." + std::string(flag.name)) {
                ++counters;
                const std::uint64_t frames = seen[static_cast<std::size_t>(flag.id)];
                EXPECT_GT(frames, 0U) << flag.name << " never raised with seed " << kSeed;
                EXPECT_EQ(run.count(counter.id), frames) << counter.name << ", seed " << kSeed;
            }
        }
    }
    EXPECT_EQ(counters, tcp::kFlags);
}

}  // namespace
}  // namespace tw
