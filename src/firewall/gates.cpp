// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/gates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "firewall/grades.hpp"
#include "firewall/policy_match.hpp"
#include "sinks/format/human.hpp"

namespace tw::firewall {
namespace {

using sinks::format::count_of;
using sinks::format::count_text;
using sinks::format::duration_text;
using sinks::format::percent_text;
using taps::Side;
using taps::TapHealth;
using taps::TapWay;
using taps::Way;

// Fewer packets than this are no sample of a direction, a TTL, or of how often clocks disagree.
constexpr std::uint64_t kSampleMin = 10;
// A direction is absent from a tap below this share of what the other tap has of it.
constexpr std::uint64_t kAbsentShare = 20;  // one in
// Rates below these do not change what is said: one in.
constexpr std::uint64_t kMissesHarmless = 1000;
constexpr std::uint64_t kCopiesHarmless = 100;
constexpr std::uint64_t kUnsetHarmless = 100;
// Connections seen with both directions at one tap and not at all at the other, to wonder at.
constexpr std::uint64_t kElsewhereMin = 5;
// TTL of nearly all packets must fall by one constant: per cent.
constexpr std::uint64_t kSameFall = 95;

// Connections that fit the policy only with the taps exchanged: at least, and per cent of all; of
// the packets that seem to leave before they enter, too.
constexpr std::uint64_t kExchangedMin = 3;
constexpr std::uint64_t kExchanged = 90;

// A rule that names hosts: one that is meant for anybody fits either way round.
[[nodiscard]] bool fits_by_name(const Policy& policy, const Endpoints& client,
                                const Endpoints& server, Side client_side) {
    const auto matched = match_rule(policy, client, server, client_side);
    const auto names_hosts = [&](std::uint32_t network) {
        return std::ranges::none_of(policy.networks[network].prefixes,
                                    [](const Prefix& prefix) { return prefix.bits == 0; });
    };
    return matched && !matched->is_default &&
           (std::ranges::any_of(matched->rule->sources, names_hosts) ||
            std::ranges::any_of(matched->rule->destinations, names_hosts));
}

constexpr std::array kBothWays{Way::inward, Way::outward};
constexpr std::array kBothSides{Side::outside, Side::inside};

class Judge {
  public:
    Judge(const Captured& captured, Confidence& confidence)
        : captured_(captured), health_(confidence.health), confidence_(confidence) {}

    void wiring();
    void time();
    void losses();

  private:
    void doubt(DoubtId id, std::string sentence) { doubt(id, info(id).trust, std::move(sentence)); }
    void doubt(DoubtId id, Trust trust, std::string sentence) {
        confidence_.doubts.push_back(
            {std::string(info(id).name), trust, std::move(sentence), std::string(info(id).advice)});
    }
    [[nodiscard]] std::string name(Side side) const {
        const std::string& given = confidence_.taps[taps::index(side)].name;
        return given.empty() ? std::string(taps::name(side)) : given;
    }
    [[nodiscard]] const TapWay& at(Side side, Way way) const {
        return health_.taps[taps::index(side)][taps::index(way)];
    }
    [[nodiscard]] std::uint64_t packets(Side side) const {
        return at(side, Way::inward).packets + at(side, Way::outward).packets;
    }
    [[nodiscard]] std::uint64_t pairs(Way way) const { return at(taps::exit(way), way).paired; }
    [[nodiscard]] std::uint64_t compared(Way way) const { return health_.compared(way); }
    [[nodiscard]] std::pair<Nanos, Nanos> span_of(Side side) const;
    [[nodiscard]] bool both_have_packets();
    [[nodiscard]] bool overlap();
    [[nodiscard]] bool same_capture();
    [[nodiscard]] bool exchanged();
    [[nodiscard]] bool answered_unseen(Way way) const;
    void directions();
    void in_common();
    void ttl();

