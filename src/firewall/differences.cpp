// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/differences.hpp"

#include "firewall/rewrites.hpp"
#include "firewall/study.hpp"
#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace tw::firewall {
namespace {

using sinks::format::duration_text;
using sinks::format::percent_text;
using sinks::format::spoken;
using taps::Rewrite;

// Shares that differ by less are chance, or other traffic.
constexpr double kShareChange = 0.25;
// Two brackets that lie further apart than this part of their size differ.
constexpr double kSlack = 0.05;
// A latency has changed by so much, and by more than the grain of clocks.
constexpr double kLatencyFactor = 1.5;
constexpr double kLatencyGrain = 20e-6;

double share_of(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// The same values in most of the changes: the kind of rewrite has one.
bool has_values(std::uint64_t same, std::uint64_t changed) {
    return same * 2 > changed;
}

void compare_rewrites(const EarlierReport& earlier, const Report& now,
                      std::vector<std::string>& list) {
    const auto same = [](const EarlierReport::Rewrite& old, const RewriteRow& row) {
        return old.way == taps::name(row.way) && old.rewrite == taps::name(row.rewrite);
    };
    for (const RewriteRow& row : now.rewrites) {
        const auto old = std::find_if(earlier.rewrites.begin(), earlier.rewrites.end(),
                                      [&](const auto& one) { return same(one, row); });
        if (old == earlier.rewrites.end()) {
            list.push_back("new: " + row.sentence);
            continue;
        }
        const double before = share_of(old->changed, old->of);
        const double after = share_of(row.count.changed, row.count.of);
        if (std::abs(after - before) >= kShareChange) {
            list.push_back(fmt::format("{}, {}: {} of the packets, {} before",
                                       spoken(taps::name(row.rewrite)), taps::name(row.way),
                                       percent_text(row.count.changed, row.count.of),
                                       percent_text(old->changed, old->of)));
            continue;
        }
        taps::RewriteCount then;
        then.before = old->before;
        then.after = old->after;
        const std::string was = change_text(row.rewrite, then);
        const std::string is = change_text(row.rewrite, row.count);
        // A TTL falls by as much, whatever it was.
        const bool same_fall = row.rewrite == Rewrite::ttl &&
                               old->before - old->after == row.count.before - row.count.after;
        if (was != is && !same_fall && has_values(old->same_values, old->changed) &&
            has_values(row.count.same_values, row.count.changed)) {
            list.push_back(fmt::format("{}, {}: {}, {} before", spoken(taps::name(row.rewrite)),
                                       taps::name(row.way), is, was));
        }
    }
    for (const EarlierReport::Rewrite& old : earlier.rewrites) {
        if (std::none_of(now.rewrites.begin(), now.rewrites.end(),
                         [&](const RewriteRow& row) { return same(old, row); })) {
            list.push_back("not any more: " + old.sentence);
        }
    }
}

// Brackets that overlap may be the same value.
bool differ(const EarlierReport::Learnt& old, const Parameter& now) {
    if (!old.high.has_value() && !old.low.has_value()) {
        return old.value != now.value;
    }
    const double low = std::max(old.low.value_or(0), now.low.value_or(0));
    const double high = std::min(old.high.value_or(HUGE_VAL), now.high.value_or(HUGE_VAL));
    return low > high + kSlack * low;
}

void compare_parameters(const EarlierReport& earlier, const Report& now,
                        std::vector<std::string>& list) {
    const auto same = [](const EarlierReport::Learnt& old, const Parameter& parameter) {
        return old.name == parameter.name && old.scope == parameter.scope;
    };
    for (const Parameter& parameter : now.parameters) {
        const auto old = std::find_if(earlier.parameters.begin(), earlier.parameters.end(),
                                      [&](const auto& one) { return same(one, parameter); });
        if (old == earlier.parameters.end()) {
            list.push_back(fmt::format("new: {} ({}) is {}", spoken(parameter.name),
                                       parameter.scope, parameter.value));
        } else if (differ(*old, parameter)) {
            list.push_back(fmt::format("{} ({}) is {}, was {}", spoken(parameter.name),
                                       parameter.scope, parameter.value, old->value));
        }
    }
    // One that is not learnt again may just not have been tried: nothing is said of it.
}

void compare_findings(const EarlierReport& earlier, const Report& now,
                      std::vector<std::string>& list) {
    const auto same = [](const EarlierReport::Found& old, const Finding& finding) {
        return old.behaviour == name(finding.behaviour) && old.scope == finding.scope;
    };
    for (const Finding& finding : now.findings) {
        if (std::none_of(earlier.findings.begin(), earlier.findings.end(),
                         [&](const auto& old) { return same(old, finding); })) {
            list.push_back(fmt::format("new finding ({}): {}", finding.scope, finding.sentence));
        }
    }
    for (const EarlierReport::Found& old : earlier.findings) {
        if (std::none_of(now.findings.begin(), now.findings.end(),
                         [&](const Finding& finding) { return same(old, finding); })) {
            list.push_back(fmt::format("not found any more ({}): {}", old.scope, old.sentence));
        }
    }
}

void compare_latencies(const EarlierReport& earlier, const Report& now,
                       std::vector<std::string>& list) {
    for (const Latency& latency : now.latencies) {
        const char* const of = latency.setup ? "setup" : "data";
        for (const EarlierReport::Times& old : earlier.latencies) {
            if (old.way != taps::name(latency.way) || old.setup != latency.setup) {
                continue;
            }
            const auto look = [&](const char* quantile, double was, double share) {
                const Nanos time = latency.histogram.quantile(share);
                const double is = seconds(time);
                if (std::abs(is - was) > kLatencyGrain &&
                    std::max(is, was) > kLatencyFactor * std::min(is, was)) {
                    const auto then = static_cast<Nanos>(std::llround(was * 1e9));
                    list.push_back(fmt::format("{} of {} latency, {}, is {}, was {}", quantile, of,
                                               taps::name(latency.way), duration_text(time),
                                               duration_text(then)));
                }
            };
            look("p50", old.p50, 0.5);
            look("p99", old.p99, 0.99);
        }
    }
}

}  // namespace

std::vector<std::string> differences(const EarlierReport& earlier, const Report& now) {
    std::vector<std::string> list;
    compare_rewrites(earlier, now, list);
    compare_parameters(earlier, now, list);
    compare_findings(earlier, now, list);
    compare_latencies(earlier, now, list);
    return list;
}

}  // namespace tw::firewall
