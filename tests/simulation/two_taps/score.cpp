// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/score.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "simulation/two_taps/behaviours.hpp"
#include "simulation/two_taps/pairings.hpp"
#include "simulation/two_taps/transcript.hpp"

namespace tw::sim::two_taps {
namespace {

using taps::Fact;
using taps::FactKind;
using taps::Grade;

// Around a loss that is proven under rule S, no provable miss may lie this close.
constexpr Nanos kCleanAround = 10 * kSecond;
// Beyond the last frame of a tap nothing is judged that could still have come.
constexpr Nanos kTransitMax = 1100 * kMillisecond;

class Scorer {
  public:
    Scorer(const Ground& ground, const Findings& findings) : ground_(ground), findings_(findings) {
        for (const Claim& claim : findings.claims) {
            note(claim, claim.fact.packet.tap, claim.fact.packet.frame);
            for (std::size_t i = 0; i < claim.fact.cites_count; ++i) {
                const taps::Cite& cite = claim.fact.cites[i];
                const bool copies =
                    cite.part == taps::Part::repeat || cite.part == taps::Part::left;
                if (copies) {
                    note(claim, cite.tap, cite.frame);
                }
            }
        }
    }

    Score run() {
        for (const TapSide tap : {TapSide::outside, TapSide::inside}) {
            out_.frames += ground_.record().captures[taps::index(tap)].size();
        }
        for (const Passing& passing : ground_.record().passings) {
            seek(passing);
        }
        for (std::size_t i = 0; i < findings_.claims.size(); ++i) {
            out_.claims.push_back(judge(i));
        }
        score_pairings(ground_, findings_, out_);
        for (const firewall::Finding& one : findings_.report.findings) {
            out_.findings.push_back({.behaviour = one.behaviour,
                                     .grade = one.grade,
                                     .supported = supports(ground_, one.behaviour),
                                     .words = one.sentence});
        }
        out_.wrong_parameters = wrong_parameters(ground_, findings_.report);
        return std::move(out_);
    }

  private:
    using Key = std::pair<TapSide, std::uint64_t>;

    void note(const Claim& claim, TapSide tap, std::uint64_t frame) {
        about_[{tap, frame}].push_back(&claim);
    }

    // A tap that lacks a direction is wired wrongly: nothing it lacks is a miss.
    [[nodiscard]] bool carries_all() const {
        return std::ranges::all_of(ground_.plan().mirrors, [](const MirrorPlan& mirror) {
            return mirror.carries[0] && mirror.carries[1];
        });
    }

    [[nodiscard]] bool near_the_start(Nanos time) const {
        return time < kTransitMax + std::max(ground_.first_capture(TapSide::outside),
                                             ground_.first_capture(TapSide::inside));
    }

    [[nodiscard]] bool near_the_end(TapSide tap, Nanos time) const {
        return ground_.last_capture(tap) < time + kTransitMax;
    }

    // The best grade among claims of these kinds about the packet; nothing = not found.
    [[nodiscard]] std::optional<Grade> claimed(const Sighting& sighting,
                                               std::initializer_list<FactKind> kinds) const {
        std::optional<Grade> best;
        for (const std::uint32_t frame : sighting.frames) {
            const auto claims = about_.find({sighting.tap, frame});
            if (claims == about_.end()) {
                continue;
            }
            for (const Claim* claim : claims->second) {
                if (std::ranges::find(kinds, claim->fact.kind) != kinds.end()) {
                    best = std::max(best.value_or(Grade::unproven), claim->grade);
                }
            }
        }
        return best ? best : claimed_as_repeat(sighting, kinds);
    }

    // One fact tells of all tries of the same bytes.
    [[nodiscard]] std::optional<Grade> claimed_as_repeat(
        const Sighting& sighting, std::initializer_list<FactKind> kinds) const {
        for (const Claim& claim : findings_.claims) {
            const Fact& fact = claim.fact;
            if (fact.attempts < 2 || fact.packet.tap != sighting.tap ||
                fact.packet.seq != sighting.packet.seq ||
                std::ranges::find(kinds, fact.kind) == kinds.end()) {
                continue;
            }
            const auto first = ground_.frame(fact.packet.tap, fact.packet.frame);
            if (first && first->sighting->packet.connection == sighting.packet.connection &&
                first->sighting->wire <= sighting.wire) {
                return claim.grade;
            }
        }
        return {};
    }

