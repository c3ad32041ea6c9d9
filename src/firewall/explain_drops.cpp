// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/explain_drops.hpp"

#include "firewall/tuple_hash.hpp"
#include "sinks/format/human.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

namespace tw::firewall {
namespace {

using sinks::format::bytes_text;
using sinks::format::clock_text;
using sinks::format::count_of;
using sinks::format::count_text;
using sinks::format::duration_text;
using sinks::format::percent_text;
using taps::Passage;
using taps::Way;

constexpr std::size_t kDropsMin = 5;
constexpr std::size_t kExplanationsMax = 5;
// Share of the drops it covers, less share of the passed packets (Youden's J): 0 for what sets
// nothing apart. Precision alone would miss a firewall that drops some packets of one host.
constexpr double kScoreMin = 0.4;
// ln of 20,000: some hundred predicates are tried.
constexpr double kSurpriseMin = 9.9;
constexpr Way kBothWays[] = {Way::inward, Way::outward};

struct Candidate {
    std::string predicate;
    std::string words;  // what covered packets "had": "a length above 1,400 bytes"
    double value = 0;
    std::uint64_t drops = 0;
    std::uint64_t passed = 0;
    std::uint64_t asked = 0;  // passed packets it can be asked of; 0 = all
};

class Explainer {
  public:
    explicit Explainer(const Study& study) : study_(study), passage_(study.all().passage) {
        for (std::uint32_t i = 0; i < study.all().cases.size(); ++i) {
            const Case& one = study.at(i);
            if (is_drop(one) && !one.expected) {
                drops_.push_back(one.fact);
            }
        }
        for (const Way way : kBothWays) {
            passed_ += passage_.way(way).pairs();
        }
    }

    std::vector<Explanation> explain() {
        if (drops_.size() < kDropsMin || passed_ == 0) {
            return {};
        }
        // Of equal ones the first wins: what an operator can change in one line comes first.
        by_length();
        by_idle();
        by_concurrency();
        by_reuse();
        by_property();
        by_ends();
        by_rate();
        by_time();
        by_hash();
        return best();
    }

  private:
    // Counts of drops and passed packets, by a value.
    using Weights = std::map<std::int64_t, std::pair<std::uint64_t, std::uint64_t>>;

    [[nodiscard]] double score(const Candidate& candidate) const {
        const std::uint64_t asked = candidate.asked != 0 ? candidate.asked : passed_;
        return static_cast<double>(candidate.drops) / static_cast<double>(drops_.size()) -
               static_cast<double>(candidate.passed) / static_cast<double>(asked);
    }
    // Drops taken from the passed packets at random would be covered so well with a chance of at
    // most exp(-n KL(recall, share)) (Chernoff).
    [[nodiscard]] double surprise(const Candidate& candidate) const {
        const std::uint64_t asked = candidate.asked != 0 ? candidate.asked : passed_;
        const double share = std::min(
            0.999, (static_cast<double>(candidate.passed) + 1) / (static_cast<double>(asked) + 1));
        const auto n = static_cast<double>(drops_.size());
        const double recall = static_cast<double>(candidate.drops) / n;
        const double misses = 1 - recall;
        return n * (recall * std::log(recall / share) +
                    (misses > 0 ? misses * std::log(misses / (1 - share)) : 0));
    }
    void consider(Candidate candidate) {
        if (candidate.drops != 0 && score(candidate) >= kScoreMin &&
            surprise(candidate) >= kSurpriseMin) {
            found_.push_back(std::move(candidate));
        }
    }
    [[nodiscard]] std::uint64_t count_drops(
        const std::function<bool(const taps::Fact&)>& holds) const {
        return static_cast<std::uint64_t>(std::count_if(
            drops_.begin(), drops_.end(), [&](const taps::Fact* fact) { return holds(*fact); }));
    }
    // The threshold above (or from) which most drops and fewest passed packets lie.
    struct Cut {
        std::int64_t value = 0;
        std::uint64_t drops = 0;
        std::uint64_t passed = 0;
    };
    [[nodiscard]] Cut best_cut(const Weights& weights, std::uint64_t asked) const;

    void by_length();
    void by_idle();
    void by_property();
    void by_reuse();
    void by_ends();
    void by_concurrency();
    void by_rate();
    void by_time();
    void by_hash();
    [[nodiscard]] std::vector<Explanation> best();