    const Captured& captured_;
    const TapHealth& health_;
    Confidence& confidence_;
};

bool Judge::both_have_packets() {
    bool both = true;
    for (const Side side : kBothSides) {
        if (packets(side) == 0) {
            doubt(DoubtId::no_packets, fmt::format("the {} tap has no TCP packet", name(side)));
            both = false;
        }
    }
    return both;
}

std::pair<Nanos, Nanos> Judge::span_of(Side side) const {
    std::pair<Nanos, Nanos> span{INT64_MAX, INT64_MIN};
    for (const Way way : kBothWays) {
        if (at(side, way).packets != 0) {
            span.first = std::min(span.first, at(side, way).first);
            span.second = std::max(span.second, at(side, way).last);
        }
    }
    return span;
}

bool Judge::overlap() {
    const auto [outside_first, outside_last] = span_of(Side::outside);
    const auto [inside_first, inside_last] = span_of(Side::inside);
    if (outside_first <= inside_last && inside_first <= outside_last) {
        return true;
    }
    const bool outside_earlier = outside_last < inside_first;
    const Nanos gap = outside_earlier ? sinks::format::elapsed(outside_last, inside_first)
                                      : sinks::format::elapsed(inside_last, outside_first);
    doubt(DoubtId::no_overlap,
          fmt::format("the {} tap's capture ends {} before that of the {} tap begins",
                      name(outside_earlier ? Side::outside : Side::inside), duration_text(gap),
                      name(outside_earlier ? Side::inside : Side::outside)));
    return false;
}

// Nothing that stands between two taps takes no time at all.
bool Judge::same_capture() {
    std::uint64_t count = 0;
    for (const Way way : kBothWays) {
        const auto& sums = captured_.passage.way(way);
        for (const taps::TransitHistogram* transits : {&sums.setup, &sums.data}) {
            count += transits->count();
            if (transits->negative() != 0 || transits->least() != 0 || transits->most() != 0) {
                return false;
            }
        }
        const auto& falls = health_.ttl_fall[taps::index(way)];
        if (falls[static_cast<std::size_t>(-TapHealth::kTtlFallMin)] != compared(way)) {
            return false;
        }
    }
    if (count < 2) {
        return false;
    }
    doubt(DoubtId::same_capture,
          fmt::format("all {} of both taps have the same time and TTL at both: this is one capture "
                      "given twice",
                      count_of(count, "packet")));
    return true;
}

// With the taps exchanged all times and TTL are in order: only who stands where is wrong.
bool Judge::exchanged() {
    std::uint64_t all = 0;
    std::uint64_t fit = 0;
    std::uint64_t fit_exchanged = 0;
    for (const taps::Conversation& one : captured_.conversations) {
        if (!one.client_known || one.pairing == taps::Pairing::unpaired) {
            continue;
        }
        ++all;
        const Endpoints client{one.client[1], one.client[0]};
        const Endpoints server{one.server[1], one.server[0]};
        fit += fits_by_name(captured_.policy, one.client, one.server, one.client_side) ? 1U : 0U;
        fit_exchanged +=
            fits_by_name(captured_.policy, client, server, taps::other(one.client_side)) ? 1U : 0U;
    }
    if (fit != 0 || fit_exchanged < kExchangedMin || fit_exchanged * 100 < all * kExchanged) {
        return false;
    }
    doubt(
        DoubtId::taps_swapped,
        fmt::format("{} of {} fit rules of the policy only if {} and {} are exchanged, and none as "
                    "they are",
                    count_text(fit_exchanged), count_of(all, "connection"), name(Side::outside),
                    name(Side::inside)));
    return true;
}

// Whether somebody sends data though he was not seen to get an answer: without one, no handshake.
bool Judge::answered_unseen(Way way) const {
    return std::ranges::any_of(captured_.conversations, [way](const taps::Conversation& one) {
        const taps::WayCounts& there = one.ways[taps::index(way)];
        const taps::WayCounts& back = one.ways[taps::index(taps::back(way))];
        return there.entered != 0 && there.passed == 0 && back.entered_bytes != 0;
    });
}

// A tap without one direction makes a loss of every packet of it.
void Judge::directions() {
    for (const Side side : kBothSides) {
        for (const Way way : kBothWays) {
            const TapWay& here = at(side, way);
            const TapWay& there = at(taps::other(side), way);
            // All packets of one way dropped look like it, but then nobody acknowledges them.
            const bool flows =
                side == taps::entry(way) || here.missed_packets != 0 || answered_unseen(way);
            if (there.packets >= kSampleMin && at(side, taps::back(way)).packets >= kSampleMin &&
                here.packets < there.packets / kAbsentShare && flows) {
                doubt(DoubtId::one_direction,
                      fmt::format("the {} tap does not carry the {} direction: {} there, {} at the "
                                  "{} tap",
                                  name(side), taps::name(way), count_of(here.packets, "packet"),
                                  count_text(there.packets), name(taps::other(side))));
            }
        }
    }
}

void Judge::in_common() {
    std::array<std::uint64_t, taps::kSides> elsewhere{};
    for (const taps::Conversation& one : captured_.conversations) {
        const bool two_way =
            one.outcome == taps::Outcome::established || one.outcome == taps::Outcome::midway;
        if (two_way && one.seen[0] != one.seen[1]) {
            ++elsewhere[one.seen[0] ? 0 : 1];
        }
    }
    for (const Side side : kBothSides) {
        const std::uint64_t count = elsewhere[taps::index(side)];
        if (count >= kElsewhereMin && count > health_.conversations_at_both) {
            doubt(DoubtId::few_in_common,
                  fmt::format("{} that passed data were seen at the {} tap alone, {} at both",
                              count_of(count, "connection"), name(side),
                              count_text(health_.conversations_at_both)));
        }
    }
}

void Judge::ttl() {
    for (const Way way : kBothWays) {
        const auto& falls = health_.ttl_fall[taps::index(way)];
        const std::uint64_t all = compared(way);
        // 0, 1 and 2: what a bridge, a router and a cluster with a link of its own take off.
        const auto first = falls.begin() - TapHealth::kTtlFallMin;
        const std::uint64_t usual = *std::max_element(first, first + 3);
        if (all >= kSampleMin && usual * 100 < all * kSameFall) {
            doubt(DoubtId::ttl_falls_oddly,
                  fmt::format("the TTL of {} packets {} does not fall by one constant of 0, 1 or 2",
                              percent_text(all - usual, all), taps::name(way)));
        }
    }
}

void Judge::wiring() {
    if (!both_have_packets() || !overlap()) {
        return;
    }
    const bool any = health_.conversations_at_one[0] + health_.conversations_at_one[1] != 0;
    if (health_.conversations_at_both == 0 && any) {
        doubt(DoubtId::no_pairs,
              fmt::format("none of the {} of the {} tap and the {} of the {} tap was found at the "
                          "other{}",
                          count_of(health_.conversations_at_one[0], "connection"),
                          name(Side::outside), count_text(health_.conversations_at_one[1]),
                          name(Side::inside),
                          captured_.totals.ambiguous == 0
                              ? std::string()
                              : fmt::format("; {} are proxied and too alike to be told apart",
                                            count_text(captured_.totals.ambiguous))));
        return;
    }
    if (same_capture() || exchanged()) {
        return;
    }
    directions();
    in_common();
    ttl();
}

// With one clock no packet and its answer can both be quicker than nothing (gate T).
void Judge::time() {
    const auto negative = [&](Way way, std::uint64_t per_cent) {
        return health_.negative_transits[taps::index(way)] * 100 > compared(way) * per_cent;
    };
    const auto mostly_negative = [&](Way way) { return negative(way, 50); };
    confidence_.skew = std::max(confidence_.skew, health_.skew());
    // Mirrors that come and go by more than the transit turn round every other packet.
    if (negative(Way::inward, kExchanged) && negative(Way::outward, kExchanged)) {
        doubt(
            DoubtId::taps_swapped,
            fmt::format("{} packets inward and {} outward seem to leave before they enter: {} and "
                        "{} are exchanged, or no time can be trusted",
                        percent_text(health_.negative_transits[0], compared(Way::inward)),
                        percent_text(health_.negative_transits[1], compared(Way::outward)),
                        name(Side::outside), name(Side::inside)));
        return;
    }
    if (confidence_.clock_offset != 0 || confidence_.clock_estimated) {
        doubt(DoubtId::clock_offset,
              fmt::format(
                  "the times of the {} tap are {} {} those of the {} tap, by its clock or by a "
                  "mirror that delays; this was taken off",
                  name(Side::inside),
                  duration_text(confidence_.clock_offset < 0 ? -confidence_.clock_offset
                                                             : confidence_.clock_offset),
                  confidence_.clock_offset < 0 ? "behind" : "ahead of", name(Side::outside)));
    } else if (confidence_.skew == 0 && std::ranges::any_of(kBothWays, mostly_negative)) {
        const Way way = mostly_negative(Way::inward) ? Way::inward : Way::outward;
        doubt(
            DoubtId::clock_offset,
            fmt::format("packets {} seem to leave up to {} before they enter, those {} do not: the "
                        "clocks of the two captures differ",
                        taps::name(way), duration_text(-health_.least_transit[taps::index(way)]),
                        taps::name(taps::back(way))));
    }
    Nanos usual = INT64_MAX;
    for (const Way way : kBothWays) {
        if (pairs(way) != 0) {
            usual = std::min(usual, captured_.passage.way(way).data.quantile(0.5));
        }
    }
    if (confidence_.skew > usual) {
        const bool bounded = confidence_.skew <= kSkewHarmless;
        doubt(DoubtId::mirror_skew, bounded ? Trust::good : Trust::reduced,
              fmt::format("times of the two taps contradict each other by {}, more than the {} "
                          "that half of the packets take: {}",
                          duration_text(confidence_.skew), duration_text(usual),
                          bounded ? "latencies are weak, what sequence numbers and ACKs show is not"
                                  : "what rests on times is at best probable"));
    }
}

void Judge::losses() {
    std::uint64_t copies = 0;
    std::uint64_t all = 0;
    for (const Side side : kBothSides) {
        const TapReport& tap = confidence_.taps[taps::index(side)];
        const double rate = miss_rate(captured_.totals, health_, side);
        confidence_.miss_rate[taps::index(side)] = rate;
        if (rate > 0) {
            doubt(DoubtId::capture_loss,
                  rate * static_cast<double>(kMissesHarmless) < 1 ? Trust::good : Trust::reduced,
                  fmt::format("the capture of the {} tap lacks {:.2g} % of the packets that are "
                              "known to have passed it",
                              name(side), 100 * rate));
        }
        if (tap.drops_known && tap.dropped != 0 && tap.ledger_faults == 0) {
            doubt(DoubtId::drops_counted,
                  fmt::format("the capture of the {} tap dropped {} by its own count", name(side),
                              count_of(tap.dropped, "frame")));
        }
        if (tap.ledger_faults != 0) {
            doubt(DoubtId::ledger_marks,
                  fmt::format("the monitor lost frames of the {} tap in {}", name(side),
                              count_of(tap.ledger_faults, "interval")));
        }
        for (const Way way : kBothWays) {
            copies += at(side, way).copies;
            all += at(side, way).packets;
        }
    }
    if (copies * kCopiesHarmless > all) {
        doubt(DoubtId::mirror_copies, Trust::good,
              fmt::format("{} came twice from a mirror and were counted once",
                          count_of(copies, "packet")));
    }
    if (health_.checksum_unset * kUnsetHarmless > all) {
        doubt(DoubtId::no_digest,
              fmt::format("{} of packets were captured before their TCP checksum was filled in: "
                          "whether their payload was altered cannot be told",
                          percent_text(health_.checksum_unset, all)));
    }
    if (health_.untold_sides != 0) {
        doubt(DoubtId::sides_guessed, Trust::good,
              fmt::format("for {} the side of the client is a guess",
                          count_of(health_.untold_sides, "connection")));
    }
    if (!captured_.totals.limits_reached.empty()) {
        const auto& [counter, value] = captured_.totals.limits_reached.front();
        doubt(DoubtId::limits_reached,
              fmt::format(
                  "{} {} ({}): counts are lower bounds",
                  count_of(captured_.totals.limits_reached.size(), "limit"),
                  captured_.totals.limits_reached.size() == 1 ? "was reached" : "were reached",
                  fmt::format("{}: {}", counter, count_text(value))));
    }
}

}  // namespace

double miss_rate(const Totals& totals, const TapHealth& health, Side tap) {
    std::uint64_t missed = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t seen = 0;
    for (const Way way : kBothWays) {
        const taps::WayCounts& counts = totals.ways[taps::index(way)];
        missed += taps::exit(way) == tap ? counts.missed_at_exit : counts.missed_at_entry;
        const TapWay& here = health.taps[taps::index(tap)][taps::index(way)];
        acknowledged += here.missed_packets;
        seen += here.packets;
    }
    // The two overlap: packets the other tap has, and packets a receiver here has.
    missed = std::max(missed, acknowledged);
    return missed == 0 ? 0 : static_cast<double>(missed) / static_cast<double>(seen + missed);
}

void judge_capture(const Captured& captured, Confidence& confidence) {
    Judge judge(captured, confidence);
    judge.wiring();
    judge.time();
    judge.losses();
    for (const Doubt& doubt : confidence.doubts) {
        confidence.trust = std::max(confidence.trust, doubt.trust);
    }
}

}  // namespace tw::firewall
