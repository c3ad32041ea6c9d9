// SPDX-License-Identifier: BSD-3-Clause
// What an event should have said: the truth about the bytes it is about, and where two fates give
// the same captured frames, which other answers are as good as that (verdicts.md section 5). The
// rows of kTwins are the only such leniency; a claim of proof is wrong in them, unless it claims
// only what both fates have in common.
#pragma once

#include <span>
#include <vector>

#include "core/event/event.hpp"
#include "simulation/ground.hpp"

namespace tw::sim {

// Fates that the tap's frames may not tell apart.
enum class Twin : std::uint8_t {
    none,
    missed_and_lost,
    missed_with_its_acks,
    missed_at_the_end,
    never_asked,
    fin_not_repeated,
    late_or_sent_again,
    overtaken_by_its_repeat,
    ack_before_filler,
    filler_within_skew,
    filler_reported,
    tail_loss_or_ack_unseen,
    ack_unseen,
    late_original_or_lost,
    ack_on_its_way,
    ack_late_or_lost,
    ack_before_repeat,
    copy_of_network_or_mirror,
    copy_or_sent_again,
    identical_repeat,
    late_copy_of_the_past,
    syn_or_its_answer,
    fin_of_broken_stack,
};
struct TwinRow {
    Twin id;
    const char* name;
    const char* reason;
};
[[nodiscard]] std::span<const TwinRow> twin_table();

struct Expectation {
    event::Verdict truth = event::Verdict::none;  // none: there was nothing to report
    event::VerdictSet also;                       // as good, unless claimed as proven
    event::VerdictSet provable;                   // of both, what the frames prove nevertheless
    Twin twin = Twin::none;
    // Missed by the capture and never to be seen in its frames: a claim of proof is refuted by
    // nothing but this very miss.
    bool double_fault = false;
    const char* fate = "";
};

// The expectation for one part of a hole.
[[nodiscard]] Expectation expect_hole(const Ground& ground, Way way, Span part,
                                      std::uint32_t opener);
// Nothing in two headers tells them apart but the TTL.
[[nodiscard]] bool same_header(const Packet& one, const Packet& other);

// The expectation for one part of a captured frame that had been captured before.
[[nodiscard]] Expectation expect_repeat(const Ground& ground, Way way, Span part,
                                        const Seen& repeat);

// What an event about a handshake may say of the SYN or SYN/ACK of `way`: one event tells of all
// its copies, so each thing that happened to one of them is true.
[[nodiscard]] Expectation expect_handshake(const Ground& ground, Way way, event::Verdict said);

}  // namespace tw::sim
