// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/policy_limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "sinks/format/human.hpp"

namespace tw::firewall {
namespace {

using sinks::format::count_of;
using sinks::format::count_text;
using sinks::format::duration_text;
using sinks::format::percent_text;
using taps::TransitHistogram;

// "99.99 %": as many digits as the clause has, at most six.
[[nodiscard]] std::string share_text(double share) {
    std::string digits = fmt::format("{:.6f}", share * 100);
    digits.resize(digits.find_last_not_of('0') + 1);
    return (digits.ends_with('.') ? digits.substr(0, digits.size() - 1) : digits) + " %";
}

[[nodiscard]] double share_of(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

[[nodiscard]] LimitRow untested(std::string_view name, std::string expected, std::string why) {
    return {std::string(name), std::move(expected), "", RowResult::untested, std::move(why)};
}

// `sure` of `whole` are known to count against the clause, `maybe` more may.
[[nodiscard]] LimitRow share_at_most(std::string_view name, double max, std::uint64_t sure,
                                     std::uint64_t maybe, std::uint64_t whole,
                                     std::string_view noun) {
    LimitRow row{std::string(name), "<= " + share_text(max), "", RowResult::pass, ""};
    if (whole == 0) {
        return untested(name, row.expected, fmt::format("no {} were seen", noun));
    }
    row.measured = fmt::format("{} ({} of {} {})", percent_text(sure, whole), count_text(sure),
                               count_text(whole), noun);
    if (share_of(sure, whole) > max) {
        row.result = RowResult::fail;
    } else if (share_of(sure + maybe, whole) > max) {
        row.result = RowResult::inconclusive;
        row.why = fmt::format("{} more may count and are not proven", count_text(maybe));
    }
    return row;
}

[[nodiscard]] LimitRow setup_success(double min, const Tally& tally) {
    const std::uint64_t known = tally.made + tally.stopped;
    const std::uint64_t all = known + tally.stopped_maybe;
    LimitRow row{"setup_success", ">= " + share_text(min), "", RowResult::pass, ""};
    if (all == 0) {
        return untested(row.name, row.expected, "no attempt that the firewall could decide");
    }
    row.measured = fmt::format("{} ({} of {} attempts)", percent_text(tally.made, known),
                               count_text(tally.made), count_text(known));
    if (known != 0 && share_of(tally.made, known) < min) {
        row.result = RowResult::fail;
    } else if (share_of(tally.made, all) < min) {
        row.result = RowResult::inconclusive;
        row.why = fmt::format("{} more may have been stopped; it is not proven",
                              count_of(tally.stopped_maybe, "attempt"));
    }
    return row;
}

// Times of both ways together.
[[nodiscard]] TransitHistogram transits(std::span<const Latency> latencies, bool setup) {
    TransitHistogram all;
    for (const Latency& latency : latencies) {
        if (latency.setup == setup) {
            all.add(latency.histogram);
        }
    }
    return all;
}

struct Above {
    std::uint64_t least = 0;  // surely took longer
    std::uint64_t most = 0;   // may have: in the step that holds the limit, or without a time
};

[[nodiscard]] Above above(const TransitHistogram& histogram, Nanos limit) {
    Above count;
    for (std::uint32_t i = 0; i < TransitHistogram::kBuckets; ++i) {
        const std::uint64_t here = histogram.bucket(i);
        const bool wholly = TransitHistogram::bucket_begin(i) > limit;
        const bool last = i + 1 == TransitHistogram::kBuckets;
        const bool partly = last || TransitHistogram::bucket_begin(i + 1) > limit + 1;
        count.least += wholly ? here : 0;
        count.most += wholly || (partly && histogram.most() > limit) ? here : 0;
    }
    count.most += histogram.negative();
    return count;
}

struct LatencyClause {
    std::string_view name;
    std::string_view words;  // "p99"
    double share = 1;        // of the packets that must keep to it
    bool setup = false;
};

// Times are kept for all traffic together, by way and by whether they set a connection up. How many
// of the rule's own packets took longer lies between what the others cannot account for and all of
// it; with one rule the two meet.
[[nodiscard]] LimitRow latency(const LatencyClause& clause, Nanos max, const Tally& tally,
                               std::span<const Latency> latencies) {
    LimitRow row{std::string(clause.name), "<= " + duration_text(max), "", RowResult::pass, ""};
    const TransitHistogram all = transits(latencies, clause.setup);
    const std::uint64_t timed = all.count() + all.negative();
    const std::uint64_t mine = std::min(clause.setup ? tally.pairs_setup : tally.pairs_data, timed);
    if (mine == 0) {
        return untested(row.name, row.expected, "no packet of the rule was seen at both taps");
    }
    const Above longer = above(all, max);
    const std::uint64_t others = timed - mine;
    const std::uint64_t least = longer.least > others ? longer.least - others : 0;
    const std::uint64_t most = std::min(longer.most, mine);
    const double allowed = (1 - clause.share) * static_cast<double>(mine) + 1e-9;
    row.measured = fmt::format("{} {}{}", clause.words, duration_text(all.quantile(clause.share)),
                               others == 0 ? "" : " of all traffic");
    if (static_cast<double>(least) > allowed) {
        row.result = RowResult::fail;
    } else if (static_cast<double>(most) > allowed) {
        row.result = RowResult::inconclusive;
        row.why = fmt::format(
            "{} took longer or may have, {} of the rule passed among {}: times "
            "are kept for all rules together",
            count_of(longer.most, "packet"), count_text(mine), count_text(timed));
    }
    return row;
}

[[nodiscard]] LimitRow idle_timeout(Nanos min, const Tally& tally) {
    LimitRow row{"idle_timeout", ">= " + duration_text(min), "", RowResult::pass, ""};
    if (tally.idle_failed && *tally.idle_failed < min) {
        row.result = RowResult::fail;
        row.measured = fmt::format("below {}", duration_text(*tally.idle_failed));
        row.why = fmt::format("after a silence of {} a connection was not passed on",
                              duration_text(*tally.idle_failed));
    } else if (tally.idle_passed >= min) {
        row.measured = fmt::format("above {}", duration_text(tally.idle_passed));
    } else if (tally.idle_failed) {
        row.result = RowResult::inconclusive;
        row.measured = fmt::format("between {} and {}", duration_text(tally.idle_passed),
                                   duration_text(*tally.idle_failed));
        row.why = "the limit lies within what was learnt";
    } else {
        row.result = RowResult::untested;
        row.why = fmt::format("no connection was silent so long; the longest silence was {}",
                              duration_text(tally.idle_passed));
    }
    return row;
}

}  // namespace

std::vector<LimitRow> limit_rows(const Limits& limits, const Tally& tally,
                                 std::span<const Latency> latencies, Trust trust) {
    std::vector<LimitRow> rows;
    if (limits.setup_success_min) {
        rows.push_back(setup_success(*limits.setup_success_min, tally));
    }
    if (limits.loss_max) {
        const std::uint64_t maybe = std::max(tally.lost_maybe, tally.lost) - tally.lost;
        rows.push_back(
            share_at_most("loss", *limits.loss_max, tally.lost, maybe, tally.offered, "packets"));
    }
    if (limits.unexpected_rst_max) {
        rows.push_back(share_at_most("unexpected_rst", *limits.unexpected_rst_max, tally.reset,
                                     tally.reset_maybe, tally.made, "connections"));
    }
    const auto time = [&](const LatencyClause& clause, const std::optional<Nanos>& max) {
        if (max) {
            rows.push_back(latency(clause, *max, tally, latencies));
        }
    };
    time({"latency_p50", "p50", 0.50, false}, limits.latency_p50_max);
    time({"latency_p99", "p99", 0.99, false}, limits.latency_p99_max);
    time({"latency_max", "most", 1.0, false}, limits.latency_max);
    time({"setup_latency_p99", "p99", 0.99, true}, limits.setup_latency_p99_max);
    if (limits.idle_timeout_min) {
        rows.push_back(idle_timeout(*limits.idle_timeout_min, tally));
    }
    if (trust == Trust::unusable) {
        for (LimitRow& row : rows) {
            row.result = RowResult::inconclusive;
            row.why = "the capture is not fit to judge by";
        }
    }
    return rows;
}

}  // namespace tw::firewall
