// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/expectation.hpp"

#include <algorithm>

namespace tw::sim::two_taps {
namespace {

using taps::Fact;
using taps::FactKind;

constexpr std::array<std::string_view, kTruths> kTruthNames{
    "passed",     "lost", "missed_at_exit", "missed_at_entry", "duplicated",  "made",     "altered",
    "lengthened", "late", "absorbed",       "on_its_way",      "mirror_copy", "no_packet"};

constexpr TwinRow kTwinRows[] = {
    {Twin::none, "none", "the frames decide"},
    {Twin::missed_and_lost, "missed_and_lost",
     "missed at the exit tap and lost beyond it: a loss between the taps looks the same"},
    {Twin::acks_unseen, "acks_unseen",
     "the receiver had the bytes, but no ACK of them was captured before another copy was"},
    {Twin::after_close, "after_close",
     "after the close nobody answers: whether the firewall or the capture lost it, no frame tells"},
    {Twin::copy_left_before, "copy_left_before",
     "a repeat of what had left: sent on or not, the receiver says the same"},
    {Twin::repeat_of_the_arrived, "repeat_of_the_arrived",
     "the firewall dropped a repeat of bytes that had arrived by a copy the capture missed"},
    {Twin::copy_of_mirror, "copy_of_mirror",
     "equal frames at one tap: a mirror that copies twice gives the same"},
    {Twin::entry_missed_twice, "entry_missed_twice",
     "left twice, entered once as far as captured: a second copy may have entered unseen"},
    {Twin::nobody_tells, "nobody_tells",
     "it takes no sequence numbers, and nothing depends on whether it arrived"},
    {Twin::look_alike, "look_alike",
     "another packet with the same headers met that fate: the frames name neither"},
};

Truth truth_of_entry(const Ground& ground, const Passing& passing) {
    switch (passing.fate) {
        case Fate::lost_outside:
        case Fate::on_its_way:
            return Truth::on_its_way;
        case Fate::dropped:
            return Truth::lost;
        case Fate::absorbed:
            return Truth::absorbed;
        case Fate::passed:
            break;
    }
    bool seen = false;
    for (const std::uint32_t exit : passing.exits) {
        const Sighting& left = ground.sighting(exit);
        if (left.wire > ground.record().end) {
            return Truth::on_its_way;
        }
        seen |= !left.frames.empty();
    }
    return seen ? Truth::passed : Truth::missed_at_exit;
}

Truth truth_of_exit(const Ground& ground, const Passing& passing) {
    const Sighting* entered = ground.entry(passing);
    if (entered == nullptr) {
        return Truth::made;
    }
    if (passing.exits.size() > 1) {
        return Truth::duplicated;
    }
    return entered->frames.empty() ? Truth::missed_at_entry : Truth::passed;
}

// --- entered and was not seen to leave

void judge_lost(const Ground& ground, const Passing& passing, const Wire& wire, FactKind said,
                Expectation& out) {
    out.drop = passing.drop;
    const bool closed = ground.closed_before(wire.connection, out.time);
    const bool left_before = ground.copy_left_before(wire, out.time);
    out.right = said == FactKind::lost_between || said == FactKind::unproven ||
                (said == FactKind::late_lost && (closed || wire.rst())) ||
                (said == FactKind::suppressed && left_before) ||
                (said == FactKind::reset_blocked && wire.rst());
    if (!out.right && said == FactKind::missed_at_exit && left_before) {
        out.twin = Twin::repeat_of_the_arrived;
    } else if (!out.right && !wire.takes_numbers()) {
        out.twin = Twin::nobody_tells;
    }
}

void judge_missed_at_exit(const Ground& ground, const Passing& passing, const Wire& wire,
                          FactKind said, Expectation& out) {
    out.right = said == FactKind::missed_at_exit || said == FactKind::unproven;
    if (out.right) {
        return;
    }
    const bool arrived = std::ranges::any_of(
        passing.exits, [&](std::uint32_t exit) { return !ground.sighting(exit).arrivals.empty(); });
    const auto covered = ground.covered_at(wire);
    const auto copy = ground.first_copy_left(wire);
    if (said == FactKind::late_lost && ground.closed_before(wire.connection, out.time)) {
        out.twin = Twin::after_close;
    } else if (!wire.takes_numbers()) {
        out.twin = Twin::nobody_tells;
    } else if (said == FactKind::suppressed && ground.copy_left_before(wire, out.time)) {
        out.twin = Twin::copy_left_before;
    } else if (said == FactKind::lost_between && !arrived) {
        out.twin = Twin::missed_and_lost;
        out.double_fault = true;
    } else if (said == FactKind::lost_between && (!covered || (copy && *copy < *covered))) {
        out.twin = Twin::acks_unseen;
        out.double_fault = true;
    }
}

void judge_entered(const Ground& ground, const Seen& seen, FactKind said, Expectation& out) {
    const Wire& wire = seen.sighting->packet;
    out.truth = truth_of_entry(ground, *seen.passing);
    if (out.truth == Truth::lost) {
        judge_lost(ground, *seen.passing, wire, said, out);
    } else if (out.truth == Truth::missed_at_exit) {
        judge_missed_at_exit(ground, *seen.passing, wire, said, out);
    } else if (out.truth == Truth::absorbed) {
        out.right = said == FactKind::unproven || said == FactKind::suppressed ||
                    said == FactKind::resegmented;
    } else if (out.truth == Truth::on_its_way) {
        out.right = said == FactKind::unproven;
    }
}

// --- left and was not seen to enter

void judge_left(const Ground& ground, const Seen& seen, FactKind said, Expectation& out) {
    const Wire& wire = seen.sighting->packet;
    out.truth = truth_of_exit(ground, *seen.passing);
    const bool by_itself = said == FactKind::injected || said == FactKind::reset_origin ||
                           said == FactKind::icmp_error || said == FactKind::resegmented;
    if (out.truth == Truth::made) {
        out.right = by_itself || (said == FactKind::duplicated && ground.proxied());
        if (said == FactKind::missed_at_entry && !wire.takes_numbers()) {
            out.twin = Twin::nobody_tells;
        }
    } else if (out.truth == Truth::duplicated) {
        out.right = said == FactKind::duplicated;
        if (said == FactKind::missed_at_entry) {
            out.twin = Twin::entry_missed_twice;
            out.right = ground.entry(*seen.passing)->frames.empty();
        }
    } else if (out.truth == Truth::missed_at_entry) {
        out.right = said == FactKind::missed_at_entry;
        if (said == FactKind::duplicated || said == FactKind::resegmented) {
            out.twin = Twin::entry_missed_twice;
        } else if (said == FactKind::injected || said == FactKind::reset_origin) {
            out.twin = Twin::nobody_tells;
        }
    }
}

// --- a pair

void judge_pair(const Ground& ground, const Seen& seen, FactKind said, Expectation& out) {
    const Passing& passing = *seen.passing;
    const auto any_exit = [&](auto condition) {
        return std::ranges::any_of(passing.exits, [&](std::uint32_t exit) {
            return condition(ground.sighting(exit).packet);
        });
    };
    const bool altered = any_exit([](const Wire& wire) { return wire.flip != 0; });
    const bool lengthened = any_exit([](const Wire& wire) { return wire.inserted != 0; });
    const bool late = ground.late(passing);
    out.truth = altered      ? Truth::altered
                : lengthened ? Truth::lengthened
                : late       ? Truth::late
                             : Truth::passed;
    const FirewallPlan& firewall = ground.plan().firewall;
    out.right =
        (said == FactKind::altered && (altered || lengthened)) ||
        (said == FactKind::length_changed && lengthened) || (said == FactKind::reordered && late) ||
        (said == FactKind::ecn_mark_lost && firewall.clears_tos) ||
        (said == FactKind::sack_untranslated && firewall.rewrites_isn && !firewall.translates_sack);
}

bool is_about_a_pair(FactKind kind) {
    return kind == FactKind::altered || kind == FactKind::length_changed ||
           kind == FactKind::reordered || kind == FactKind::ecn_mark_lost ||
           kind == FactKind::sack_untranslated;
}

Expectation expect_of(const Ground& ground, const Seen& seen, FactKind kind) {
    Expectation out;
    out.time = seen.sighting->wire;
    const bool entered = seen.sighting->tap == taps::entry(seen.sighting->way);
    if (is_about_a_pair(kind)) {
        judge_pair(ground, seen, kind, out);
    } else if (kind == FactKind::icmp_error) {
        out.truth = entered ? Truth::passed : Truth::made;
        out.right = seen.sighting->packet.kind == WireKind::icmp_error;
    } else if (kind == FactKind::asymmetric) {
        out.truth = Truth::passed;
    } else if (entered) {
        judge_entered(ground, seen, kind, out);
    } else {
        judge_left(ground, seen, kind, out);
    }
    return out;
}

}  // namespace

std::string_view name(Truth truth) {
    return kTruthNames[static_cast<std::size_t>(truth)];
}

std::span<const TwinRow> twin_table() {
    return kTwinRows;
}

Expectation expect(const Ground& ground, const Fact& fact) {
    const auto seen = ground.frame(fact.packet.tap, fact.packet.frame);
    if (!seen) {
        return {};
    }
    Expectation out = expect_of(ground, *seen, fact.kind);
    if (seen->captured->copy && seen->sighting->frames.size() > 1 && !out.right) {
        out.truth = Truth::mirror_copy;
        const bool nameless = seen->sighting->packet.ip_id == 0;
        out.twin = nameless ? Twin::copy_of_mirror : out.twin;
    }
    if (out.right || out.twin != Twin::none) {
        return out;
    }
    // The same headers once more: what is said of the one may be true of the other.
    for (const Passing* passing : ground.look_alikes(seen->sighting->packet)) {
        Seen other = *seen;
        const Sighting* entered = ground.entry(*passing);
        const bool at_entry = seen->sighting->tap == taps::entry(seen->sighting->way);
        if (passing == seen->passing || (at_entry && entered == nullptr) ||
            (!at_entry && passing->exits.empty())) {
            continue;
        }
        other.passing = passing;
        other.sighting = at_entry ? entered : &ground.sighting(passing->exits.front());
        const Expectation same = expect_of(ground, other, fact.kind);
        if (same.right) {
            out.twin = Twin::look_alike;
            return out;
        }
        if (same.twin != Twin::none) {
            out.twin = same.twin;
        }
    }
    return out;
}

}  // namespace tw::sim::two_taps
