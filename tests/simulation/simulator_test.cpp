// SPDX-License-Identifier: BSD-3-Clause
// The simulator itself: it is deterministic, its TCPs deliver, each profile does what it is named
// for, and without a fault there is nothing to report.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "simulation/frame_bytes.hpp"
#include "simulation/monitor.hpp"
#include "simulation/world.hpp"

namespace tw::sim {
namespace {

std::vector<std::vector<std::uint8_t>> captured_bytes(const Plan& plan, const Record& record) {
    std::vector<std::vector<std::uint8_t>> frames;
    for (const Capture& one : record.captures) {
        const Packet& packet = record.transmissions[one.transmission].packet;
        frames.push_back(frame_bytes(packet, plan.connections[packet.connection], one.ttl_less));
    }
    return frames;
}

Record play(std::uint64_t seed, Profile profile) {
    return run(draw_plan(seed, profile));
}

TEST(Simulator, one_seed_is_one_capture) {
    for (const std::uint64_t seed : {3U, 17U, 18U, 37U}) {
        const Plan plan = draw_plan(seed);
        const Record first = run(plan);
        const Record second = run(draw_plan(seed));
        EXPECT_EQ(captured_bytes(plan, first), captured_bytes(plan, second)) << "seed " << seed;
        EXPECT_TRUE(
            std::ranges::equal(first.captures, second.captures, {}, &Capture::time, &Capture::time))
            << "seed " << seed;
    }
    EXPECT_NE(captured_bytes(draw_plan(3), run(draw_plan(3))),
              captured_bytes(draw_plan(23), run(draw_plan(23))));
}

TEST(Simulator, without_a_fault_there_is_no_episode) {
    std::size_t frames = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        const Plan plan = draw_plan(seed, Profile::none);
        const Record record = run(plan);
        const Findings findings = monitor(plan, record);
        frames += record.captures.size();
        EXPECT_EQ(findings.events.size(), 0U) << "seed " << seed;
        const auto begun = std::ranges::count_if(plan.connections, [&](const auto& connection) {
            return connection.start + connection.delay[0] + kMillisecond <= plan.until;
        });
        EXPECT_EQ(std::ssize(findings.flows), begun) << "seed " << seed;
        EXPECT_EQ(record.captures.size(), std::ranges::count_if(record.transmissions,
                                                                [&](const Transmission& one) {
                                                                    return !one.passes.empty() &&
                                                                           one.passes[0].wire != 0;
                                                                }))
            << "seed " << seed;
    }
    EXPECT_GT(frames, 30'000U);
}

// Whatever the path does, up to 30 % of one fault, both applications get what was written.
TEST(Simulator, its_tcp_delivers_in_spite_of_each_fault) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Plan plan = draw_plan(seed);
        if (plan.profile == Profile::silent || plan.profile == Profile::overshoot) {
            continue;
        }
        plan.until = 1'000 * kSecond;
        const Record record = run(plan);
        for (std::uint32_t i = 0; i < plan.connections.size(); ++i) {
            std::array<Position, kSides> written{1, 1};
            for (const Step& step : plan.connections[i].steps) {
                written[index(step.from)] += step.bytes;
            }
            std::array<Position, kSides> acknowledged{};
            bool timed_out = false;
            for (const Transmission& one : record.transmissions) {
                const Packet& packet = one.packet;
                if (packet.connection == i && packet.has_ack) {
                    Position& most = acknowledged[index(other(packet.from))];
                    most = std::max(most, packet.ack);
                }
                timed_out |= packet.connection == i && packet.why == Why::timeout;
            }
            // After eight timeouts in a row a stack gives up, as real ones do.
            if (!timed_out) {
                EXPECT_GE(acknowledged[0], written[0]) << "seed " << seed << " connection " << i;
                EXPECT_GE(acknowledged[1], written[1]) << "seed " << seed << " connection " << i;
            }
        }
    }
}

struct Seen {
    bool lost_before = false;
    bool lost_after = false;
    bool late = false;
    bool late_after = false;
    bool network_copy = false;
    bool arrived_twice = false;
    bool missed_by_mirror = false;
    bool missed_by_monitor = false;
    bool mirror_copy = false;
    bool skewed = false;
};

Seen faults_of(Profile profile) {
    Seen seen;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const Record record = play(seed, profile);
        for (const Transmission& one : record.transmissions) {
            seen.lost_before |= one.lost_before;
            for (const Pass& pass : one.passes) {
                seen.lost_after |= pass.lost_after;
                seen.late |= pass.late;
                seen.late_after |= pass.late_after;
                seen.network_copy |= pass.network_copy;
                seen.arrived_twice |= pass.arrivals.size() > 1;
                seen.missed_by_mirror |= pass.missed_by_mirror;
                seen.missed_by_monitor |= pass.missed_by_monitor;
            }
        }
        Nanos last_wire = 0;
        for (const Capture& one : record.captures) {
            seen.mirror_copy |= one.mirror_copy;
            const Nanos wire = record.transmissions[one.transmission].passes[one.pass].wire;
            seen.skewed |= !one.mirror_copy && wire < last_wire;
            last_wire = one.mirror_copy ? last_wire : wire;
        }
    }
    return seen;
}

TEST(Simulator, each_profile_does_what_it_is_named_for_and_nothing_else) {
    const auto count = [](const Seen& s) {
        return s.lost_before + s.lost_after + s.late + s.late_after + s.network_copy +
               s.arrived_twice + s.missed_by_mirror + s.missed_by_monitor + s.mirror_copy +
               s.skewed;
    };
    EXPECT_EQ(count(faults_of(Profile::none)), 0);
    EXPECT_EQ(count(faults_of(Profile::overshoot)), 0);
    const std::pair<Profile, bool Seen::*> rows[] = {
        {Profile::loss_before, &Seen::lost_before},
        {Profile::loss_after, &Seen::lost_after},
        {Profile::reorder_before, &Seen::late},
        {Profile::reorder_after, &Seen::late_after},
        {Profile::duplicate_before, &Seen::network_copy},
        {Profile::duplicate_after, &Seen::arrived_twice},
        {Profile::mirror_loss, &Seen::missed_by_mirror},
        {Profile::mirror_duplicate, &Seen::mirror_copy},
        {Profile::mirror_skew, &Seen::skewed},
        {Profile::monitor_loss, &Seen::missed_by_monitor},
        {Profile::silent, &Seen::lost_before},
    };
    for (const auto& [profile, member] : rows) {
        const Seen seen = faults_of(profile);
        EXPECT_TRUE(seen.*member) << name(profile);
        EXPECT_EQ(count(seen), 1) << name(profile);
    }
}

TEST(Simulator, every_cycle_of_seeds_holds_every_profile) {
    std::array<int, kProfiles> counts{};
    for (std::uint64_t seed = 1000; seed < 1000 + kProfileCycle; ++seed) {
        ++counts[static_cast<std::size_t>(profile_of(seed))];
    }
    EXPECT_TRUE(std::ranges::none_of(counts, [](int count) { return count == 0; }));
}

}  // namespace
}  // namespace tw::sim