    void count(Quest quest, const Sighting& sighting, const Passing& passing,
               std::initializer_list<FactKind> kinds) {
        const auto grade = claimed(sighting, kinds);
        Found& found = out_.quests[static_cast<std::size_t>(quest)];
        ++found.visible;
        found.found += grade ? 1U : 0U;
        found.proven += grade == Grade::proven ? 1U : 0U;
        if (!grade) {
            out_.unfound[static_cast<std::size_t>(quest)].push_back(
                fmt::format("{} #{} at {:.6f}: {} ({})", taps::name(sighting.tap),
                            sighting.frames.empty() ? 0 : sighting.frames.front(),
                            static_cast<double>(sighting.wire) / 1e9, words_of(sighting.packet),
                            name(passing.drop)));
        }
    }

    void seek(const Passing& passing) {
        const Sighting* entered = ground_.entry(passing);
        if (entered == nullptr || ground_.proxied() || near_the_start(entered->wire)) {
            return;
        }
        if (entered->frames.empty()) {
            seek_missed_at_entry(passing);
            return;
        }
        const Wire& wire = entered->packet;
        if (wire.takes_numbers() && passing.fate == Fate::dropped && drop_is_visible(passing)) {
            const bool closed = ground_.closed_before(wire.connection, entered->wire);
            const bool left = ground_.copy_left_before(wire, entered->wire);
            closed ? count(Quest::drops, *entered, passing,
                           {FactKind::lost_between, FactKind::late_lost, FactKind::suppressed})
            : left ? count(Quest::drops, *entered, passing,
                           {FactKind::lost_between, FactKind::suppressed})
                   : count(Quest::drops, *entered, passing, {FactKind::lost_between});
        }
        if (passing.fate == Fate::passed && !passing.exits.empty()) {
            seek_passed(passing, *entered);
        }
    }

    // Another copy entered, or the receiver said what it lacks, while both taps went on.
    [[nodiscard]] bool drop_is_visible(const Passing& passing) const {
        const Sighting& entered = *ground_.entry(passing);
        if (near_the_end(entered.tap, entered.wire) ||
            near_the_end(taps::other(entered.tap), entered.wire)) {
            return false;
        }
        return ground_.other_copy_entered(passing, entered.packet) ||
               ground_.asked_for(entered.packet, entered.wire);
    }

    void seek_missed_at_entry(const Passing& passing) {
        if (passing.exits.size() != 1) {
            return;
        }
        const Sighting& left = ground_.sighting(passing.exits.front());
        const Wire& wire = left.packet;
        const bool once = ground_.look_alikes(ground_.entry(passing)->packet).size() == 1 &&
                          !ground_.other_copy_entered(passing, ground_.entry(passing)->packet);
        if (!left.frames.empty() && wire.takes_numbers() && once && !ground_.proxied() &&
            ground_.sender_went_on(ground_.entry(passing)->packet)) {
            count(Quest::entry_misses, left, passing, {FactKind::missed_at_entry});
        }
    }

    void seek_passed(const Passing& passing, const Sighting& entered) {
        const Sighting& left = ground_.sighting(passing.exits.front());
        const Wire& wire = entered.packet;
        if (left.frames.empty()) {
            if (wire.takes_numbers() && miss_is_visible(entered, left)) {
                count(Quest::exit_misses, entered, passing, {FactKind::missed_at_exit});
                misses_[taps::index(left.tap)].push_back(left.wire);
            }
            return;
        }
        if (passing.exits.size() > 1) {
            seek_duplicate(passing, wire);
        }
        const bool changed =
            left.packet.inserted != 0 || (left.packet.flip != 0 && !left.packet.bad_checksum);
        if (changed && left.frames.size() == 1 && entered.frames.size() == 1) {
            count(Quest::alterations, entered, passing,
                  {FactKind::altered, FactKind::length_changed});
        }
        if (ground_.late(passing) && overtaken_in_sight(passing)) {
            count(Quest::reorderings, entered, passing, {FactKind::reordered});
        }
    }

    // The receiver acknowledged the bytes before any copy of them was captured at its tap.
    [[nodiscard]] bool miss_is_visible(const Sighting& entered, const Sighting& left) const {
        if (near_the_end(left.tap, left.wire) || near_the_end(entered.tap, entered.wire) ||
            !carries_all()) {
            return false;
        }
        const auto covered = ground_.covered_at(entered.packet);
        const auto copy = ground_.first_copy_left(entered.packet);
        return covered && (!copy || *covered < *copy) && *covered >= entered.wire;
    }

