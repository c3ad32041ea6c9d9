// SPDX-License-Identifier: BSD-3-Clause
// Turns the CPU's time stamp counter into UTC without a system call per burst. One thread fits the
// line to the kernel's clock about every second; pollers read it without locks. Never runs
// backwards but when the kernel's clock itself is set back.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/time.hpp"

namespace tw::dpdk {

// UTC as a straight line over ticks.
struct ClockLine {
    std::uint64_t base_ticks = 0;
    Nanos base_time = 0;  // what the line says at base_ticks
    Nanos base_utc = 0;   // what the kernel said then
    double nanos_per_tick = 0;

    [[nodiscard]] Nanos at(std::uint64_t ticks) const {
        // Signed: a poller may have read its counter just before the base was taken elsewhere. A
        // double holds 104 days of nanoseconds exactly, a fit lasts a second.
        const auto elapsed = static_cast<std::int64_t>(ticks - base_ticks);
        return base_time + static_cast<Nanos>(static_cast<double>(elapsed) * nanos_per_tick);
    }
};

// The next line after `line`, given what the kernel says now: continuous, and steered so that the
// difference is gone after another interval like the last. Differences from kStepMin are a step.
inline constexpr Nanos kStepMin = 500 * kMillisecond;
[[nodiscard]] ClockLine refit(const ClockLine& line, std::uint64_t ticks, Nanos utc);

class Clock {
  public:
    // After Eal::start, whose frequency is a first guess (rounded to 10 MHz where the CPU does not
    // tell): fit() once more before time stamps matter.
    Clock();

    // writer: one thread, about once a second
    void fit();

    [[nodiscard]] Nanos now() const;
    [[nodiscard]] Nanos at(std::uint64_t ticks) const { return read().at(ticks); }
    [[nodiscard]] static std::uint64_t ticks();
    [[nodiscard]] std::uint64_t ticks_per_second() const { return ticks_per_second_; }

  private:
    [[nodiscard]] ClockLine read() const;
    void publish(const ClockLine& line);

    std::uint64_t ticks_per_second_;
    ClockLine line_;  // the writer's own copy
    // A sequence lock: odd while the fields are being written. writer: fit(); readers: pollers
    alignas(64) std::atomic<std::uint32_t> sequence_{0};
    std::atomic<std::uint64_t> base_ticks_{0};
    std::atomic<Nanos> base_time_{0};
    std::atomic<double> nanos_per_tick_{0};
};

}  // namespace tw::dpdk
