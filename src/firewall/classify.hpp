// SPDX-License-Identifier: BSD-3-Clause
// The catalogue's rules. What one fact shows by itself is told at once (behaviour_of); what takes
// the rest of its conversation, or many conversations, is told at the end (classify): a loss that a
// more specific behaviour explains is told as that, and not twice.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/taps/conversation.hpp"
#include "core/taps/fact.hpp"
#include "firewall/behaviour.hpp"
#include "firewall/learn.hpp"

namespace tw::firewall {

// Nothing: the fact says something of the capture alone, or nothing decides.
[[nodiscard]] std::optional<Behaviour> behaviour_of(const taps::Fact& fact);

// What became of a case.
struct Told {
    static constexpr std::uint32_t kNone = UINT32_MAX;

    Behaviour behaviour = Behaviour::packet_dropped;
    taps::Grade grade = taps::Grade::unproven;
    bool silent = false;           // another case of its conversation tells it
    std::uint32_t lesson = kNone;  // index of the lesson that explains it
    // Of a reset by the firewall: that nothing told the other side of it.
    taps::Grade one_sided = taps::Grade::unproven;

    // The grade of what the case shows besides, in a group of that behaviour.
    [[nodiscard]] taps::Grade grade_as(Behaviour other) const {
        return other == Behaviour::closed_one_sided && one_sided != taps::Grade::unproven
                   ? one_sided
                   : grade;
    }
};

// One entry per case. `lessons` are those learnt from these cases.
[[nodiscard]] std::vector<Told> classify(const Cases& cases, std::span<const Lesson> lessons);

// What the handshake and the numbers of one conversation show, whatever happened to its packets.
struct Traits {
    bool syn_proxy = false;
    bool tcp_proxy = false;
    bool isn_rewritten = false;
    bool server_isn_only = false;  // of the server's numbers alone: as behind a SYN proxy
    bool both_isn = false;         // of both: as behind a TCP proxy
    bool mss_clamped = false;
    bool mss_raised = false;
    bool options_stripped = false;
    bool options_disagree = false;  // the ends do not agree on what is in use
    bool undelivered = false;       // acknowledged to the sender, and the receiver never got it
    taps::Grade grade = taps::Grade::proven;  // of the proxies
    taps::Grade undelivered_grade = taps::Grade::probable;
};
// `skew`: how far times of the taps contradict each other.
[[nodiscard]] Traits traits_of(const taps::Conversation& conversation, Nanos skew = 0);

}  // namespace tw::firewall
