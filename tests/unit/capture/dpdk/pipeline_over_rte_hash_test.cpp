// SPDX-License-Identifier: BSD-3-Clause
// The whole pipeline gives the same output over rte_hash and over the plain index, also when the
// table is too small and connections have to give way.
#include <gtest/gtest.h>

#include "capture/dpdk/rte_hash_index.hpp"
#include "core/flow/key.hpp"
#include "support/pipeline_run.hpp"
#include "support/traffic_generator.hpp"
#include "unit/capture/dpdk/live_environment.hpp"

namespace tw::dpdk {
namespace {

using tw::test::GeneratedFrame;
using tw::test::HostileOptions;
using tw::test::HostileTraffic;
using tw::test::PipelineRun;
using tw::test::read_options;

[[nodiscard]] std::unique_ptr<flow::FlowIndex> rte_index(const char* name, std::uint32_t key_bytes,
                                                         std::uint32_t keys_max) {
    auto index = RteHashIndex::create(
        {.name = name, .key_bytes = key_bytes, .keys_max = keys_max, .numa_node = -1});
    return index ? std::move(*index) : nullptr;
}

[[nodiscard]] std::vector<GeneratedFrame> hostile_frames(std::uint64_t seed, std::size_t count) {
    HostileTraffic traffic(HostileOptions{.seed = seed});
    std::vector<GeneratedFrame> frames;
    for (std::size_t i = 0; i < count; ++i) {
        frames.push_back(traffic.next());
    }
    return frames;
}

void feed_all(PipelineRun& run, const std::vector<GeneratedFrame>& generated,
              std::vector<Observation>& observations) {
    std::vector<Frame> burst;
    for (std::size_t i = 0; i < generated.size(); ++i) {
        burst.push_back(tw::test::frame_of(generated[i].bytes, generated[i].time, i + 1,
                                           LinkType::ethernet, generated[i].wire_bytes));
        if (burst.size() == kBurstMax || i + 1 == generated.size()) {
            const auto part = run.feed(burst);
            observations.insert(observations.end(), part.begin(), part.end());
            burst.clear();
        }
    }
    run.finish();
}

class IndexEquality : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(IndexEquality, same_observations_events_flows_and_counters) {
    test::LiveEnvironment::instance();
    const std::uint32_t flows_max = GetParam();
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        const auto frames = hostile_frames(seed, 20'000);
        auto v4 = rte_index("equality_v4", sizeof(flow::KeyV4), flows_max);
        auto v6 = rte_index("equality_v6", sizeof(flow::KeyV6), flows_max);
        ASSERT_TRUE(v4 && v6);
        PipelineRun plain(read_options(flows_max));
        PipelineRun rte(read_options(flows_max), std::move(v4), std::move(v6));
        std::vector<Observation> from_plain;
        std::vector<Observation> from_rte;
        feed_all(plain, frames, from_plain);
        feed_all(rte, frames, from_rte);
        ASSERT_EQ(from_plain.size(), frames.size());
        ASSERT_EQ(from_rte.size(), frames.size());
        for (std::size_t i = 0; i < frames.size(); ++i) {
            ASSERT_EQ(from_plain[i].flags, from_rte[i].flags) << "seed " << seed << " frame " << i;
            ASSERT_EQ(from_plain[i].stream, from_rte[i].stream);
            ASSERT_EQ(from_plain[i].completeness, from_rte[i].completeness);
        }
        ASSERT_EQ(plain.events().size(), rte.events().size());
        for (std::size_t i = 0; i < plain.events().size(); ++i) {
            ASSERT_EQ(plain.events()[i].flow.stream, rte.events()[i].flow.stream);
            ASSERT_EQ(plain.events()[i].seq_begin, rte.events()[i].seq_begin);
            ASSERT_EQ(plain.events()[i].resolution, rte.events()[i].resolution);
        }
        EXPECT_EQ(plain.flows().size(), rte.flows().size());
        for (const stats::CounterInfo& info : stats::counter_table()) {
            EXPECT_EQ(plain.count(info.id), rte.count(info.id)) << info.name;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(TableSizes, IndexEquality, ::testing::Values(16U, 64U, 4096U));

}  // namespace
}  // namespace tw::dpdk
