// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/classify.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "core/taps/packet.hpp"
#include "firewall/explain.hpp"
#include "firewall/grades.hpp"

namespace tw::firewall {
namespace {

namespace flag = decode::tcp_flag;
using enum Behaviour;
using taps::Fact;
using taps::FactKind;
using taps::Grade;

// Destination unreachable of either IP version, and the one code that path MTU discovery needs.
constexpr std::uint8_t kUnreachableV4 = 3;
constexpr std::uint8_t kFragmentationNeeded = 4;
constexpr std::uint8_t kUnreachableV6 = 1;
constexpr std::uint8_t kPacketTooBigV6 = 2;

// Where several lessons explain one case equally well, the first of these tells it.
constexpr std::array kPrecedence{
    pmtud_black_hole, state_lost_at_once, tuple_reuse_dropped, connection_limit, idle_timeout,
    half_close_cut,   closed_one_sided,   rate_limited,        shaped,           reordered,
};

[[nodiscard]] Behaviour behaviour_of_loss(const Fact& fact) {
    const taps::Circumstances& around = fact.circumstances;
    const bool syn = fact.packet.has(flag::kSyn);
    if (around.bad_flags) {
        return out_of_window_dropped;
    }
    // One that a later copy followed was lost like any other packet.
    if (syn && fact.proof != taps::Proof::left_later) {
        return fact.packet.has(flag::kAck) ? syn_ack_dropped : syn_dropped;
    }
    if (syn) {
        return packet_dropped;
    }
    if (fact.packet.has(flag::kRst)) {
        return reset_blocked;
    }
    if (around.scale_mismatch) {
        return window_scale_mismatch;
    }
    if (around.acks_unseen || (around.window_known && !around.in_window)) {
        return out_of_window_dropped;
    }
    return packet_dropped;
}

[[nodiscard]] bool says_too_big(const taps::Packet& icmp) {
    return icmp.v6 ? icmp.icmp_type == kPacketTooBigV6
                   : icmp.icmp_type == kUnreachableV4 && icmp.icmp_code == kFragmentationNeeded;
}

[[nodiscard]] bool says_unreachable(const taps::Packet& icmp) {
    return icmp.icmp_type == (icmp.v6 ? kUnreachableV6 : kUnreachableV4) && !says_too_big(icmp);
}

// One that passed is an endpoint's or a router's word: nothing of the firewall's.
[[nodiscard]] std::optional<Behaviour> behaviour_of_icmp(const Fact& fact) {
    const bool came_in = entered(fact);
    const bool went_out = left(fact);
    if (says_too_big(fact.packet)) {
        if (came_in && !went_out) {
            return icmp_needed_dropped;
        }
        return went_out && !came_in ? std::optional(too_big_told) : std::nullopt;
    }
    if (says_unreachable(fact.packet) && went_out && !came_in) {
        return rejected_by_icmp;
    }
    return std::nullopt;
}

// A segment that left and nobody sent.
[[nodiscard]] Behaviour behaviour_of_injected(const Fact& fact) {
    if (fact.packet.has(flag::kRst)) {
        return reset_by_firewall;
    }
    return fact.packet.has(flag::kSyn) ? syn_proxy : packet_injected;
}

[[nodiscard]] Behaviour behaviour_of_fragment(const Fact& fact) {
    const bool others_passed =
        fact.twin_known && fact.twin.kind == taps::PacketKind::first_fragment;
    return fact.packet.kind == taps::PacketKind::later_fragment && others_passed
               ? first_fragment_only
               : fragment_dropped;
}

// Whether a lesson may tell the case: what its own packet shows beyond doubt stays.
[[nodiscard]] bool open_to_lessons(const Case& one) {
    switch (one.behaviour) {
        case packet_dropped:
        case syn_dropped:
        case syn_ack_dropped:
        case reset_by_firewall:
        case reset_blocked:
        case closed_one_sided:
        case late_after_close:
        case retransmission_suppressed:
        case out_of_window_dropped:
        case window_scale_mismatch:
            return !one.expected;
        case rejected_by_icmp:
        case idle_timeout:
        case connection_limit:
        case isn_rewritten:
        case sack_not_translated:
        case mss_clamped:
        case mss_raised:
        case options_stripped:
        case options_stripped_one_way:
        case header_rewritten:
        case congestion_mark_cleared:
        case payload_altered:
        case payload_length_changed:
        case syn_proxy:
        case tcp_proxy:
        case acknowledged_not_delivered:
        case asymmetric_path:
        case fragment_dropped:
        case fragments_reassembled:
        case first_fragment_only:
        case pmtud_black_hole:
        case icmp_needed_dropped:
        case too_big_told:
        case rate_limited:
        case shaped:
        case reordered:
        case duplicated:
        case latency_spike:
        case half_close_cut:
        case tuple_reuse_dropped:
        case state_lost_at_once:
        case resegmented:
        case packet_injected:
            return false;
    }
    return false;
}

// What is better proven comes first, then what is more specific.
[[nodiscard]] std::pair<std::size_t, std::ptrdiff_t> rank(const Lesson& lesson) {
    return {taps::kGrades - static_cast<std::size_t>(lesson.grade_max),
            std::distance(kPrecedence.begin(), std::ranges::find(kPrecedence, lesson.behaviour))};
}

// Cases of one connection show what happened, and what it was only probably.
[[nodiscard]] Grade grade_of(const Lesson& lesson, const Cases& cases) {
    const bool from_samples =
        lesson.behaviour == idle_timeout || lesson.behaviour == pmtud_black_hole ||
        lesson.behaviour == connection_limit || lesson.behaviour == tuple_reuse_dropped ||
        lesson.behaviour == half_close_cut;
    const auto conversation_of = [&](std::uint32_t at) {
        return cases.cases[at].fact->conversation;
    };
    const bool one = std::ranges::all_of(lesson.explained, [&](std::uint32_t at) {
        return conversation_of(at) == conversation_of(lesson.explained.front());
    });
    return from_samples && one ? std::min(lesson.grade_max, Grade::probable) : lesson.grade_max;
}

void apply(const Cases& cases, std::span<const Lesson> lessons, std::vector<Told>& told) {
    for (std::uint32_t i = 0; i < lessons.size(); ++i) {
        const Grade grade = grade_of(lessons[i], cases);
        for (const std::uint32_t at : lessons[i].explained) {
            if (!open_to_lessons(cases.cases[at])) {
                continue;
            }
            Told& now = told[at];
            if (now.lesson != Told::kNone && rank(lessons[now.lesson]) <= rank(lessons[i])) {
                continue;
            }
            now.lesson = i;
            now.behaviour = lessons[i].behaviour;
            now.grade = std::min(cases.cases[at].grade, grade);
        }
    }
}

}  // namespace

std::optional<Behaviour> behaviour_of(const Fact& fact) {
    if (fact.grade == Grade::unproven) {
        return std::nullopt;
    }
    switch (fact.kind) {
        case FactKind::lost_between:
            return behaviour_of_loss(fact);
        case FactKind::missed_at_exit:
        case FactKind::missed_at_entry:
        case FactKind::unproven:
            return std::nullopt;
        case FactKind::suppressed:
            return retransmission_suppressed;
        case FactKind::late_lost:
            return late_after_close;
        case FactKind::duplicated:
            return duplicated;
        case FactKind::injected:
            return behaviour_of_injected(fact);
        case FactKind::resegmented:
            return resegmented;
        case FactKind::altered:
            return payload_altered;
        case FactKind::length_changed:
            return payload_length_changed;
        case FactKind::reordered:
            return reordered;
        case FactKind::ecn_mark_lost:
            return congestion_mark_cleared;
        case FactKind::sack_untranslated:
            return sack_not_translated;
        case FactKind::rewritten:
            return header_rewritten;
        case FactKind::reset_origin:
            return reset_by_firewall;
        case FactKind::reset_blocked:
            return reset_blocked;
        case FactKind::icmp_error:
            return behaviour_of_icmp(fact);
        case FactKind::fragment_lost:
            return behaviour_of_fragment(fact);
        case FactKind::fragments_joined:
            return fragments_reassembled;
        case FactKind::asymmetric:
            return asymmetric_path;
    }
    return std::nullopt;
}

std::vector<Told> classify(const Cases& cases, std::span<const Lesson> lessons) {
    std::vector<Told> told(cases.cases.size());
    for (std::size_t i = 0; i < told.size(); ++i) {
        told[i].behaviour = cases.cases[i].behaviour;
        told[i].grade = cases.cases[i].grade;
    }
    apply(cases, lessons, told);
    explain_within_conversations(cases, told);
    return told;
}

}  // namespace tw::firewall
