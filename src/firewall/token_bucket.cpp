// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/token_bucket.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace tw::firewall {
namespace {

constexpr int kRates = 400;       // of the first sweep, geometric
constexpr int kRefinements = 24;  // of the distance round each of the best
constexpr std::size_t kStarts = 4;
constexpr double kRecallMin = 0.9;
// A bucket of few packets is empty wherever packets follow each other.
constexpr double kBurstOfWidthMin = 3;
// Drops this many widths below the maximum count as badly explained as any further off.
constexpr double kFarWidths = 8;
// The first drop says what the size is and the clearest gap what the rate; the others test it.
constexpr std::size_t kGapsSpent = 1;
constexpr double kChanceMax = 0.01;

// So far below its maximum the excess may be where the next packet is one too many.
double width(const BucketBlur& blur, double rate) {
    return blur.packet_bytes + rate * blur.seconds;
}

// Excess at the end of each step with drops, and the maximum of all.
struct Run {
    double burst = 0;
    std::vector<double> at_drops;
};

class Fitter {
  public:
    Fitter(std::span<const BucketStep> steps, const BucketBlur& blur) : steps_(steps), blur_(blur) {
        for (const BucketStep& step : steps) {
            if (step.dropped > 0) {
                weights_.push_back(step.dropped);
                dropped_ += step.dropped;
            }
            passed_ += step.passed;
            seconds_ += step.seconds;
        }
    }
    [[nodiscard]] BucketFit fit();

  private:
    const Run& run(double rate);
    // How far the drops lie from where the bucket is empty, 0 to 1.
    [[nodiscard]] double cost(double rate);
    [[nodiscard]] double recall(double rate);
    [[nodiscard]] double chance(double rate, double burst) const;
    [[nodiscard]] double refined(double rate, double ratio);
    [[nodiscard]] double edge(double rate, double factor);

    std::span<const BucketStep> steps_;
    BucketBlur blur_;
    std::vector<double> weights_;  // packets of each step with drops
    double dropped_ = 0;
    double passed_ = 0;
    double seconds_ = 0;
    Run run_;
};

const Run& Fitter::run(double rate) {
    run_.burst = 0;
    run_.at_drops.clear();
    double excess = 0;
    for (const BucketStep& step : steps_) {
        excess = std::max(0.0, excess + step.passed - rate * step.seconds);
        run_.burst = std::max(run_.burst, excess);
        if (step.dropped > 0) {
            run_.at_drops.push_back(excess);
        }
    }
    return run_;
}

double Fitter::cost(double rate) {
    const Run& now = run(rate);
    const double least = width(blur_, rate);
    if (now.burst < kBurstOfWidthMin * least) {
        return 1;
    }
    double sum = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
        sum += weights_[i] * std::min(1.0, (now.burst - now.at_drops[i]) / (kFarWidths * least));
    }
    return sum / dropped_;
}

double Fitter::recall(double rate) {
    const Run& now = run(rate);
    const double least = now.burst - width(blur_, rate);
    double explained = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
        explained += now.at_drops[i] >= least ? weights_[i] : 0;
    }
    return explained / dropped_;
}

// Losses of another cause begin and end after any packet. Between one drop and the next so many
// bytes passed; that the bucket is then empty again to within its width has a chance of width in
// so many. Drops that nothing passed between are one loss.
double Fitter::chance(double rate, double burst) const {
    const double least = width(blur_, rate);
    std::vector<double> shares;
    double excess = 0;
    double between = 0;
    bool any = false;
    for (const BucketStep& step : steps_) {
        excess = std::max(0.0, excess + step.passed - rate * step.seconds);
        between += step.passed;
        if (step.dropped > 0) {
            if (any && between > 0 && excess >= burst - least) {
                shares.push_back(least / (between + least));
            }
            any = true;
            between = 0;
        }
    }
    std::sort(shares.begin(), shares.end());
    double logarithm = 0;
    for (std::size_t i = kGapsSpent; i < shares.size(); ++i) {
        logarithm += std::log(shares[i]);
    }
    return std::exp(logarithm);
}

double Fitter::refined(double rate, double ratio) {
    double best = cost(rate);
    for (int i = 0; i < kRefinements; ++i) {
        const double centre = rate;
        for (const double other : {centre * ratio, centre / ratio}) {
            if (const double now = cost(other); now < best) {
                best = now;
                rate = other;
            }
        }
        ratio = std::sqrt(ratio);
    }
    return rate;
}

// The last rate in steps of `factor` that explains as many drops.
double Fitter::edge(double rate, double factor) {
    constexpr int kSteps = 200;
    for (int i = 0; i < kSteps && recall(rate * factor) >= kRecallMin; ++i) {
        rate *= factor;
    }
    return rate;
}

BucketFit Fitter::fit() {
    BucketFit fit;
    if (steps_.size() < 2 || passed_ <= 0 || weights_.size() <= kGapsSpent || seconds_ <= 0) {
        return fit;
    }
    // Slower than a quarter of the mean the bucket would overflow for ever.
    const double lowest = passed_ / (4 * seconds_);
    const double highest = lowest * 4000;
    const double ratio = std::pow(highest / lowest, 1.0 / kRates);
    std::array<double, kRates> costs{};
    double rate = lowest;
    for (double& one : costs) {
        one = cost(rate);
        rate *= ratio;
    }
    std::vector<int> order;
    for (int i = 0; i < kRates; ++i) {
        const double before = i == 0 ? 1 : costs[static_cast<std::size_t>(i - 1)];
        const double behind = i + 1 == kRates ? 1 : costs[static_cast<std::size_t>(i + 1)];
        const double now = costs[static_cast<std::size_t>(i)];
        if (now < 1 && now <= before && now <= behind) {
            order.push_back(i);
        }
    }
    std::sort(order.begin(), order.end(), [&](int a, int b) {
        return costs[static_cast<std::size_t>(a)] < costs[static_cast<std::size_t>(b)];
    });
    order.resize(std::min(order.size(), kStarts));
    double best = 1;
    for (const int start : order) {
        const double found = refined(lowest * std::pow(ratio, start), std::sqrt(ratio));
        if (const double now = cost(found); now < best) {
            best = now;
            fit.rate = found;
        }
    }
    if (fit.rate <= 0) {
        return fit;
    }
    fit.burst = run(fit.rate).burst;
    fit.recall = recall(fit.rate);
    fit.chance = chance(fit.rate, fit.burst);
    fit.fits = fit.recall >= kRecallMin && fit.chance <= kChanceMax;
    if (fit.fits) {
        constexpr double kEdgeStep = 1.001;
        fit.rate_low = edge(fit.rate, 1 / kEdgeStep);
        fit.rate_high = edge(fit.rate, kEdgeStep);
    }
    return fit;
}

}  // namespace

BucketFit fit_bucket(std::span<const BucketStep> steps, const BucketBlur& blur) {
    return Fitter(steps, blur).fit();
}

std::vector<bool> empty_steps(std::span<const BucketStep> steps, const BucketBlur& blur,
                              const BucketFit& fit) {
    const double least = fit.burst - width(blur, fit.rate);
    std::vector<bool> empty;
    empty.reserve(steps.size());
    double excess = 0;
    for (const BucketStep& step : steps) {
        excess = std::max(0.0, excess + step.passed - fit.rate * step.seconds);
        empty.push_back(excess >= least);
    }
    return empty;
}

}  // namespace tw::firewall
