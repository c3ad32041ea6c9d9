// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/token_bucket.hpp"

#include <algorithm>
#include <cmath>

namespace tw::firewall {
namespace {

constexpr int kRates = 160;       // first sweep, geometric
constexpr int kRefinements = 24;  // halvings of the distance round the best
constexpr double kStrayMax = 0.1;
constexpr double kStrays = 3;
constexpr double kRecallMin = 0.9;
// Fewer, or closer together, and any peak of the load would do.
constexpr std::size_t kDropStepsMin = 5;
constexpr std::size_t kDropSpanMin = 50;  // steps
// What a step blurs: excess within it, a packet that just did not fit.
constexpr double kBlurPackets = 2;
constexpr double kBurstOfBlurMin = 3;

double blur(double rate, double step_seconds, double packet_bytes) {
    return kBlurPackets * packet_bytes + rate * step_seconds;
}

// Excess at the end of each step, for every step with drops and the maximum of all.
struct Run {
    double burst = 0;
    double sum = 0;      // of the excess at drop steps
    double squares = 0;  // idem
    double drops = 0;    // drop steps
};

Run run(std::span<const BucketStep> steps, double rate, double step_seconds) {
    Run result;
    double excess = 0;
    const double refill = rate * step_seconds;
    for (const BucketStep& step : steps) {
        excess = std::max(0.0, excess + step.passed - refill);
        result.burst = std::max(result.burst, excess);
        if (step.dropped > 0) {
            result.sum += excess;
            result.squares += excess * excess;
            ++result.drops;
        }
    }
    return result;
}

// Root mean square of burst - excess at the drops, of the burst.
double stray(const Run& run) {
    if (run.burst <= 0 || run.drops == 0) {
        return 1;
    }
    const double mean =
        run.burst * run.burst - 2 * run.burst * run.sum / run.drops + run.squares / run.drops;
    return std::sqrt(std::max(0.0, mean)) / run.burst;
}

double near_limit(const BucketFit& fit, double step_seconds, double packet_bytes) {
    return fit.burst - std::max(kStrayMax * fit.burst, blur(fit.rate, step_seconds, packet_bytes));
}

double recall_of(std::span<const BucketStep> steps, double step_seconds, double packet_bytes,
                 const BucketFit& fit) {
    const std::vector<bool> empty = empty_steps(steps, step_seconds, packet_bytes, fit);
    double dropped = 0;
    double explained = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        dropped += steps[i].dropped;
        explained += empty[i] ? steps[i].dropped : 0;
    }
    return dropped > 0 ? explained / dropped : 0;
}

bool enough_drops(std::span<const BucketStep> steps) {
    std::size_t count = 0;
    std::size_t first = 0;
    std::size_t last = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i].dropped > 0) {
            first = count++ == 0 ? i : first;
            last = i;
        }
    }
    return count >= kDropStepsMin && last - first >= kDropSpanMin;
}

}  // namespace

std::vector<bool> empty_steps(std::span<const BucketStep> steps, double step_seconds,
                              double packet_bytes, const BucketFit& fit) {
    std::vector<bool> empty(steps.size());
    const double limit = near_limit(fit, step_seconds, packet_bytes);
    double excess = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        excess = std::max(0.0, excess + steps[i].passed - fit.rate * step_seconds);
        empty[i] = excess >= limit;
    }
    return empty;
}

BucketFit fit_bucket(std::span<const BucketStep> steps, double step_seconds, double packet_bytes) {
    BucketFit fit;
    double passed = 0;
    double most = 0;
    for (const BucketStep& step : steps) {
        passed += step.passed;
        most = std::max(most, step.passed);
    }
    if (steps.size() < 2 || passed <= 0 || !enough_drops(steps)) {
        return fit;
    }
    // Slower than a quarter of the mean the bucket would overflow for ever; faster than the
    // busiest step it would never be empty.
    const double lowest = passed / (4 * static_cast<double>(steps.size()) * step_seconds);
    const double highest = most / step_seconds;
    double ratio = std::pow(highest / lowest, 1.0 / kRates);
    double best = lowest;
    double best_stray = 2;
    const auto look = [&](double rate) {
        const Run result = run(steps, rate, step_seconds);
        // Too small a burst is below what steps of time can show: any rate would fit.
        if (result.burst < kBurstOfBlurMin * blur(rate, step_seconds, packet_bytes)) {
            return;
        }
        const double value = stray(result);
        if (value < best_stray) {
            best_stray = value;
            best = rate;
        }
    };
    double rate = lowest;
    for (int i = 0; i <= kRates; ++i, rate *= ratio) {
        look(rate);
    }
    for (int i = 0; i < kRefinements && best_stray <= 1; ++i) {
        const double centre = best;
        look(centre * ratio);
        look(centre / ratio);
        ratio = std::sqrt(ratio);
    }
    if (best_stray > 1) {
        return fit;
    }
    fit.rate = best;
    fit.burst = run(steps, best, step_seconds).burst;
    fit.stray = best_stray;
    fit.recall = recall_of(steps, step_seconds, packet_bytes, fit);
    const double allowed =
        std::max(kStrayMax, blur(fit.rate, step_seconds, packet_bytes) / fit.burst);
    fit.fits = fit.stray <= allowed && fit.recall >= kRecallMin;
    return fit;
}

}  // namespace tw::firewall
