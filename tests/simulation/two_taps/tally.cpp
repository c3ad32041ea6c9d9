// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/tally.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "simulation/two_taps/behaviours.hpp"

namespace tw::sim::two_taps {
namespace {

using taps::FactKind;

struct Goal {
    Quest quest;
    Capture capture;
    std::uint64_t per_mille;
};
constexpr Goal kGoals[] = {
    {Quest::drops, Capture::perfect, 1000},          {Quest::drops, Capture::one_percent, 980},
    {Quest::exit_misses, Capture::one_percent, 990}, {Quest::duplicates, Capture::perfect, 1000},
    {Quest::alterations, Capture::perfect, 1000},    {Quest::reorderings, Capture::perfect, 1000},
};

constexpr std::array<const char*, kCaptures> kCaptureNames{"perfect capture", "1 % missed",
                                                           "other captures"};

Capture capture_of(const Plan& plan) {
    if (plan.perfect_capture()) {
        return Capture::perfect;
    }
    return plan.profile == Profile::single_lossy ? Capture::one_percent : Capture::other;
}

double percent(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 100.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string deeds_of(const Plan& plan) {
    std::string text(name(plan.profile));
    for (const Deed deed : plan.firewall.deeds) {
        text += fmt::format("{}{}", text.empty() ? "" : ", ", name(deed));
    }
    return text;
}

}  // namespace

void Tally::note(Lists& to, const std::string& what, std::uint64_t seed,
                 std::string sentence) const {
    Examples& examples = to[what];
    ++examples.count;
    examples.by_seed.try_emplace(seed, std::move(sentence));
    if (examples.by_seed.size() > show_max_) {
        examples.by_seed.erase(std::prev(examples.by_seed.end()));
    }
}

void Tally::add(const Ground& ground, const Findings& findings, const Score& score) {
    const Plan& plan = ground.plan();
    const std::uint64_t seed = plan.hosts.seed;
    ++simulations_;
    frames_ += score.frames;
    connections_ += score.connections;
    wrongly_paired_ += score.wrongly_paired;
    unpaired_ += score.unpaired;
    bool proven_wrong = false;
    for (const ClaimScore& one : score.claims) {
        const Claim& claim = findings.claims[one.claim];
        ++claims_;
        proven_ += one.proven ? 1U : 0U;
        ++matrix_[static_cast<std::size_t>(one.expected.truth)]
                 [static_cast<std::size_t>(claim.fact.kind)];
        ++twins_[static_cast<std::size_t>(one.expected.twin)];
        const bool extra = claim.fact.kind == FactKind::reordered && one.wrong;
        reordered_extra_ += extra && plan.perfect_capture() ? 1U : 0U;
        if (!one.wrong && !one.unwitnessed) {
            continue;
        }
        const std::string what = fmt::format(
            "{} {} by {}; truth: {}{}{}", taps::name(claim.grade), taps::name(claim.fact.kind),
            taps::name(claim.fact.proof), name(one.expected.truth),
            one.expected.drop != Drop::none ? fmt::format(" ({})", name(one.expected.drop)) : "",
            one.expected.twin != Twin::none
                ? fmt::format(", undecidable ({})",
                              twin_table()[static_cast<std::size_t>(one.expected.twin)].name)
                : "");
        const std::string words = fmt::format("{}: {}", deeds_of(plan), words_of(ground, claim));
        const bool proven = one.proven && one.wrong;
        proven_wrong_ += proven ? 1U : 0U;
        unwitnessed_ += one.unwitnessed ? 1U : 0U;
        proven_wrong |= proven;
        note(one.unwitnessed ? unwitnessed_list_ : (proven ? proven_wrong_list_ : wrong_list_),
             what, seed, words);
    }
    runs_proven_wrong_ += proven_wrong ? 1U : 0U;
    const auto capture = static_cast<std::size_t>(capture_of(plan));
    for (std::size_t i = 0; i < kQuests; ++i) {
        Found& to = quests_[capture][i];
        to.visible += score.quests[i].visible;
        to.found += score.quests[i].found;
        to.proven += score.quests[i].proven;
        for (const std::string& sentence : score.unfound[i]) {
            note(unfound_list_,
                 fmt::format("{}, {}: {}", name(static_cast<Quest>(i)), kCaptureNames[capture],
                             plan.profile == Profile::mixed ? "mixed" : deeds_of(plan)),
                 seed, sentence);
        }
    }
    add_findings(ground, findings, score);
    for (const std::string& sentence : score.pairing_mistakes) {
        note(pairing_list_, deeds_of(plan), seed, sentence);
    }
}

void Tally::add_findings(const Ground& ground, const Findings& findings, const Score& score) {
    const Plan& plan = ground.plan();
    const std::uint64_t seed = plan.hosts.seed;
    for (const firewall::Doubt& doubt : findings.report.confidence.doubts) {
        if (doubt.trust == firewall::Trust::unusable) {
            note(doubts_list_,
                 fmt::format("{}, {}", doubt.name,
                             plan.perfect_capture() ? "perfect capture" : "other captures"),
                 seed, fmt::format("{}: {}", deeds_of(plan), doubt.sentence));
        }
    }
    ++trust_[static_cast<std::size_t>(findings.report.confidence.trust)];
    const bool alone = plan.profile == Profile::single && plan.firewall.deeds.size() == 1;
    const auto deed = alone ? static_cast<std::size_t>(plan.firewall.deeds.front()) : 0;
    deeds_[deed] += plan.perfect_capture() ? 1U : 0U;
    std::set<firewall::Behaviour> seen;
    for (const FindingScore& one : score.findings) {
        ++findings_;
        if (plan.perfect_capture() && seen.insert(one.behaviour).second) {
            ++behaviours_[deed][static_cast<std::size_t>(one.behaviour)];
        }
        if (one.supported) {
            continue;
        }
        const bool proven = one.grade == taps::Grade::proven;
        findings_proven_wrong_ += proven ? 1U : 0U;
        note(proven ? findings_list_ : findings_wrong_list_,
             fmt::format("{} {}", taps::name(one.grade), firewall::name(one.behaviour)), seed,
             fmt::format("{}: {}", deeds_of(plan), one.words));
    }
    parameters_wrong_ += score.wrong_parameters.size();
    for (const std::string& sentence : score.wrong_parameters) {
        note(parameters_list_, deeds_of(plan), seed, sentence);
    }
}

void Tally::put_behaviours(std::string& out) const {
    out +=
        "\nfindings, perfect capture: what the firewall did, in how many runs, and as what it "
        "was reported\n";
    for (std::size_t deed = 0; deed < kDeeds; ++deed) {
        if (deeds_[deed] == 0) {
            continue;
        }
        const auto wanted = behaviour_of(static_cast<Deed>(deed));
        out += fmt::format("  {:21}{:6}", name(static_cast<Deed>(deed)), deeds_[deed]);
        for (std::size_t i = 0; i < firewall::kBehaviours; ++i) {
            const auto behaviour = static_cast<firewall::Behaviour>(i);
            if (behaviours_[deed][i] != 0 || wanted == behaviour) {
                out += fmt::format("  {}{} {}", wanted == behaviour ? "*" : "",
                                   firewall::name(behaviour), behaviours_[deed][i]);
            }
        }
        out += '\n';
    }
    out +=
        fmt::format("  trust: good {}, reduced {}, unusable {}\n", trust_[0], trust_[1], trust_[2]);
}

void Tally::add(const Tally& more) {
    simulations_ += more.simulations_;
    frames_ += more.frames_;
    connections_ += more.connections_;
    wrongly_paired_ += more.wrongly_paired_;
    unpaired_ += more.unpaired_;
    claims_ += more.claims_;
    proven_ += more.proven_;
    proven_wrong_ += more.proven_wrong_;
    runs_proven_wrong_ += more.runs_proven_wrong_;
    unwitnessed_ += more.unwitnessed_;
    reordered_extra_ += more.reordered_extra_;
    for (std::size_t truth = 0; truth < kTruths; ++truth) {
        for (std::size_t said = 0; said < taps::kFactKinds; ++said) {
            matrix_[truth][said] += more.matrix_[truth][said];
        }
    }
    for (std::size_t i = 0; i < kTwins; ++i) {
        twins_[i] += more.twins_[i];
    }
    for (std::size_t capture = 0; capture < kCaptures; ++capture) {
        for (std::size_t i = 0; i < kQuests; ++i) {
            Found& to = quests_[capture][i];
            to.visible += more.quests_[capture][i].visible;
            to.found += more.quests_[capture][i].found;
            to.proven += more.quests_[capture][i].proven;
        }
    }
    for (std::size_t deed = 0; deed < kDeeds; ++deed) {
        deeds_[deed] += more.deeds_[deed];
        for (std::size_t i = 0; i < firewall::kBehaviours; ++i) {
            behaviours_[deed][i] += more.behaviours_[deed][i];
        }
    }
    for (std::size_t i = 0; i < trust_.size(); ++i) {
        trust_[i] += more.trust_[i];
    }
    findings_ += more.findings_;
    findings_proven_wrong_ += more.findings_proven_wrong_;
    parameters_wrong_ += more.parameters_wrong_;
    const auto join = [&](Lists& to, const Lists& from) {
        for (const auto& [what, examples] : from) {
            Examples& all = to[what];
            all.count += examples.count;
            all.by_seed.insert(examples.by_seed.begin(), examples.by_seed.end());
            while (all.by_seed.size() > show_max_) {
                all.by_seed.erase(std::prev(all.by_seed.end()));
            }
        }
    };
    join(proven_wrong_list_, more.proven_wrong_list_);
    join(wrong_list_, more.wrong_list_);
    join(unwitnessed_list_, more.unwitnessed_list_);
    join(unfound_list_, more.unfound_list_);
    join(pairing_list_, more.pairing_list_);
    join(findings_list_, more.findings_list_);
    join(findings_wrong_list_, more.findings_wrong_list_);
    join(parameters_list_, more.parameters_list_);
    join(doubts_list_, more.doubts_list_);
}

void Tally::put(std::string& out, const Lists& lists, const char* title) const {
    if (lists.empty()) {
        return;
    }
    std::vector<std::pair<std::uint64_t, const Lists::value_type*>> sorted;
    for (const auto& one : lists) {
        sorted.emplace_back(one.second.count, &one);
    }
    std::ranges::stable_sort(sorted, std::greater<>{}, [](const auto& one) { return one.first; });
    out += fmt::format("\n{}\n", title);
    for (const auto& [count, one] : sorted) {
        out += fmt::format("{:8}  {}\n", count, one->first);
        for (const auto& [seed, sentence] : one->second.by_seed) {
            out += fmt::format("          seed {}: {}\n", seed, sentence);
        }
    }
}

void Tally::put_matrix(std::string& out) const {
    out += "\ntruth by said (facts)\n";
    for (std::size_t truth = 0; truth < kTruths; ++truth) {
        std::string row;
        for (std::size_t said = 0; said < taps::kFactKinds; ++said) {
            if (matrix_[truth][said] != 0) {
                row += fmt::format("  {} {}", taps::name(static_cast<FactKind>(said)),
                                   matrix_[truth][said]);
            }
        }
        if (!row.empty()) {
            out += fmt::format("  {:16}{}\n", name(static_cast<Truth>(truth)), row);
        }
    }
    out += "what the frames cannot tell, and how often\n";
    for (const TwinRow& row : twin_table()) {
        const std::uint64_t count = twins_[static_cast<std::size_t>(row.id)];
        if (row.id != Twin::none && count != 0) {
            out += fmt::format("{:8}  {}: {}\n", count, row.name, row.reason);
        }
    }
}

void Tally::put_quests(std::string& out) const {
    out += "\nfound of what the frames show\n";
    for (std::size_t capture = 0; capture < kCaptures; ++capture) {
        for (std::size_t i = 0; i < kQuests; ++i) {
            const Found& found = quests_[capture][i];
            if (found.visible != 0) {
                out += fmt::format("  {:15} {:24} {:8} of {:8}  {:7.3f} %, proven {:7.3f} %\n",
                                   kCaptureNames[capture], name(static_cast<Quest>(i)), found.found,
                                   found.visible, percent(found.found, found.visible),
                                   percent(found.proven, found.visible));
            }
        }
    }
}

std::string Tally::text() const {
    std::string out =
        fmt::format("{} simulations, {} frames, {} connections, {} facts, {} of them proven\n",
                    simulations_, frames_, connections_, claims_, proven_);
    put_matrix(out);
    put_quests(out);
    put_behaviours(out);
    put(out, doubts_list_, "captures called unusable");
    put(out, findings_list_, "FINDINGS PROVEN BUT WRONG");
    put(out, findings_wrong_list_, "findings that are wrong, and not said to be proven");
    put(out, parameters_list_, "parameters that were others");
    put(out, proven_wrong_list_, "PROVEN BUT WRONG");
    put(out, wrong_list_, "wrong, and not said to be proven");
    put(out, unwitnessed_list_,
        "proven under rule S and wrong by a miss that no frame shows (two faults at once)");
    put(out, unfound_list_, "not found");
    put(out, pairing_list_, "pairing");
    out += fmt::format(
        "\nproven but wrong: {} facts in {} of {} runs; 95 % bound on the share of such runs: "
        "{:.2g}\n",
        proven_wrong_, runs_proven_wrong_, simulations_,
        simulations_ == 0 ? 1.0 : (3.0 + double(runs_proven_wrong_)) / double(simulations_));
    out += fmt::format("wrongly paired: {} of {} connections; seen at both taps, unpaired: {}\n",
                       wrongly_paired_, connections_, unpaired_);
    return out;
}

std::vector<std::string> Tally::goals_missed() const {
    std::vector<std::string> missed;
    if (proven_wrong_ != 0) {
        missed.push_back(
            fmt::format("{} facts are proven and wrong, 0 are allowed", proven_wrong_));
    }
    if (findings_proven_wrong_ != 0) {
        missed.push_back(
            fmt::format("{} findings are proven and wrong, 0 are allowed", findings_proven_wrong_));
    }
    if (parameters_wrong_ != 0) {
        missed.push_back(fmt::format("{} learnt parameters are wrong", parameters_wrong_));
    }
    if (wrongly_paired_ != 0) {
        missed.push_back(fmt::format("{} connections are paired wrongly", wrongly_paired_));
    }
    if (reordered_extra_ != 0) {
        missed.push_back(
            fmt::format("{} reorderings too many with perfect capture", reordered_extra_));
    }
    for (const Goal& goal : kGoals) {
        const Found& found =
            quests_[static_cast<std::size_t>(goal.capture)][static_cast<std::size_t>(goal.quest)];
        if (found.found * 1000 < found.visible * goal.per_mille) {
            missed.push_back(fmt::format("{}, {}: {} of {} found, asked for are {:.1f} %",
                                         kCaptureNames[static_cast<std::size_t>(goal.capture)],
                                         name(goal.quest), found.found, found.visible,
                                         static_cast<double>(goal.per_mille) / 10));
        }
    }
    return missed;
}

}  // namespace tw::sim::two_taps