    const Study& study_;
    const Passage& passage_;
    std::vector<const taps::Fact*> drops_;
    std::uint64_t passed_ = 0;
    std::vector<Candidate> found_;
};

Explainer::Cut Explainer::best_cut(const Weights& weights, std::uint64_t asked) const {
    Cut sum;
    Cut best;
    double best_score = -1;
    for (auto row = weights.rbegin(); row != weights.rend(); ++row) {
        sum.value = row->first;
        sum.drops += row->second.first;
        sum.passed += row->second.second;
        const double now = score({.predicate = {},
                                  .words = {},
                                  .drops = sum.drops,
                                  .passed = sum.passed,
                                  .asked = asked});
        if (now > best_score) {
            best_score = now;
            best = sum;
        }
    }
    return best;
}

void Explainer::by_length() {
    Weights weights;
    for (const taps::Fact* fact : drops_) {
        ++weights[std::min<std::int64_t>(fact->packet.ip_bytes, Passage::kLengthMax)].first;
    }
    for (const Way way : kBothWays) {
        for (std::uint32_t bytes = 0; bytes <= Passage::kLengthMax; ++bytes) {
            if (const std::uint64_t count = passage_.of_length(way, bytes); count != 0) {
                weights[bytes].second += count;
            }
        }
    }
    const Cut cut = best_cut(weights, 0);
    // The threshold people know: the longest below the cut.
    const auto at = weights.find(cut.value);
    const std::int64_t above =
        at == weights.begin() || at == weights.end() ? cut.value - 1 : std::prev(at)->first;
    consider({.predicate = "length_above",
              .words = fmt::format("a length above {} bytes",
                                   count_text(static_cast<std::uint64_t>(above))),
              .value = static_cast<double>(above),
              .drops = cut.drops,
              .passed = cut.passed});
}

void Explainer::by_idle() {
    std::vector<Nanos> idles;
    for (const taps::Fact* fact : drops_) {
        idles.push_back(fact->circumstances.idle);
    }
    std::sort(idles.begin(), idles.end());
    Candidate best{.predicate = "idle_above", .words = {}};
    double best_score = -1;
    for (std::size_t i = 0; i < idles.size(); ++i) {
        constexpr Nanos kShortest = Nanos{1} << Passage::kIdleShift;
        if (idles[i] < kShortest || (i > 0 && idles[i] == idles[i - 1])) {
            continue;
        }
        Candidate now = best;
        now.drops = idles.size() - i;
        now.passed = passage_.passed_after_idle(Way::inward, idles[i]) +
                     passage_.passed_after_idle(Way::outward, idles[i]);
        if (score(now) > best_score) {
            best_score = score(now);
            now.value = seconds(idles[i]);
            now.words = fmt::format("a silence of {} or more before", duration_text(idles[i]));
            best = now;
        }
    }
    consider(std::move(best));
}

void Explainer::by_property() {
    const auto sums = [&](auto member) {
        return member(passage_.way(Way::inward)) + member(passage_.way(Way::outward));
    };
    using Sums = Passage::WaySums;
    consider({.predicate = "sack_present",
              .words = "SACK blocks",
              .drops = count_drops([](const taps::Fact& fact) {
                  return fact.packet.option(taps::option_bit::kSack);
              }),
              .passed = sums([](const Sums& way) { return way.with_sack(); })});
    consider(
        {.predicate = "dont_fragment",
         .words = "the don't-fragment bit",
         .drops = count_drops([](const taps::Fact& fact) { return fact.packet.dont_fragment; }),
         .passed = sums([](const Sums& way) { return way.dont_fragment; })});
    consider({.predicate = "out_of_order",
              .words = "entered out of order, or again",
              .drops = count_drops(
                  [](const taps::Fact& fact) { return fact.circumstances.out_of_order; }),
              .passed = sums([](const Sums& way) { return way.out_of_order; })});
    consider({.predicate = "new_connection",
              .words = "a SYN: they ask for a connection",
              .drops = count_drops(
                  [](const taps::Fact& fact) { return fact.packet.has(decode::tcp_flag::kSyn); }),
              .passed = sums([](const Sums& way) { return way.setup.count(); })});
    for (const Way way : kBothWays) {
        consider({.predicate = "direction",
                  .words = fmt::format("the direction {}", taps::name(way)),
                  .drops = count_drops([way](const taps::Fact& fact) { return fact.way == way; }),
                  .passed = passage_.way(way).pairs()});
    }
}

void Explainer::by_reuse() {
    std::set<std::array<ScopeKey, 2>> seen;
    std::uint64_t passed = 0;
    std::uint64_t established = 0;
    for (const taps::Conversation& conversation : study_.all().conversations) {
        const flow::Endpoint& client = client_of(conversation);
        const flow::Endpoint& server = server_of(conversation);
        const bool fresh = seen.insert({scope_key(Scope::server, client, client),
                                        scope_key(Scope::server, server, server)})
                               .second;
        const bool came_about = conversation.outcome == taps::Outcome::established;
        established += came_about ? 1U : 0U;
        passed += came_about && !fresh ? 1U : 0U;
    }
    consider({.predicate = "first_after_reuse",
              .words = "the first packet of addresses and ports used before",
              .drops = count_drops([](const taps::Fact& fact) {
                  return fact.circumstances.since_previous > 0 &&
                         fact.packet.has(decode::tcp_flag::kSyn);
              }),
              .passed = passed,
              .asked = established});
}

void Explainer::by_ends() {
    struct Share {
        std::uint64_t drops = 0;
        std::uint64_t passed = 0;
        std::string words;
    };
    constexpr std::array<std::pair<Scope, const char*>, 3> kEnds{
        {{Scope::server, "service"},
         {Scope::client_host, "source"},
         {Scope::server_host, "destination"}}};
    for (const auto& [scope, predicate] : kEnds) {
        std::map<ScopeKey, Share> shares;
        for (const taps::Fact* fact : drops_) {
            const flow::Endpoint& client = client_of(*fact);
            const flow::Endpoint& server = server_of(*fact);
            Share& share = shares[scope_key(scope, client, server)];
            if (share.drops++ == 0) {
                share.words = "the " + scope_text(scope, client, server);
            }
        }
        for (const taps::Conversation& conversation : study_.all().conversations) {
            const auto found =
                shares.find(scope_key(scope, client_of(conversation), server_of(conversation)));
            if (found != shares.end()) {
                found->second.passed += conversation.ways[0].passed + conversation.ways[1].passed;
            }
        }
        for (auto& [key, share] : shares) {
            consider({.predicate = predicate,
                      .words = std::move(share.words),
                      .drops = share.drops,
                      .passed = share.passed});
        }
    }
}

void Explainer::by_concurrency() {
    // A question to new connections: it is asked of SYNs, and only where these are what is dropped.
    std::vector<Nanos> begins;
    std::vector<Nanos> ends;
    for (const taps::Conversation& conversation : study_.all().conversations) {
        if (conversation.outcome == taps::Outcome::established ||
            conversation.outcome == taps::Outcome::midway) {
            begins.push_back(conversation.established != 0 ? conversation.established
                                                           : conversation.first);
            ends.push_back(conversation.ended ? conversation.last : INT64_MAX);
        }
    }
    std::sort(begins.begin(), begins.end());
    std::sort(ends.begin(), ends.end());
    const auto open_at = [&](Nanos time) {
        return (std::lower_bound(begins.begin(), begins.end(), time) - begins.begin()) -
               (std::upper_bound(ends.begin(), ends.end(), time) - ends.begin());
    };
    Weights weights;
    std::uint64_t syns = 0;
    for (const taps::Fact* fact : drops_) {
        if (fact->packet.has(decode::tcp_flag::kSyn)) {
            ++weights[open_at(fact->time)].first;
            ++syns;
        }
    }
    if (syns * 10 < drops_.size() * 9) {
        return;
    }
    for (const Nanos begin : begins) {
        ++weights[open_at(begin)].second;
    }
    const Cut cut = best_cut(weights, begins.size());
    if (cut.value > 0) {
        consider(
            {.predicate = "concurrent_above",
             .words = fmt::format("{} or more open at that time, and asked for one more",
                                  count_of(static_cast<std::uint64_t>(cut.value), "connection")),
             .value = static_cast<double>(cut.value),
             .drops = cut.drops,
             .passed = cut.passed,
             .asked = begins.size()});
    }
}

void Explainer::by_rate() {
    for (const Way way : kBothWays) {
        // Bytes offered in a slot, and what became of its packets.
        Weights weights;
        // Of the drops that are explained: a slot counts each copy as lost.
        std::map<std::int64_t, std::uint64_t> drops_in;
        for (const taps::Fact* fact : drops_) {
            if (fact->way == way) {
                ++drops_in[fact->time / Passage::kSlotTime];
            }
        }
        if (drops_in.empty()) {
            continue;
        }
        const auto [first, last] = std::minmax_element(
            drops_.begin(), drops_.end(),
            [](const taps::Fact* a, const taps::Fact* b) { return a->time < b->time; });
        const std::int64_t end = (*last)->time / Passage::kSlotTime + Passage::kSlots / 2;
        for (std::int64_t i = end - Passage::kSlots + 1; i <= end; ++i) {
            const taps::LoadSlot slot = passage_.slot(way, i);
            if (slot.passed_packets + slot.lost_packets != 0) {
                auto& weight = weights[std::int64_t{slot.passed_bytes} + slot.lost_bytes];
                const auto drops = drops_in.find(i);
                weight.first += drops == drops_in.end() ? 0 : drops->second;
                weight.second += slot.passed_packets;
            }
        }
        const Cut cut = best_cut(weights, passage_.way(way).pairs());
        const double rate = static_cast<double>(cut.value) / seconds(Passage::kSlotTime);
        consider(
            {.predicate = "rate_above",
             .words = fmt::format("{}/s or more offered {} at that time",
                                  bytes_text(static_cast<std::uint64_t>(rate)), taps::name(way)),
             .value = rate,
             .drops = cut.drops,
             .passed = cut.passed,
             .asked = passage_.way(way).pairs()});
    }
}

void Explainer::by_time() {
    std::vector<Nanos> times;
    for (const taps::Fact* fact : drops_) {
        times.push_back(fact->time);
    }
    std::sort(times.begin(), times.end());
    // The shortest window that holds 95 % of them.
    const std::size_t needed = times.size() - times.size() / 20;
    std::size_t begin = 0;
    for (std::size_t i = 0; i + needed <= times.size(); ++i) {
        if (times[i + needed - 1] - times[i] < times[begin + needed - 1] - times[begin]) {
            begin = i;
        }
    }
    const Nanos from = times[begin];
    const Nanos until = times[begin + needed - 1];
    std::uint64_t passed = 0;
    const std::int64_t last = until / kSecond;
    if (last - from / kSecond >= Passage::kSeconds) {
        return;
    }
    for (std::int64_t second = from / kSecond; second <= last; ++second) {
        passed += passage_.packets_in_second(Way::inward, second) +
                  passage_.packets_in_second(Way::outward, second);
    }
    consider(
        {.predicate = "time_window",
         .words = fmt::format("entered between {} and {}", clock_text(from), clock_text(until)),
         .value = seconds(until - from),
         .drops = needed,
         .passed = passed});
}

void Explainer::by_hash() {
    // Few conversations share a bucket by chance.
    constexpr std::size_t kConversationsMin = 8;
    std::set<std::uint64_t> suffering;
    for (const taps::Fact* fact : drops_) {
        suffering.insert(fact->conversation);
    }
    if (suffering.size() < kConversationsMin) {
        return;
    }
    for (const TupleHash& hash : tuple_hashes()) {
        for (std::uint32_t buckets = 2; buckets <= 16; ++buckets) {
            std::vector<std::pair<std::uint64_t, std::uint64_t>> counts(buckets);
            for (const taps::Fact* fact : drops_) {
                ++counts[hash.of(client_of(*fact), server_of(*fact)) % buckets].first;
            }
            for (const taps::Conversation& conversation : study_.all().conversations) {
                counts[hash.of(client_of(conversation), server_of(conversation)) % buckets]
                    .second += conversation.ways[0].passed + conversation.ways[1].passed;
            }
            for (std::uint32_t bucket = 0; bucket < buckets; ++bucket) {
                if (counts[bucket].first * 20 < drops_.size() * 19) {
                    continue;
                }
                consider({.predicate = "hash_bucket",
                          .words = fmt::format("addresses and ports of bucket {} of {} ({})",
                                               bucket, buckets, hash.name),
                          .value = static_cast<double>(bucket),
                          .drops = counts[bucket].first,
                          .passed = counts[bucket].second});
            }
        }
    }
}

std::vector<Explanation> Explainer::best() {
    std::stable_sort(found_.begin(), found_.end(), [&](const Candidate& a, const Candidate& b) {
        return score(a) > score(b) + 1e-9;
    });
    std::vector<Explanation> list;
    std::set<std::string> told;
    for (Candidate& one : found_) {
        if (list.size() == kExplanationsMax || !told.insert(one.predicate).second) {
            continue;
        }
        Explanation row;
        const auto total = static_cast<std::uint64_t>(drops_.size());
        const std::string drops =
            one.drops == total
                ? fmt::format("all {}", count_of(total, "drop"))
                : fmt::format("{} of {}", count_text(one.drops), count_of(total, "drop"));
        const std::string passed = one.passed == 0 ? "no passed packet"
                                                   : fmt::format("{} of the passed packets",
                                                                 percent_text(one.passed, passed_));
        row.sentence = fmt::format("{} and {} had {}", drops, passed, one.words);
        row.predicate = std::move(one.predicate);
        row.value = one.value;
        row.drops = one.drops;
        row.drops_total = total;
        row.passed = one.passed;
        row.precision =
            static_cast<double>(one.drops) / static_cast<double>(one.drops + one.passed);
        row.recall = static_cast<double>(one.drops) / static_cast<double>(total);
        list.push_back(std::move(row));
    }
    return list;
}

}  // namespace

void explain_drops(const Study& study, Lessons& lessons) {
    lessons.in_common = Explainer(study).explain();
}

}  // namespace tw::firewall
