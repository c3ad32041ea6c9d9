// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/clock.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <random>

#include "unit/capture/dpdk/live_environment.hpp"

namespace tw::dpdk {
namespace {

constexpr Nanos kStart = 1'700'000'000 * kSecond;
constexpr std::uint64_t kTicks = 2'450'000'000;  // per second

// A counter of exactly `hz`, seen through a first guess of `guess_hz`.
struct World {
    double hz = kTicks;
    Nanos offset = 0;  // steps of the kernel's clock so far

    [[nodiscard]] Nanos utc(std::uint64_t ticks) const {
        return kStart + offset + static_cast<Nanos>(static_cast<double>(ticks) * 1e9 / hz);
    }
};

[[nodiscard]] ClockLine first_line(double guess_hz) {
    return {0, kStart, kStart, 1e9 / guess_hz};
}

TEST(ClockLine, counts_forward_and_a_little_back) {
    const ClockLine line{1000, kStart, kStart, 0.5};
    EXPECT_EQ(line.at(1000), kStart);
    EXPECT_EQ(line.at(3000), kStart + 1000);
    EXPECT_EQ(line.at(900), kStart - 50) << "read on another core just before the base";
}

TEST(Refit, a_wrong_first_guess_is_corrected_within_seconds) {
    const World world{.hz = 2'452'345'678};
    ClockLine line = first_line(kTicks);
    std::uint64_t ticks = 0;
    for (int second = 1; second <= 4; ++second) {
        ticks += kTicks;
        line = refit(line, ticks, world.utc(ticks));
    }
    const std::uint64_t later = ticks + kTicks;
    EXPECT_LT(std::llabs(line.at(later) - world.utc(later)), 1000) << "nanoseconds after a second";
}

TEST(Refit, time_is_continuous_at_every_fit) {
    std::mt19937_64 random(1);
    const World world{.hz = 2'449'000'000};
    ClockLine line = first_line(kTicks);
    std::uint64_t ticks = 0;
    for (int i = 0; i < 100; ++i) {
        ticks += kTicks + random() % 1000;
        const Nanos noise = static_cast<Nanos>(random() % 2000) - 1000;
        const ClockLine next = refit(line, ticks, world.utc(ticks) + noise);
        EXPECT_EQ(next.at(ticks), line.at(ticks));
        EXPECT_GT(next.nanos_per_tick, 0);
        line = next;
    }
    EXPECT_LT(std::llabs(line.at(ticks) - world.utc(ticks)), 10'000);
}

TEST(Refit, a_small_step_of_the_kernels_clock_is_walked_not_jumped) {
    World world{.hz = kTicks};
    ClockLine line = first_line(kTicks);
    std::uint64_t ticks = kTicks;
    line = refit(line, ticks, world.utc(ticks));
    world.offset = 3 * kMillisecond;
    Nanos error = world.offset;
    for (int second = 0; second < 10; ++second) {
        ticks += kTicks;
        line = refit(line, ticks, world.utc(ticks));
        const Nanos now = std::llabs(line.at(ticks) - world.utc(ticks));
        EXPECT_LE(now, error + kMillisecond);
        error = now;
    }
    EXPECT_LT(error, 10 * kMicrosecond);
}

TEST(Refit, a_large_step_is_followed_at_once_both_ways) {
    World world{.hz = kTicks};
    const ClockLine line = first_line(kTicks);
    for (const Nanos step : {3600 * kSecond, -3600 * kSecond}) {
        world.offset = step;
        const ClockLine next = refit(line, kTicks, world.utc(kTicks));
        EXPECT_EQ(next.at(kTicks), world.utc(kTicks));
        EXPECT_EQ(next.nanos_per_tick, line.nanos_per_tick) << "a step says nothing of the rate";
    }
}

TEST(Refit, two_fits_at_the_same_tick_do_not_divide_by_zero) {
    const ClockLine line = first_line(kTicks);
    const ClockLine next = refit(line, 0, kStart + 5);
    EXPECT_EQ(next.at(0), kStart + 5);
    EXPECT_EQ(next.nanos_per_tick, line.nanos_per_tick);
}

TEST(Clock, agrees_with_the_system) {
    test::LiveEnvironment::instance();
    Clock clock;
    clock.fit();
    const auto system = std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
    EXPECT_LT(std::llabs(clock.now() - system), kSecond / 4);
}

}  // namespace
}  // namespace tw::dpdk
