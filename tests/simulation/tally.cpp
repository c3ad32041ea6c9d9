// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/tally.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace tw::sim {
namespace {

using event::Verdict;

// verdicts.md section 5; in events of a thousand.
struct Goal {
    Class where;
    std::uint64_t per_mille;
};
constexpr Goal kGoals[] = {
    {Class::single_timed, 990}, {Class::single_plain, 950}, {Class::mixed_low, 970}};

std::size_t index(Verdict verdict) {
    return static_cast<std::size_t>(verdict);
}

double percent(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 100.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

template <typename Counts>
void add_counts(Counts& to, const Counts& more) {
    for (std::size_t i = 0; i < to.size(); ++i) {
        to[i] += more[i];
    }
}

std::size_t sum_of(const auto& examples) {
    std::size_t count = 0;
    for (const auto& [seed, sentences] : examples) {
        count += sentences.size();
    }
    return count;
}

}  // namespace

void Tally::note(Examples& to, std::uint64_t seed, std::string sentence) {
    to[seed].push_back(std::move(sentence));
}

void Tally::add(const Ground& ground, const Findings& findings, const Score& score) {
    const std::uint64_t seed = ground.plan().seed;
    ++simulations_;
    frames_ += score.frames;
    reportable_ += score.reportable;
    for (const EventScore& one : score.events) {
        ClassTally& to = classes_[static_cast<std::size_t>(one.where)];
        const bool unknown = one.said == Verdict::unknown || one.said == Verdict::none;
        ++to.events;
        to.right += one.right ? 1 : 0;
        to.proven += one.proven ? 1 : 0;
        to.proven_wrong += one.proven_wrong ? 1 : 0;
        to.unwitnessed += one.unwitnessed ? 1 : 0;
        to.probable += !one.proven && !unknown ? 1 : 0;
        to.probable_wrong += !one.proven && !unknown && !one.right ? 1 : 0;
        to.unknown += unknown ? 1 : 0;
        to.undecidable += one.twin != Twin::none ? 1 : 0;
        ++to.matrix[index(one.truth)][index(one.said)];
        to.wrong[index(one.truth)][index(one.said)] += one.right ? 0 : 1;
        if (unknown) {
            ++unknown_by_cause_[static_cast<std::size_t>(one.cause)];
        }
        if (one.twin != Twin::none) {
            ++twins_[one.twin];
        }
        if (one.right && !one.unwitnessed) {
            continue;
        }
        const event::Finding& finding = findings.events[one.event].finding;
        Mistakes& mistakes =
            mistakes_[fmt::format("{} {} by {}; truth: {} ({}{})", name(finding.confidence),
                                  name(finding.verdict), name(finding.rule), name(one.truth),
                                  one.words, one.twin == Twin::none ? "" : ", undecidable")];
        mistakes.seed = ++mistakes.count == 1 ? seed : std::min(mistakes.seed, seed);
        Examples& list =
            one.proven_wrong ? proven_wrong_ : (one.unwitnessed ? unwitnessed_ : wrong_);
        note(list, seed,
             fmt::format("{}; truth: {} ({})", words_of(ground, findings.events[one.event]),
                         one.words, name(one.truth)));
    }
    missed_.said += score.missed.said;
    missed_.wrong += score.missed.wrong;
    missed_.unsaid += score.missed.unsaid;
    for (const std::string& sentence : score.missed_wrong) {
        note(missed_wrong_, seed, sentence);
    }
    for (const std::string& sentence : score.unreported) {
        note(unreported_, seed, sentence);
    }
    for (const std::string& sentence : score.ledger_blamed) {
        note(ledger_blamed_, seed, sentence);
    }
}

void Tally::add(const Tally& more) {
    simulations_ += more.simulations_;
    frames_ += more.frames_;
    reportable_ += more.reportable_;
    for (std::size_t i = 0; i < kClasses; ++i) {
        ClassTally& to = classes_[i];
        const ClassTally& from = more.classes_[i];
        to.events += from.events;
        to.right += from.right;
        to.proven += from.proven;
        to.proven_wrong += from.proven_wrong;
        to.unwitnessed += from.unwitnessed;
        to.probable += from.probable;
        to.probable_wrong += from.probable_wrong;
        to.unknown += from.unknown;
        to.undecidable += from.undecidable;
        for (std::size_t truth = 0; truth < event::kVerdicts; ++truth) {
            add_counts(to.matrix[truth], from.matrix[truth]);
            add_counts(to.wrong[truth], from.wrong[truth]);
        }
    }
    add_counts(unknown_by_cause_, more.unknown_by_cause_);
    for (const auto& [twin, count] : more.twins_) {
        twins_[twin] += count;
    }
    for (const auto& [words, mistakes] : more.mistakes_) {
        Mistakes& to = mistakes_[words];
        to.seed = to.count == 0 ? mistakes.seed : std::min(to.seed, mistakes.seed);
        to.count += mistakes.count;
    }
    missed_.said += more.missed_.said;
    missed_.wrong += more.missed_.wrong;
    missed_.unsaid += more.missed_.unsaid;
    const auto join = [](Examples& to, const Examples& from) {
        for (const auto& [seed, sentences] : from) {
            to[seed].insert(to[seed].end(), sentences.begin(), sentences.end());
        }
    };
    join(proven_wrong_, more.proven_wrong_);
    join(unwitnessed_, more.unwitnessed_);
    join(wrong_, more.wrong_);
    join(missed_wrong_, more.missed_wrong_);
    join(unreported_, more.unreported_);
    join(ledger_blamed_, more.ledger_blamed_);
}

void Tally::put_class(std::string& out, Class where) const {
    const ClassTally& tally = of(where);
    if (tally.events == 0) {
        return;
    }
    out += fmt::format("\n== {}: {} of {} events right, {:.2f} % ({} undecidable)\n", name(where),
                       tally.right, tally.events, percent(tally.right, tally.events),
                       tally.undecidable);
    out += fmt::format(
        "   proven {} ({} wrong, {} refuted only by a miss no frame shows), probable {} ({} "
        "wrong), unknown {} ({:.2f} %)\n",
        tally.proven, tally.proven_wrong, tally.unwitnessed, tally.probable, tally.probable_wrong,
        tally.unknown, percent(tally.unknown, tally.events));
    out += fmt::format("   {:<26}{:<26}{:>9}{:>9}\n", "truth", "said", "events", "wrong");
    for (std::size_t truth = 0; truth < event::kVerdicts; ++truth) {
        for (std::size_t said = 0; said < event::kVerdicts; ++said) {
            if (tally.matrix[truth][said] != 0) {
                out += fmt::format("   {:<26}{:<26}{:>9}{:>9}\n", name(static_cast<Verdict>(truth)),
                                   name(static_cast<Verdict>(said)), tally.matrix[truth][said],
                                   tally.wrong[truth][said]);
            }
        }
    }
}

void Tally::put_list(std::string& out, const Examples& list, const char* title) const {
    const std::size_t count = sum_of(list);
    out += fmt::format("{}: {}\n", title, count);
    std::size_t shown = 0;
    for (const auto& [seed, sentences] : list) {
        for (const std::string& sentence : sentences) {
            if (shown++ == show_max_) {
                out += fmt::format("   ... and {} more\n", count - show_max_);
                return;
            }
            out += fmt::format("   seed {}: {}\n", seed, sentence);
        }
    }
}

std::string Tally::text() const {
    std::string out = fmt::format("{} simulations, {} captured frames\n", simulations_, frames_);
    for (std::size_t i = 0; i < kClasses; ++i) {
        put_class(out, static_cast<Class>(i));
    }
    out += "\n== not known, by cause\n";
    for (std::size_t i = 0; i < event::kCauses; ++i) {
        if (unknown_by_cause_[i] != 0) {
            out += fmt::format("   {:<26}{:>9}\n", name(static_cast<event::Cause>(i)),
                               unknown_by_cause_[i]);
        }
    }
    out += "\n== undecidable: what the tap's frames cannot tell apart\n";
    for (const TwinRow& row : twin_table()) {
        if (const auto found = twins_.find(row.id); found != twins_.end()) {
            out += fmt::format("   {:<26}{:>9}  {}\n", row.name, found->second, row.reason);
        }
    }
    out += "\n== mistakes, by rule\n";
    std::vector<std::pair<std::string, Mistakes>> sorted(mistakes_.begin(), mistakes_.end());
    std::ranges::stable_sort(sorted, std::greater<>{},
                             [](const auto& one) { return one.second.count; });
    for (const auto& [words, mistakes] : sorted) {
        out += fmt::format("{:>8}  {}; seed {}\n", mistakes.count, words, mistakes.seed);
    }
    out += fmt::format(
        "\n== bytes the capture missed: {} said and true, {} said and not true, {} not said\n",
        missed_.said, missed_.wrong, missed_.unsaid);
    put_list(out, missed_wrong_, "missed bytes that differ");
    out += fmt::format("== losses that were to be seen: {}\n", reportable_);
    put_list(out, unreported_, "without an episode");
    put_list(out, ledger_blamed_, "network losses where the ledger lost frames");
    put_list(out, unwitnessed_, "proven by a clean capture, refuted by a miss no frame shows");
    put_list(out, wrong_, "wrong, not proven");
    put_list(out, proven_wrong_, "PROVEN BUT WRONG");
    return out;
}

bool Tally::reaches(Class where) const {
    return std::ranges::all_of(kGoals, [&](const Goal& goal) {
        return goal.where != where || of(where).right * 1000 >= goal.per_mille * of(where).events;
    });
}

std::vector<std::string> Tally::goals_missed() const {
    std::vector<std::string> missed;
    if (const std::size_t count = sum_of(proven_wrong_); count != 0) {
        missed.push_back(fmt::format("{} verdicts were called proven and are wrong", count));
    }
    for (const Goal& goal : kGoals) {
        const ClassTally& tally = of(goal.where);
        if (!reaches(goal.where)) {
            missed.push_back(fmt::format("{}: {:.2f} % right, {:.1f} % wanted", name(goal.where),
                                         percent(tally.right, tally.events),
                                         static_cast<double>(goal.per_mille) / 10));
        }
    }
    if (missed_.wrong != 0 || missed_.unsaid != 0) {
        missed.push_back(fmt::format("missed bytes: {} said and not true, {} not said",
                                     missed_.wrong, missed_.unsaid));
    }
    if (const std::size_t count = sum_of(unreported_); count != 0) {
        missed.push_back(fmt::format("{} visible losses without an episode", count));
    }
    if (const std::size_t count = sum_of(ledger_blamed_); count != 0) {
        missed.push_back(
            fmt::format("{} network losses in intervals in which the ledger lost frames", count));
    }
    return missed;
}

}  // namespace tw::sim
