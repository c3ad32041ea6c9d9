// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "sinks/firewall_svg.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using format::Html;
using taps::TransitHistogram;

// Units of the drawing: pixels at its full width.
constexpr double kWidth = 880;
constexpr double kLeft = 8;
constexpr double kRight = kWidth - 8;
constexpr double kTitle = 18;
constexpr double kMarks = 42;  // three lines of labels, so that close ones do not overlap
constexpr double kPlot = 70;
constexpr double kGap = 18;
constexpr double kPanel = kTitle + kMarks + kPlot + kGap;
constexpr double kAxis = 24;
constexpr double kBarMin = 3;

struct Mark {
    double share;
    std::string_view label;
};
constexpr std::array<Mark, 3> kShares{{{0.5, "p50"}, {0.99, "p99"}, {0.999, "p99.9"}}};

// Time to place, by its logarithm.
class Axis {
  public:
    explicit Axis(const std::vector<const firewall::Latency*>& shown) {
        Nanos least = INT64_MAX;
        Nanos most = 1;
        for (const firewall::Latency* latency : shown) {
            least = std::min(least, latency->histogram.quantile(0));
            most = std::max(most, latency->histogram.most());
        }
        // Half a decade at least on each side of a single value.
        from_ = std::floor(log_of(least) * 4 - 0.5) / 4;
        to_ = std::max(from_ + 1, std::ceil(log_of(most) * 4 + 0.5) / 4);
    }
    [[nodiscard]] double x(Nanos time) const {
        const double share = (log_of(time) - from_) / (to_ - from_);
        return kLeft + std::clamp(share, 0.0, 1.0) * (kRight - kLeft);
    }
    // Times to name: 1, 2 and 5 of each decade, or its begin alone where there are many.
    [[nodiscard]] std::vector<Nanos> ticks() const {
        const bool few = to_ - from_ > 3;
        std::vector<Nanos> times;
        for (int decade = static_cast<int>(std::floor(from_)); decade <= to_; ++decade) {
            for (const double step : {1.0, 2.0, 5.0}) {
                const double value = step * std::pow(10.0, decade);
                if (std::log10(value) >= from_ && std::log10(value) <= to_ && value >= 1 &&
                    (step == 1.0 || !few)) {
                    times.push_back(static_cast<Nanos>(std::llround(value)));
                }
            }
        }
        return times;
    }
    // Buckets of the histogram that make one bar wide enough to be seen.
    [[nodiscard]] std::uint32_t buckets_per_bar() const {
        constexpr double kBucket = 0.0094;  // decades, the narrowest: log10(64 / 63) and wider
        const double width = kBucket / (to_ - from_) * (kRight - kLeft);
        return static_cast<std::uint32_t>(std::clamp(std::ceil(kBarMin / width), 1.0, 32.0));
    }

  private:
    [[nodiscard]] static double log_of(Nanos time) {
        return std::log10(static_cast<double>(std::max<Nanos>(1, time)));
    }
    double from_ = 0;
    double to_ = 1;
};

void text(Html& html, std::string_view kind, double x, double y, std::string_view anchor,
          std::string_view words) {
    html.element(fmt::format("text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"", kind,
                             x, y, anchor),
                 words);
}

[[nodiscard]] std::string title_of(const firewall::Latency& latency) {
    return fmt::format("{}, {}", name(latency.way),
                       latency.setup ? "connection setup (SYN, SYN/ACK)" : "all other packets");
}

// Bars whose height is the logarithm of their packets: one slow packet in a million is seen.
void write_bars(Html& html, const TransitHistogram& times, const Axis& axis, double floor) {
    const std::uint32_t step = axis.buckets_per_bar();
    std::vector<std::uint64_t> bars;
    for (std::uint32_t i = 0; i < TransitHistogram::kBuckets; i += step) {
        std::uint64_t sum = 0;
        for (std::uint32_t j = i; j < std::min(i + step, TransitHistogram::kBuckets); ++j) {
            sum += times.bucket(j);
        }
        bars.push_back(sum);
    }
    const double most =
        std::log1p(static_cast<double>(*std::max_element(bars.begin(), bars.end())));
    html.raw("<path class=\"bars\" d=\"");
    for (std::uint32_t bar = 0; bar < bars.size(); ++bar) {
        if (bars[bar] == 0) {
            continue;
        }
        const double left = axis.x(TransitHistogram::bucket_begin(bar * step));
        const std::uint32_t next = std::min((bar + 1) * step, TransitHistogram::kBuckets - 1);
        const double width =
            std::max(1.5, axis.x(TransitHistogram::bucket_begin(next)) - left - 0.4);
        const double height = kPlot * std::log1p(static_cast<double>(bars[bar])) / most;
        html.raw(fmt::format("M{:.1f} {:.1f}v-{:.1f}h{:.1f}v{:.1f}z", left, floor, height, width,
                             height));
    }
    html.raw("\"/>");
}

void write_marks(Html& html, const TransitHistogram& times, const Axis& axis, double top) {
    double y = top + 11;
    for (const Mark& mark : kShares) {
        const Nanos time = times.quantile(mark.share);
        const double x = axis.x(time);
        html.raw(fmt::format(
            "<line class=\"mark\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>", x,
            y - 9, top + kMarks + kPlot));
        const bool right = x > kRight - 110;
        text(html, "label", x + (right ? -4 : 4), y, right ? "end" : "start",
             fmt::format("{} {}", mark.label, format::duration_text(time)));
        y += kMarks / 3;
    }
}

void write_panel(Html& html, const firewall::Latency& latency, const Axis& axis, double top) {
    const TransitHistogram& times = latency.histogram;
    text(html, "panel", kLeft, top + 12, "start", title_of(latency));
    text(html, "axis", kRight, top + 12, "end", format::count_of(times.count(), "packet"));
    const double floor = top + kTitle + kMarks + kPlot;
    write_bars(html, times, axis, floor);
    html.raw(
        fmt::format("<line class=\"rail\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>",
                    kLeft, kRight, floor));
    write_marks(html, times, axis, top + kTitle);
}

}  // namespace

void write_latency_svg(Html& html, const firewall::Report& report) {
    std::vector<const firewall::Latency*> shown;
    for (const firewall::Latency& latency : report.latencies) {
        if (latency.histogram.count() != 0) {
            shown.push_back(&latency);
        }
    }
    if (shown.empty()) {
        return;
    }
    const Axis axis(shown);
    const double bottom = kPanel * static_cast<double>(shown.size()) - kGap;
    html.raw(
        fmt::format("<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
                    "aria-label=\"Histograms of the time between the taps\">"
                    "<svg class=\"latency\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\">",
                    kWidth, bottom + kAxis));
    for (const Nanos time : axis.ticks()) {
        html.raw(fmt::format(
            "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>",
            axis.x(time), kTitle, bottom + 4));
        text(html, "axis", std::clamp(axis.x(time), kLeft + 18, kRight - 18), bottom + 17, "middle",
             format::duration_text(time));
    }
    double top = 0;
    for (const firewall::Latency* latency : shown) {
        write_panel(html, *latency, axis, top);
        top += kPanel;
    }
    html.raw("</svg></div>");
}

}  // namespace tw::sinks