    // A mirror copies too: only the receiver's own report tells that two were on the wire.
    void seek_duplicate(const Passing& passing, const Wire& wire) {
        const Sighting& second = ground_.sighting(passing.exits.back());
        const bool both = std::ranges::all_of(passing.exits, [&](std::uint32_t exit) {
            const Sighting& one = ground_.sighting(exit);
            return one.frames.size() == 1 && one.wire <= ground_.record().end;
        });
        if (both && wire.takes_numbers() && ground_.reported_twice(wire) &&
            ground_.look_alikes(wire).size() == 1 && !near_the_end(second.tap, second.wire)) {
            const Sighting& first = ground_.sighting(passing.exits.front());
            count(Quest::duplicates, claimed(second, {FactKind::duplicated}) ? second : first,
                  passing, {FactKind::duplicated});
        }
    }

    // Some packet that overtook it was captured at both taps, and so was it.
    // By another packet. An equal one that overtakes changes nothing that is to be seen, and where
    // one left before it, its own frame may be the mirror's copy of that.
    [[nodiscard]] bool overtaken_in_sight(const Passing& passing) const {
        const Sighting& entered = *ground_.entry(passing);
        const Sighting& left = ground_.sighting(passing.exits.front());
        const auto equals = ground_.look_alikes(entered.packet);
        if (entered.packet.takes_numbers() &&
            ground_.copy_left_before(entered.packet, left.wire - 1) && equals.size() > 1) {
            return false;
        }
        const auto& all = ground_.passings({entered.packet.connection, entered.packet.from});
        return std::ranges::any_of(all, [&](const Passing* one) {
            const Sighting* other = ground_.entry(*one);
            if (other == nullptr || one->exits.empty() || other->frames.empty() ||
                std::ranges::find(equals, one) != equals.end()) {
                return false;
            }
            const Sighting& other_left = ground_.sighting(one->exits.front());
            return !other_left.frames.empty() &&
                   *ground_.captured_at(*other) > *ground_.captured_at(entered) &&
                   *ground_.captured_at(other_left) < *ground_.captured_at(left) &&
                   other->wire > entered.wire && other_left.wire < left.wire;
        });
    }

    [[nodiscard]] bool miss_nearby(TapSide tap, Nanos time) const {
        return std::ranges::any_of(misses_[taps::index(tap)], [&](Nanos miss) {
            return miss >= time - kCleanAround && miss <= time + kCleanAround;
        });
    }

    [[nodiscard]] ClaimScore judge(std::size_t index) const {
        const Claim& claim = findings_.claims[index];
        ClaimScore out{.claim = index, .expected = expect(ground_, claim.fact)};
        out.proven = claim.grade == Grade::proven;
        const Expectation& expected = out.expected;
        out.wrong = !expected.right && (expected.twin == Twin::none || out.proven) &&
                    claim.fact.kind != FactKind::unproven;
        if (out.wrong && expected.double_fault && claim.fact.single_fault) {
            out.unwitnessed = !miss_nearby(taps::exit(claim.fact.way), expected.time);
            out.wrong = !out.unwitnessed;
        }
        return out;
    }

    const Ground& ground_;
    const Findings& findings_;
    std::map<Key, std::vector<const Claim*>> about_;
    std::array<std::vector<Nanos>, taps::kSides> misses_;  // visible ones, by tap
    Score out_;
};

}  // namespace

std::string_view name(Quest quest) {
    constexpr std::array<std::string_view, kQuests> kNames{"drops",
                                                           "misses at the exit tap",
                                                           "misses at the entry tap",
                                                           "duplicates",
                                                           "alterations",
                                                           "reorderings"};
    return kNames[static_cast<std::size_t>(quest)];
}

Score score(const Ground& ground, const Findings& findings) {
    return Scorer(ground, findings).run();
}

std::string words_of(const Ground& ground, const Claim& claim) {
    const Fact& fact = claim.fact;
    const auto seen = ground.frame(fact.packet.tap, fact.packet.frame);
    std::string text = fmt::format("{} {} by {} (x{}): {} #{}", taps::name(claim.grade),
                                   taps::name(fact.kind), taps::name(fact.proof), fact.attempts,
                                   taps::name(fact.packet.tap), fact.packet.frame);
    if (seen) {
        text += fmt::format(" at {:.6f} {}", static_cast<double>(seen->sighting->wire) / 1e9,
                            words_of(seen->sighting->packet));
    }
    for (std::size_t i = 0; i < fact.cites_count; ++i) {
        const taps::Cite& cite = fact.cites[i];
        text += fmt::format(" {}={}#{}", taps::name(cite.part), taps::name(cite.tap), cite.frame);
    }
    return text;
}

}  // namespace tw::sim::two_taps
