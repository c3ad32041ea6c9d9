// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/grades.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/verdict/under_faults.hpp"

namespace tw::firewall {
namespace {

using taps::Fact;
using taps::FactKind;
using taps::Grade;
using taps::Side;

// Misses 10 s away tell nothing of one loss, but how often they come does: one in a million.
constexpr double kChanceMax = 1e-6;

[[nodiscard]] std::uint8_t tap_number(Side side) {
    return static_cast<std::uint8_t>(taps::index(side));
}

[[nodiscard]] bool cited_at(const Fact& fact, Side tap) {
    const std::span cites(fact.cites.data(), fact.cites_count);
    return std::ranges::any_of(cites, [tap](const taps::Cite& cite) {
        return cite.part == taps::Part::quote && cite.tap == tap;
    });
}

}  // namespace

std::string_view help(Grade grade) {
    constexpr std::array<std::string_view, taps::kGrades> kHelp{
        "seen at one tap only, and nothing that was captured tells why. In no sum of drops",
        "consistent with all that was captured, and another explanation is not ruled out",
        "a fact that no error of the capture can explain. A loss that one packet alone shows is "
        "proven only while the tap where it should have left misses nothing within 10 s",
    };
    return kHelp[static_cast<std::size_t>(grade)];
}

bool entered(const Fact& icmp) {
    return cited_at(icmp, taps::entry(icmp.way));
}

bool left(const Fact& icmp) {
    return cited_at(icmp, taps::exit(icmp.way));
}

bool rests_on_times(taps::Proof proof) {
    switch (proof) {
        case taps::Proof::claimed_sender_speaks:
        case taps::Proof::answered_alone:
        case taps::Proof::times_only:
            return true;
        case taps::Proof::none:
        case taps::Proof::receiver_covers:
        case taps::Proof::left_later:
        case taps::Proof::receiver_asks:
        case taps::Proof::no_copy_leaves:
        case taps::Proof::copy_left_before:
        case taps::Proof::sender_continues:
        case taps::Proof::same_ip_id:
        case taps::Proof::same_segment:
        case taps::Proof::same_bytes:
        case taps::Proof::resets_both_ways:
        case taps::Proof::foreign_pattern:
        case taps::Proof::receiver_reacts:
        case taps::Proof::receiver_in_order:
        case taps::Proof::payload_differs:
        case taps::Proof::ack_rewritten:
        case taps::Proof::seen_at_both:
        case taps::Proof::sender_not_told:
        case taps::Proof::own_address:
        case taps::Proof::nothing_decides:
        case taps::Proof::limit_reached:
            return false;
    }
    return false;
}

std::optional<Side> absent_at(const Fact& fact) {
    switch (fact.kind) {
        case FactKind::lost_between:
        case FactKind::suppressed:
        case FactKind::late_lost:
        case FactKind::reset_blocked:
        case FactKind::fragment_lost:
            return taps::exit(fact.way);
        case FactKind::duplicated:
        case FactKind::injected:
        case FactKind::reset_origin:
            return taps::entry(fact.way);
        case FactKind::icmp_error:
            if (entered(fact) == left(fact)) {
                return std::nullopt;
            }
            return entered(fact) ? taps::exit(fact.way) : taps::entry(fact.way);
        case FactKind::missed_at_exit:
        case FactKind::unproven:
        case FactKind::missed_at_entry:
        case FactKind::resegmented:
        case FactKind::altered:
        case FactKind::length_changed:
        case FactKind::reordered:
        case FactKind::ecn_mark_lost:
        case FactKind::sack_untranslated:
        case FactKind::rewritten:
        case FactKind::fragments_joined:
        case FactKind::asymmetric:
            return std::nullopt;
    }
    return std::nullopt;
}

bool Grades::note_miss(const Fact& fact) {
    if (fact.proof == taps::Proof::receiver_in_order) {
        swaps_.add(0, fact.time, fact.time);
        return true;
    }
    if (fact.kind != FactKind::missed_at_exit && fact.kind != FactKind::missed_at_entry) {
        return false;
    }
    const Side tap =
        fact.kind == FactKind::missed_at_exit ? taps::exit(fact.way) : taps::entry(fact.way);
    misses_.add(tap_number(tap), fact.time, fact.time);
    ++missed_[taps::index(tap)];
    return true;
}

void Grades::note_passed(const taps::Conversation& conversation) {
    for (const taps::WayCounts& way : conversation.ways) {
        passed_ += way.passed;
        lost_beyond_ += way.lost_beyond;
    }
}

// That the tap missed each copy, and that each was lost beyond it. A receiver that never had one
// of them may be dead: then the misses alone explain it.
double Grades::chance_of_miss(const Fact& fact, Side absent) const {
    const auto missed = static_cast<double>(missed_[taps::index(absent)]);
    if (missed == 0) {
        return 0;
    }
    const auto passed = static_cast<double>(passed_);
    const double rate = missed / (passed + missed);
    if (fact.proof == taps::Proof::no_copy_leaves) {
        return std::pow(rate, std::max<int>(fact.attempts, 1));
    }
    return rate * static_cast<double>(lost_beyond_ + 1) / (passed + 1);
}

void Grades::note_faults(Side tap, Nanos from, Nanos until, event::CaptureFaults faults) {
    if (!verdict::may_lack_frames(faults)) {
        return;
    }
    marks_.add(tap_number(tap), from, until);
    // Each worker tells the same interval.
    Nanos& told_until = marked_until_[taps::index(tap)];
    marked_[taps::index(tap)] += from >= told_until ? 1U : 0U;
    told_until = std::max(told_until, until);
}

bool Grades::depends_on_neighbours(const Fact& fact) {
    return fact.grade == Grade::proven &&
           (absent_at(fact).has_value() || fact.kind == FactKind::reordered);
}

Grade Grades::settle(const Fact& fact, const Drops& drops) const {
    // Two mirrors that lack the same direction look like a path past both taps.
    if (fact.kind == FactKind::asymmetric) {
        return std::min(fact.grade, Grade::probable);
    }
    if (!depends_on_neighbours(fact)) {
        return fact.grade;
    }
    if (fact.kind == FactKind::reordered) {
        // A mirror that swaps packets, and a network that does: together they look the same.
        return swaps_.near(0, fact.time, fact.time) ? Grade::probable : Grade::proven;
    }
    const Side tap = *absent_at(fact);
    if (drops[taps::index(tap)] ||
        marks_.near(tap_number(tap), fact.time, std::max(fact.time, fact.decided))) {
        return Grade::probable;
    }
    if (fact.single_fault && (misses_.near(tap_number(tap), fact.time, fact.time) ||
                              chance_of_miss(fact, tap) > kChanceMax)) {
        return Grade::probable;
    }
    return Grade::proven;
}

}  // namespace tw::firewall
