// SPDX-License-Identifier: BSD-3-Clause
// How frames are cut into bursts must not show: hostile traffic given one by one, in odd portions
// and in full bursts tells the same, also when the table is so small that every burst evicts.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/pipeline_run.hpp"
#include "support/traffic_generator.hpp"

namespace tw {
namespace {

using test::GeneratedFrame;

std::vector<GeneratedFrame> hostile(std::uint64_t seed, std::size_t count) {
    test::HostileTraffic traffic({.seed = seed});
    std::vector<GeneratedFrame> frames;
    for (std::size_t i = 0; i < count; ++i) {
        frames.push_back(traffic.next());
    }
    return frames;
}

// Everything that came out, as text, so that a difference can be read.
struct Told {
    std::vector<std::string> flags;
    std::vector<std::string> events;
    std::vector<std::string> flows;
};

Told tell(const std::vector<GeneratedFrame>& frames, const std::vector<std::size_t>& portions,
          const PipelineOptions& options) {
    test::PipelineRun run(options);
    Told told;
    std::vector<Frame> burst;
    std::size_t portion = 0;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        Frame frame;
        frame.data = frames[i].bytes.data();
        frame.captured_bytes = static_cast<std::uint32_t>(frames[i].bytes.size());
        frame.wire_bytes = frames[i].wire_bytes;
        frame.time = frames[i].time;
        frame.number = i + 1;
        burst.push_back(frame);
        if (burst.size() == portions[portion % portions.size()] || i + 1 == frames.size()) {
            for (const Observation& seen : run.feed(burst)) {
                told.flags.push_back(
                    std::to_string(seen.tcp) + ' ' + std::to_string(seen.flags.bits()) + ' ' +
                    std::to_string(seen.stream) + ' ' + std::to_string(seen.completeness) + ' ' +
                    std::to_string(seen.initial_rtt));
            }
            burst.clear();
            ++portion;
        }
    }
    run.finish();
    for (const event::Event& event : run.events()) {
        told.events.push_back(
            std::to_string(event.id) + ' ' + std::string(name(event.type)) + ' ' +
            std::to_string(event.flow.stream) + ' ' + std::string(name(event.resolution)) + ' ' +
            std::to_string(event.seq_begin) + ' ' + std::to_string(event.bytes) + ' ' +
            std::to_string(event.time) + ' ' + std::to_string(event.time_end));
    }
    for (const event::FlowRecord& flow : run.flows()) {
        told.flows.push_back(
            std::to_string(flow.flow.stream) + ' ' + std::to_string(flow.packets[0]) + ' ' +
            std::to_string(flow.packets[1]) + ' ' + std::to_string(flow.bytes[0]) + ' ' +
            std::to_string(flow.missing_bytes[1]) + ' ' + std::to_string(flow.completeness));
    }
    return told;
}

void expect_same(const PipelineOptions& options, std::uint64_t seed) {
    const auto frames = hostile(seed, 20'000);
    const Told one_by_one = tell(frames, {1}, options);
    EXPECT_GT(one_by_one.events.size(), 100U) << "seed " << seed << ": nothing to compare";
    for (const std::vector<std::size_t>& portions :
         {std::vector<std::size_t>{32}, {7}, {1, 32, 3, 17, 2, 31}}) {
        const Told told = tell(frames, portions, options);
        ASSERT_EQ(told.flags, one_by_one.flags) << "seed " << seed;
        ASSERT_EQ(told.events, one_by_one.events) << "seed " << seed;
        ASSERT_EQ(told.flows, one_by_one.flows) << "seed " << seed;
    }
}

TEST(Bursts, portions_do_not_show) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        expect_same(test::read_options(), seed);
    }
}

TEST(Bursts, portions_do_not_show_while_every_burst_evicts) {
    for (std::uint64_t seed = 4; seed <= 6; ++seed) {
        expect_same(test::read_options(16), seed);
    }
}

}  // namespace
}  // namespace tw
