// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/clock.hpp"

#include <rte_cycles.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace tw::dpdk {
namespace {

struct Sample {
    std::uint64_t ticks = 0;
    Nanos utc = 0;
};

// The kernel's clock between two readings of the counter; the closest of a few pairs, because the
// thread may lose its CPU in between.
[[nodiscard]] Sample sample_clock() {
    constexpr int kTries = 5;
    Sample best;
    std::uint64_t best_width = UINT64_MAX;
    for (int i = 0; i < kTries; ++i) {
        timespec now{};
        const std::uint64_t before = rte_rdtsc_precise();
        clock_gettime(CLOCK_REALTIME, &now);
        const std::uint64_t after = rte_rdtsc_precise();
        if (after - before < best_width) {
            best_width = after - before;
            best = {before + (after - before) / 2, now.tv_sec * kSecond + now.tv_nsec};
        }
    }
    return best;
}

}  // namespace

ClockLine refit(const ClockLine& line, std::uint64_t ticks, Nanos utc) {
    const Nanos predicted = line.at(ticks);
    const Nanos error = utc - predicted;
    if (std::llabs(error) >= kStepMin || ticks <= line.base_ticks) {
        return {ticks, utc, utc, line.nanos_per_tick};
    }
    // The rate as measured over the interval, plus what removes the error over one like it. Bounds:
    // the first guess is right within 1 %, so more is the kernel's clock being set; and 0.1 % of
    // steering distorts no round-trip time.
    const auto elapsed_ticks = static_cast<double>(ticks - line.base_ticks);
    const double guess = line.nanos_per_tick;
    const double measured = std::clamp(static_cast<double>(utc - line.base_utc) / elapsed_ticks,
                                       guess * 0.99, guess * 1.01);
    const double steering =
        std::clamp(static_cast<double>(error) / elapsed_ticks, -measured * 1e-3, measured * 1e-3);
    return {ticks, predicted, utc, measured + steering};
}

Clock::Clock() : ticks_per_second_(rte_get_tsc_hz()) {
    const Sample sample = sample_clock();
    publish({sample.ticks, sample.utc, sample.utc, 1e9 / static_cast<double>(ticks_per_second_)});
}

void Clock::fit() {
    const Sample sample = sample_clock();
    publish(refit(line_, sample.ticks, sample.utc));
}

Nanos Clock::now() const {
    return at(ticks());
}

std::uint64_t Clock::ticks() {
    return rte_rdtsc();
}

ClockLine Clock::read() const {
    for (;;) {
        const std::uint32_t before = sequence_.load(std::memory_order_acquire);
        ClockLine line;
        line.base_ticks = base_ticks_.load(std::memory_order_relaxed);
        line.base_time = base_time_.load(std::memory_order_relaxed);
        line.nanos_per_tick = nanos_per_tick_.load(std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_acquire);
        if ((before & 1) == 0 && sequence_.load(std::memory_order_relaxed) == before) {
            return line;
        }
    }
}

void Clock::publish(const ClockLine& line) {
    line_ = line;
    const std::uint32_t sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    base_ticks_.store(line.base_ticks, std::memory_order_relaxed);
    base_time_.store(line.base_time, std::memory_order_relaxed);
    nanos_per_tick_.store(line.nanos_per_tick, std::memory_order_relaxed);
    sequence_.store(sequence + 2, std::memory_order_release);
}

}  // namespace tw::dpdk
