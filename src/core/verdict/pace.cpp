// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/pace.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace tw::verdict {
namespace {

// Losses no farther apart than this are one moment.
constexpr Nanos kMoment = 100 * kMillisecond;
constexpr std::size_t kMomentsMin = 8;
// No period is sought below this: the moments would fill it.
constexpr Nanos kPeriodMin = 5 * kMoment;
// Part of the period within which a moment is in step. By chance one in ten is.
constexpr double kInStep = 0.05;
constexpr std::size_t kPerCentMin = 80;
// Of the steps from first to last, so many must have been met.
constexpr std::size_t kMetPerCentMin = 70;
constexpr std::size_t kStreamsMin = 3;
constexpr int kRounds = 3;

// A straight line through the moments: time = start + step number * period.
struct Line {
    double start = 0;
    double period = 0;

    [[nodiscard]] double step_of(double time) const { return std::round((time - start) / period); }
    [[nodiscard]] double off(double time) const { return time - start - step_of(time) * period; }
    [[nodiscard]] bool in_step(double time) const {
        return std::abs(off(time)) <= kInStep * period;
    }
};

using Moments = std::array<double, Pace::kLossesMax>;  // seconds from the first

// Least squares over the moments that are in step.
Line refined(const Line& line, const Moments& moments, std::size_t count) {
    double n = 0;
    double sum_k = 0;
    double sum_t = 0;
    double sum_kk = 0;
    double sum_kt = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (!line.in_step(moments[i])) {
            continue;
        }
        const double k = line.step_of(moments[i]);
        n += 1;
        sum_k += k;
        sum_t += moments[i];
        sum_kk += k * k;
        sum_kt += k * moments[i];
    }
    const double spread = n * sum_kk - sum_k * sum_k;
    if (spread <= 0) {
        return line;
    }
    const double period = (n * sum_kt - sum_k * sum_t) / spread;
    return period > 0 ? Line{(sum_t - period * sum_k) / n, period} : line;
}

// The median distance is the period, unless more than half of the moments are out of step. Begins
// at the moment from which most others are in step.
Line line_through(const Moments& moments, std::size_t count) {
    Moments gaps{};
    for (std::size_t i = 1; i < count; ++i) {
        gaps[i - 1] = moments[i] - moments[i - 1];
    }
    const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>((count - 1) / 2);
    std::nth_element(gaps.begin(), middle, gaps.begin() + static_cast<std::ptrdiff_t>(count - 1));
    Line best{moments[0], *middle};
    std::size_t most = 0;
    // The error of the period adds up with distance, so the start is tried near its neighbours.
    for (std::size_t i = 0; i + 1 < count; ++i) {
        const Line line{moments[i], moments[i + 1] - moments[i]};
        if (std::abs(line.period - *middle) > 2 * kInStep * *middle) {
            continue;
        }
        Line fitted = line;
        for (int round = 0; round < kRounds; ++round) {
            fitted = refined(fitted, moments, count);
        }
        const auto in_step = static_cast<std::size_t>(
            std::count_if(moments.begin(), moments.begin() + static_cast<std::ptrdiff_t>(count),
                          [&](double time) { return fitted.in_step(time); }));
        if (in_step > most) {
            most = in_step;
            best = fitted;
        }
    }
    return best;
}

}  // namespace

void Pace::add(const event::Event& loss) {
    if (loss.tap < kTapsMax) {
        const std::size_t at = counts_[loss.tap]++ % kLossesMax;
        losses_[std::size_t{loss.tap} * kLossesMax + at] = {loss.time, loss.bytes,
                                                            loss.flow.stream};
    }
}

void Pace::look(PatternList& found) const {
    for (std::uint32_t tap = 0; tap < kTapsMax; ++tap) {
        if (counts_[tap] >= kMomentsMin) {
            look_at(static_cast<std::uint8_t>(tap), found);
        }
    }
}

void Pace::look_at(std::uint8_t tap, PatternList& found) const {
    std::array<Loss, kLossesMax> losses;
    const std::size_t count = std::min<std::uint64_t>(counts_[tap], kLossesMax);
    std::copy_n(losses_.data() + std::size_t{tap} * kLossesMax, count, losses.begin());
    std::sort(losses.begin(), losses.begin() + static_cast<std::ptrdiff_t>(count),
              [](const Loss& a, const Loss& b) {
                  return a.time != b.time ? a.time < b.time : a.stream < b.stream;
              });
    Moments moments{};
    std::size_t moments_count = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (i == 0 || losses[i].time - losses[i - 1].time > kMoment) {
            moments[moments_count++] = static_cast<double>(losses[i].time - losses[0].time) / 1e9;
        }
    }
    if (moments_count < kMomentsMin) {
        return;
    }
    const Line line = line_through(moments, moments_count);
    if (line.period * 1e9 < static_cast<double>(kPeriodMin)) {
        return;
    }
    std::size_t in_step = 0;
    std::size_t met = 0;
    double worst = 0;
    double last_step = -1;
    for (std::size_t i = 0; i < moments_count; ++i) {
        if (line.in_step(moments[i])) {
            ++in_step;
            worst = std::max(worst, std::abs(line.off(moments[i])));
            met += line.step_of(moments[i]) != last_step || in_step == 1 ? 1U : 0U;
            last_step = line.step_of(moments[i]);
        }
    }
    Pattern pattern;
    std::array<std::uint32_t, kStreamsMin> streams{};
    for (std::size_t i = 0; i < count; ++i) {
        pattern.bytes += losses[i].bytes;
        const auto end = streams.begin() + static_cast<std::ptrdiff_t>(pattern.connections);
        if (pattern.connections < kStreamsMin &&
            std::find(streams.begin(), end, losses[i].stream) == end) {
            streams[pattern.connections++] = losses[i].stream;
        }
    }
    const double steps = line.step_of(moments[moments_count - 1]) - line.step_of(moments[0]) + 1;
    if (met < kMomentsMin || in_step * 100 < moments_count * kPerCentMin ||
        static_cast<double>(met) * 100 < steps * kMetPerCentMin ||
        pattern.connections < kStreamsMin) {
        return;
    }
    pattern.id = PatternId::periodic_loss;
    pattern.tap = tap;
    pattern.from = losses[0].time;
    pattern.until = losses[count - 1].time;
    pattern.matching = in_step;
    pattern.of = moments_count;
    pattern.time = static_cast<Nanos>(line.period * 1e9);
    pattern.spread = static_cast<Nanos>(worst * 1e9);
    found.add(pattern);
}

}  // namespace tw::verdict
