// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/findings.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <unordered_set>

#include "firewall/sentences.hpp"
#include "firewall/whom.hpp"

namespace tw::firewall {
namespace {

using enum Behaviour;
using taps::Conversation;
using taps::Fact;
using taps::Grade;
using taps::Rewrite;

// What a finding is told of: a behaviour, what the policy wants apart, each lesson by itself.
using Key = std::tuple<Behaviour, bool, const Lesson*>;
using Groups = std::map<Key, Group>;

[[nodiscard]] Group& group_of(Groups& groups, Behaviour behaviour, bool expected,
                              const Lesson* lesson) {
    Group& group = groups[{behaviour, expected, lesson}];
    group.behaviour = behaviour;
    group.expected = expected;
    group.lesson = lesson;
    return group;
}

void group_cases(const FindingsInput& input, Groups& groups) {
    for (std::uint32_t i = 0; i < input.told.size(); ++i) {
        const Told& told = input.told[i];
        if (told.silent || told.grade == Grade::unproven) {
            continue;
        }
        const Lesson* const lesson =
            told.lesson == Told::kNone ? nullptr : &input.lessons.lessons[told.lesson];
        const bool expected = input.cases.cases[i].expected;
        group_of(groups, told.behaviour, expected, lesson).cases.push_back(i);
        if (told.one_sided != Grade::unproven) {
            group_of(groups, closed_one_sided, expected, nullptr).cases.push_back(i);
        }
    }
    // What is learnt of packets that passed has no cases.
    for (const Lesson& lesson : input.lessons.lessons) {
        if (lesson.explained.empty()) {
            (void)group_of(groups, lesson.behaviour, false, &lesson);
        }
    }
}

// Rewrites that the policy allows are told as expected.
[[nodiscard]] bool allowed(const Policy& policy, Rewrite rewrite) {
    return (policy.expect_rewrites & taps::bit(rewrite)) != 0;
}

// So many connections answered by the firewall are no misses of the capture.
constexpr std::uint64_t kAnswersMin = 3;

// The server's, at the two taps.
[[nodiscard]] bool has_other_number(const Conversation& one) {
    const taps::WayCounts& server =
        one.ways[taps::index(taps::back(taps::way_into(one.client_side)))];
    return server.isn_known && server.isn_entered != server.isn_left;
}

void group_traits(const FindingsInput& input, Groups& groups) {
    const Policy& policy = input.cases.policy;
    const bool proxy = policy.mode == Mode::proxy;
    const bool complete =
        std::ranges::all_of(input.confidence.miss_rate, [](double rate) { return rate == 0; });
    std::uint64_t syn_proxied = 0;
    bool tcp_proxied = false;
    for (const Conversation& one : input.cases.conversations) {
        const Traits traits = traits_of(one);
        syn_proxied += traits.syn_proxy ? 1U : 0U;
        tcp_proxied = tcp_proxied || traits.tcp_proxy;
    }
    for (const Conversation& one : input.cases.conversations) {
        Traits traits = traits_of(one, input.confidence.skew);
        // Where one is known to be proxied, the numbers show the others.
        if (tcp_proxied && traits.both_isn) {
            traits = {.tcp_proxy = true, .grade = Grade::probable};
        } else if (syn_proxied != 0 && traits.server_isn_only && !traits.tcp_proxy) {
            traits = {.syn_proxy = true,
                      .grade = traits.syn_proxy ? traits.grade : Grade::probable};
        }
        // That the answer came before the server's, which has other numbers, rests on the times of
        // two taps, however often; and a tap that lacks packets may lack each SYN and SYN/ACK.
        if (traits.syn_proxy && syn_proxied >= kAnswersMin && !has_other_number(one) && complete) {
            traits.grade = Grade::proven;
        }
        const auto note = [&](bool shown, Behaviour behaviour, bool expected, Grade grade) {
            if (shown) {
                Group& group = group_of(groups, behaviour, expected, nullptr);
                group.conversations.push_back(&one);
                group.grades.push_back(grade);
            }
        };
        note(traits.syn_proxy, syn_proxy, proxy, traits.grade);
        note(traits.tcp_proxy, tcp_proxy, proxy, traits.grade);
        note(traits.undelivered, acknowledged_not_delivered, false, traits.undelivered_grade);
        note(traits.isn_rewritten, isn_rewritten, allowed(policy, Rewrite::isn), Grade::proven);
        note(traits.mss_clamped, mss_clamped, allowed(policy, Rewrite::mss), Grade::proven);
        note(traits.mss_raised, mss_raised, allowed(policy, Rewrite::mss), Grade::proven);
        note(traits.options_disagree, options_stripped_one_way, false, Grade::proven);
    }
}

[[nodiscard]] bool removes_option(Rewrite rewrite) {
    return rewrite == Rewrite::window_scale_removed || rewrite == Rewrite::sack_permitted_removed ||
           rewrite == Rewrite::timestamps_removed || rewrite == Rewrite::fast_open_removed ||
           rewrite == Rewrite::mptcp_removed || rewrite == Rewrite::sack_removed ||
           rewrite == Rewrite::other_option_removed;
}

// Those that no other rule tells.
[[nodiscard]] bool changes_header(Rewrite rewrite) {
    return rewrite == Rewrite::ttl || rewrite == Rewrite::dscp || rewrite == Rewrite::ect_cleared ||
           rewrite == Rewrite::ecn_other || rewrite == Rewrite::tcp_ecn_flags ||
           rewrite == Rewrite::window || rewrite == Rewrite::timestamps_changed ||
           rewrite == Rewrite::option_added || rewrite == Rewrite::options_reordered ||
           rewrite == Rewrite::ip_id || rewrite == Rewrite::dont_fragment ||
           rewrite == Rewrite::urgent_or_reserved;
}

// Few of many are packets whose twin was taken for another's, as of two resets: one in so many,
// and more of what differs from packet to packet anyway.
constexpr std::uint64_t kChangedMin = 3;
constexpr std::uint64_t kChangedShare = 100;
constexpr std::uint64_t kVariableShare = 5;

[[nodiscard]] bool is_habit(const RewriteRow& row) {
    const bool variable = row.rewrite == Rewrite::ip_id || row.rewrite == Rewrite::window ||
                          row.rewrite == Rewrite::timestamps_changed ||
                          row.rewrite == Rewrite::sack_removed;
    return row.count.changed >= kChangedMin &&
           row.count.changed * (variable ? kVariableShare : kChangedShare) >= row.count.of;
}

// A bridge leaves the TTL as it is, a router takes off 1, and two of them 2; a mirror that copies
// before or behind its switch's own routing makes 1 of difference. None is a rewrite.
[[nodiscard]] bool falls_by_steps(const taps::TapHealth& health, taps::Way way) {
    const auto& falls = health.ttl_fall[taps::index(way)];
    const std::uint64_t steps = std::accumulate(falls.begin(), falls.end() - 1, std::uint64_t{0});
    return steps * 20 >= (steps + falls.back()) * 19;
}

[[nodiscard]] bool has_proxy(const Groups& groups) {
    return std::ranges::any_of(groups, [](const auto& entry) {
        return entry.second.behaviour == tcp_proxy || entry.second.behaviour == syn_proxy;
    });
}

// A proxy makes its own headers: only what it says of itself is told then.
void group_rewrites(const FindingsInput& input, Groups& groups) {
    const bool disagree = groups.contains({options_stripped_one_way, false, nullptr});
    const bool proxied = has_proxy(groups);
    for (const RewriteRow& row : input.lessons.rewrites) {
        const bool steps =
            row.rewrite == Rewrite::ttl && falls_by_steps(input.confidence.health, row.way);
        if (!is_habit(row) || steps || proxied) {
            continue;
        }
        if (removes_option(row.rewrite) && !disagree) {
            group_of(groups, options_stripped, row.expected, nullptr).rewrites.push_back(&row);
        } else if (changes_header(row.rewrite)) {
            group_of(groups, header_rewritten, row.expected, nullptr).rewrites.push_back(&row);
        }
    }
    // What routing itself changes is no finding.
    groups.erase({header_rewritten, true, nullptr});
    groups.erase({options_stripped, true, nullptr});
}

// --- numbers

// What was rewritten which way is as sure as the sides of the connections.
[[nodiscard]] Grade grade_of_rewrites(const FindingsInput& input) {
    constexpr std::uint64_t kGuessedShare = 10;  // one in so many
    return input.confidence.health.untold_sides * kGuessedShare > input.totals.conversations
               ? Grade::probable
               : Grade::proven;
}

void count_grade(Finding& finding, Grade grade, std::uint64_t cases) {
    finding.grade = std::max(finding.grade, grade);
    finding.cases += cases;
    finding.proven += grade == Grade::proven ? cases : 0;
    finding.probable += grade == Grade::probable ? cases : 0;
}

void widen(Finding& finding, bool& any, Nanos from, Nanos until) {
    finding.first = any ? std::min(finding.first, from) : from;
    finding.last = any ? std::max(finding.last, until) : until;
    any = true;
}

void count(const Group& group, const FindingsInput& input, Finding& finding) {
    std::unordered_set<std::uint64_t> conversations;
    Whom whom;
    bool any = false;
    for (std::size_t i = 0; i < group.conversations.size(); ++i) {
        const Conversation& one = *group.conversations[i];
        conversations.insert(one.id);
        whom.add(ends_of(one));
        count_grade(finding, group.grades[i], 1);
        widen(finding, any, one.first, one.last);
    }
    // Packets of a connection that is a case itself are its evidence.
    const auto is_case = [&, counted = conversations](const Fact& fact) {
        return !counted.contains(fact.conversation);
    };
    for (const std::uint32_t at : group.cases) {
        const Fact& fact = *input.cases.cases[at].fact;
        // A fact tells of all copies of a packet that were lost.
        const std::uint64_t copies = std::max<std::uint64_t>(fact.attempts, 1);
        if (is_case(fact)) {
            count_grade(finding, input.told[at].grade_as(group.behaviour), copies);
        }
        finding.bytes += copies * fact.packet.payload_bytes;
        finding.cost += fact.cost;
        widen(finding, any, fact.time, fact.time);
        if (conversations.insert(fact.conversation).second) {
            whom.add(ends_of(fact));
        }
    }
    for (const RewriteRow* row : group.rewrites) {
        count_grade(finding, grade_of_rewrites(input), row->count.changed);
        widen(finding, any, row->count.entered.time, row->count.entered.time);
    }
    finding.conversations = conversations.size();
    finding.scope = whom.text();
    if (group.lesson != nullptr) {
        finding.scope = group.lesson->scope.empty() ? finding.scope : group.lesson->scope;
        if (group.cases.empty()) {
            finding.cases = group.lesson->count;
            finding.grade = group.lesson->grade_max;
            widen(finding, any, group.lesson->first, group.lesson->last);
        }
    }
}

// Rule S: the tap where it should have left missed it, and then it was lost beyond. Of the two
// taps, the one where more of the probable losses should have left.
void add_chance(const Group& group, const FindingsInput& input, Finding& finding) {
    std::array<std::uint64_t, taps::kWays> probable{};
    for (const std::uint32_t at : group.cases) {
        const Fact& fact = *input.cases.cases[at].fact;
        probable[taps::index(fact.way)] +=
            fact.single_fault && input.told[at].grade == Grade::probable ? 1U : 0U;
    }
    if (probable[0] + probable[1] == 0) {
        return;
    }
    const taps::Way way = probable[0] >= probable[1] ? taps::Way::inward : taps::Way::outward;
    const taps::WayCounts& counts = input.totals.ways[taps::index(way)];
    if (counts.passed == 0) {
        return;
    }
    const double beyond =
        static_cast<double>(counts.lost_beyond) / static_cast<double>(counts.passed);
    finding.chance_of_error = input.confidence.miss_rate[taps::index(taps::exit(way))] * beyond;
    finding.has_chance = finding.chance_of_error > 0;
}

// --- evidence

// Proofs that stand by themselves before those that lean on the times or on the absence of more.
[[nodiscard]] int strength(const Fact& fact) {
    if (fact.proof == taps::Proof::no_copy_leaves || fact.proof == taps::Proof::resets_both_ways) {
        return 2;
    }
    return fact.single_fault ? 0 : 1;
}

[[nodiscard]] std::vector<std::uint32_t> best_cases(const Group& group,
                                                    const FindingsInput& input) {
    std::vector<std::uint32_t> best = group.cases;
    const auto worth = [&](std::uint32_t at) {
        const Fact& fact = *input.cases.cases[at].fact;
        return std::tuple(input.told[at].grade_as(group.behaviour),
                          input.excerpts.of(fact.id) != nullptr, strength(fact), fact.attempts,
                          fact.cost);
    };
    const std::size_t many = std::min<std::size_t>(best.size(), 64);
    const auto better = [&](std::uint32_t a, std::uint32_t b) {
        return worth(a) != worth(b) ? worth(a) > worth(b) : a < b;
    };
    std::ranges::partial_sort(best, best.begin() + static_cast<std::ptrdiff_t>(many), better);
    best.resize(many);
    // Different connections say more than one thrice.
    std::unordered_set<std::uint64_t> seen;
    std::ranges::stable_partition(best, [&](std::uint32_t at) {
        return seen.insert(input.cases.cases[at].fact->conversation).second;
    });
    best.resize(std::min(best.size(), Finding::kEvidenceMax));
    return best;
}

void add_evidence(const Group& group, const FindingsInput& input, const Words& words,
                  Finding& finding) {
    for (const std::uint32_t at : best_cases(group, input)) {
        const Fact& fact = *input.cases.cases[at].fact;
        const taps::Excerpt* const excerpt = input.excerpts.of(fact.id);
        const Grade grade = input.told[at].grade_as(group.behaviour);
        finding.evidence.push_back({fact, grade, sentence_of(fact, grade, words),
                                    excerpt == nullptr ? taps::Excerpt{} : *excerpt});
    }
    for (const RewriteRow* row : group.rewrites) {
        if (finding.evidence.size() == Finding::kEvidenceMax) {
            break;
        }
        Fact fact;
        fact.kind = taps::FactKind::rewritten;
        fact.grade = grade_of_rewrites(input);
        fact.proof = taps::Proof::seen_at_both;
        fact.way = row->way;
        fact.time = row->count.entered.time;
        fact.decided = row->count.left.time;
        fact.packet = row->count.entered;
        fact.twin = row->count.left;
        fact.twin_known = true;
        fact.cites[0] = {fact.packet.frame, fact.packet.time, taps::entry(row->way),
                         taps::Part::subject};
        fact.cites[1] = {fact.twin.frame, fact.twin.time, taps::exit(row->way), taps::Part::left};
        fact.cites_count = 2;
        finding.evidence.push_back({fact, fact.grade, row->sentence, {}});
    }
}

// --- order

[[nodiscard]] bool graver(const Finding& a, const Finding& b) {
    const auto rank = [](const Finding& one) {
        return std::tuple(one.expected, info(one.behaviour).weight,
                          taps::kGrades - static_cast<std::size_t>(one.grade));
    };
    if (rank(a) != rank(b)) {
        return rank(a) < rank(b);
    }
    return std::tuple(a.conversations, a.cases) > std::tuple(b.conversations, b.cases);
}

}  // namespace

std::vector<Finding> make_findings(const FindingsInput& input) {
    Groups groups;
    group_cases(input, groups);
    group_traits(input, groups);
    group_rewrites(input, groups);
    const Words words(input.confidence, input.cases.policy);
    // A proxy holds what the other side cannot take yet: that is no standstill of its own.
    const bool proxied = has_proxy(groups);
    std::vector<Finding> findings;
    for (const auto& [key, group] : groups) {
        Finding finding;
        finding.behaviour = group.behaviour;
        finding.expected = group.expected;
        count(group, input, finding);
        if (group.behaviour == latency_spike && proxied) {
            finding.grade = std::min(finding.grade, Grade::probable);
        }
        add_chance(group, input, finding);
        finding.sentence = sentence_of(finding, group, input, words);
        finding.advice = info(group.behaviour).advice;
        finding.excluded = excluded_of(group, input, words);
        add_evidence(group, input, words, finding);
        findings.push_back(std::move(finding));
    }
    std::ranges::stable_sort(findings, graver);
    for (std::size_t i = 0; i < findings.size(); ++i) {
        findings[i].id = static_cast<std::uint32_t>(i + 1);
    }
    return findings;
}

}  // namespace tw::firewall
