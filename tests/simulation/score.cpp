// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/score.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "simulation/frame_bytes.hpp"
#include "simulation/located.hpp"
#include "simulation/missed.hpp"

namespace tw::sim {
namespace {

using event::Confidence;
using event::Event;
using event::EventType;
using event::Verdict;

// Around a claim that rests on a clean capture, no provable miss may lie this close.
constexpr Nanos kCleanAround = 10 * kSecond;

Class class_of(const Ground& ground, std::uint32_t connection) {
    switch (ground.plan().profile) {
        case Profile::none:
        case Profile::silent:
        case Profile::overshoot:
            return Class::stories;
        case Profile::mixed_low:
            return Class::mixed_low;
        case Profile::mixed_high:
            return Class::mixed_high;
        case Profile::loss_before:
        case Profile::loss_after:
        case Profile::reorder_before:
        case Profile::reorder_after:
        case Profile::duplicate_before:
        case Profile::duplicate_after:
        case Profile::mirror_loss:
        case Profile::mirror_duplicate:
        case Profile::mirror_skew:
        case Profile::monitor_loss:
            break;
    }
    return ground.plan().connections[connection].stack[0].timestamps ? Class::single_timed
                                                                     : Class::single_plain;
}

// The expectations for all parts an event speaks of.
std::vector<Expectation> expectations(const Ground& ground, const Event& event,
                                      const Located& located) {
    std::vector<Expectation> all;
    if (event.subjects_count == 0) {
        return all;
    }
    if (event.type == EventType::handshake) {
        all.push_back(expect_handshake(ground, located.way, event.finding.verdict));
        return all;
    }
    if (event.type == EventType::hole) {
        const auto opener = static_cast<std::uint32_t>(event.subject[0].frame);
        for (const Span part : ground.parts(located.way, located.span)) {
            all.push_back(expect_hole(ground, located.way, part, opener));
        }
        return all;
    }
    for (const auto& [frame, part] : repeated_parts(ground, event, located)) {
        all.push_back(expect_repeat(ground, located.way, part, frame));
    }
    return all;
}

bool accepts(const Expectation& expected, Verdict said, bool proven) {
    if (expected.also.empty()) {
        return said == expected.truth;
    }
    return (!proven || expected.provable.has(said)) &&
           (said == expected.truth || expected.also.has(said));
}

// A claim that only a miss which no frame shows refutes: right by the rule that allows it, if no
// other miss was to be seen close by.
bool is_unwitnessed(const std::vector<ProvableMiss>& misses, const Ground& ground,
                    const Event& event) {
    const Nanos from = event.time - ground.plan().start - kCleanAround;
    const Nanos until = event.time_end - ground.plan().start + kCleanAround;
    const auto near = [&](Nanos time) { return from <= time && time <= until; };
    return std::ranges::none_of(misses,
                                [&](const ProvableMiss& miss) { return near(miss.time); }) &&
           std::ranges::none_of(ground.record().monitor_losses, near);
}

// By the monitor's own account, frames were lost meanwhile.
bool in_bad_interval(const Ground& ground, const Event& event) {
    const Nanos start = ground.plan().start;
    const Nanos from = std::max(event.since, start) - start;
    const Nanos until = event.time_end - start;
    return std::ranges::any_of(ground.record().monitor_losses, [&](Nanos lost) {
        const Nanos interval = lost / kLedgerInterval * kLedgerInterval;
        return from < interval + kLedgerInterval && interval <= until;
    });
}

EventScore score_event(const Ground& ground, const Findings& findings, std::size_t index,
                       const std::vector<ProvableMiss>& misses) {
    const Event& event = findings.events[index];
    EventScore out{.event = index,
                   .said = event.finding.verdict,
                   .cause = event.finding.cause,
                   .proven = event.finding.confidence == Confidence::proven};
    const auto located = locate(ground, event);
    if (!located) {
        out.words = "no such connection";
        out.proven_wrong = out.proven;
        return out;
    }
    out.where = class_of(ground, located->way.connection);
    const auto all = expectations(ground, event, *located);
    if (all.empty()) {
        out.words = "nothing was repeated";
        out.proven_wrong = out.proven;
        return out;
    }
    if (out.said == Verdict::unknown && out.cause == event::Cause::capture_loss_interval &&
        in_bad_interval(ground, event)) {
        out.right = true;
        out.truth = all.front().truth;
        out.words = "nothing may be said where the ledger lost frames";
        return out;
    }
    const auto bad = std::ranges::find_if(
        all, [&](const Expectation& expected) { return !accepts(expected, out.said, out.proven); });
    const Expectation& decisive = bad == all.end() ? all.front() : *bad;
    out.right = bad == all.end();
    out.truth = decisive.truth;
    out.twin = decisive.twin;
    out.words = decisive.fate;
    if (!out.right && out.proven) {
        const bool only_unseen = std::ranges::all_of(all, [&](const Expectation& expected) {
            return accepts(expected, out.said, true) ||
                   (expected.double_fault && accepts(expected, out.said, false));
        });
        out.unwitnessed = only_unseen && is_unwitnessed(misses, ground, event);
        out.right = out.unwitnessed;
        out.proven_wrong = !out.right;
    }
    return out;
}

// Events that are not about bytes: only what this world cannot contain is wrong.
bool is_about_bytes(const Event& event) {
    return event.type == EventType::hole || event.type == EventType::repeat;
}

void score_connection_event(const Ground& ground, const Findings& findings, std::size_t index,
                            Score& out) {
    const Event& event = findings.events[index];
    const auto located = locate(ground, event);
    EventScore one{.event = index,
                   .said = event.finding.verdict,
                   .cause = event.finding.cause,
                   .proven = event.finding.confidence == Confidence::proven};
    one.words = "nothing of this kind happened";
    if (located) {
        one.where = class_of(ground, located->way.connection);
        const Way way = located->way;
        const std::size_t forth = ground.captured(way).size();
        const std::size_t back = ground.captured(way.back()).size();
        switch (event.finding.verdict) {
            case Verdict::syn_unanswered:
                one.right = back == 0 || forth == 0;
                break;
            case Verdict::one_sided:
                one.right = forth == 0 || back == 0;
                break;
            case Verdict::receiver_limited:
            case Verdict::none:
            case Verdict::unknown:
                one.right = true;
                break;
            case Verdict::missed_by_capture:
            case Verdict::lost_before_tap:
            case Verdict::reordered_before_tap:
            case Verdict::lost_after_tap:
            case Verdict::ack_lost:
            case Verdict::spurious_retransmission:
            case Verdict::duplicated_by_mirror:
            case Verdict::duplicated_in_network:
            case Verdict::never_recovered:
            case Verdict::sequence_overshoot:
            case Verdict::reordered_in_capture:
            case Verdict::rst_by_third_party:
                out.events.push_back(score_event(ground, findings, index, {}));
                return;
        }
        one.truth = one.right ? one.said : Verdict::none;
    }
    one.proven_wrong = one.proven && !one.right;
    out.events.push_back(one);
}

}  // namespace

std::string_view name(Class where) {
    switch (where) {
        case Class::stories:
            return "no fault, and the two stories";
        case Class::single_timed:
            return "one kind of fault, timestamps";
        case Class::single_plain:
            return "one kind of fault, no timestamps";
        case Class::mixed_low:
            return "several kinds, each up to 1 %";
        case Class::mixed_high:
            return "several kinds, up to 30 %";
    }
    return "";
}

std::string words_of(const Ground& ground, const Event& event) {
    const auto located = locate(ground, event);
    if (!located) {
        return "an event of an unknown connection";
    }
    return fmt::format("connection {} {} {} [{}, {}) at frame {}: {} {} ({}), rule {}",
                       located->way.connection, name(event.direction), name(event.type),
                       located->span.begin, located->span.end, event.subject[0].frame,
                       name(event.finding.confidence), name(event.finding.verdict),
                       name(event.finding.cause), name(event.finding.rule));
}

Score score(const Ground& ground, const Findings& findings) {
    Score out;
    out.frames = ground.record().captures.size();
    const auto misses = provable_misses(ground);
    for (std::size_t i = 0; i < findings.events.size(); ++i) {
        const Event& event = findings.events[i];
        if (is_about_bytes(event)) {
            out.events.push_back(score_event(ground, findings, i, misses));
        } else {
            score_connection_event(ground, findings, i, out);
        }
        const auto verdict = static_cast<std::size_t>(event.finding.verdict);
        if (event::verdict_table()[verdict].network_loss && in_bad_interval(ground, event)) {
            out.ledger_blamed.push_back(words_of(ground, event));
        }
    }
    score_missed_bytes(ground, findings, misses, out);
    score_recall(ground, findings, out);
    return out;
}

}  // namespace tw::sim
