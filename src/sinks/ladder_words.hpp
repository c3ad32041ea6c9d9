// SPDX-License-Identifier: BSD-3-Clause
// The words on a ladder: what stands on a segment's line and below it, what an episode is called,
// what a fold hides.
#pragma once

#include <string>
#include <vector>

#include "sinks/ladder_log.hpp"
#include "sinks/ladder_plan.hpp"

namespace tw::sinks {

// "SYN seq 0", "PSH seq 1 len 43", "ack 44": what the segment is.
[[nodiscard]] std::string segment_words(const LadderRow& row);
// "ack 1" of a segment that is more than an ACK; empty otherwise.
[[nodiscard]] std::string ack_words(const LadderRow& row);
// What else is worth a line: options of a SYN, SACK, the window where it matters, flags. With
// `timestamps`, those too.
[[nodiscard]] std::vector<std::string> segment_notes(const LadderRow& row, bool timestamps);

// "MSS 1460, WS 7, SACK, TS"; "no options"
[[nodiscard]] std::string syn_options_words(const LadderRow& row);

// "asks for the bytes"
[[nodiscard]] std::string_view role_words(event::Role role);
// The part a segment of event.subject or event.evidence plays, by its role or by its place there.
[[nodiscard]] event::Role subject_role(const event::Event& event, std::size_t index);
[[nodiscard]] event::Role evidence_role(const event::Event& event, std::size_t index);
// Whether the rule of the finding compares TCP timestamps.
[[nodiscard]] bool rests_on_timestamps(const event::Event& event);

// "never_recovered (sender_silent), probable"; "hole, filled" where nothing was judged.
[[nodiscard]] std::string episode_title(const event::Event& event);
// "between the server and the tap"; empty where that is not known.
[[nodiscard]] std::string place_words(event::Place place, event::Direction direction);
// "412 segments, 598,320 bytes, 1.20 s, in order"
[[nodiscard]] std::string fold_words(const LadderFold& fold);
// "[1..1011)", relative where the base is known.
[[nodiscard]] std::string range_words(const event::Event& event);

}  // namespace tw::sinks
