// SPDX-License-Identifier: BSD-3-Clause
// Questions of an episode to the history of its connection. Each walks back a bounded number of
// segments; an answer that lies beyond is "not known".
#pragma once

#include <optional>

#include "base/time.hpp"
#include "core/tcp/history.hpp"
#include "core/tcp/judge.hpp"

namespace tw::tcp {

// Segments one question looks back over.
inline constexpr std::uint32_t kStepsBack = 128;

struct RepeatPast {
    const Sighting* original = nullptr;  // the latest earlier copy of the first byte
    const Sighting* covering = nullptr;  // the first ACK that covers all of it
    const Sighting* sacked = nullptr;    // a SACK block that covers all of it
    const Sighting* ask = nullptr;       // R's first request for it after the original
    std::uint32_t asked = 0;
};
// `repeat` is in the history already; `acknowledged`: R's ACK covers it.
[[nodiscard]] RepeatPast past_of_repeat(const History& history, const Sighting& repeat,
                                        bool acknowledged);

// Nothing tells the two apart but the time, and the TTL by one.
[[nodiscard]] bool same_frame(const Sighting& one, const Sighting& other);
// And they are one frame, captured twice, not two that their sender made alike. `round_trip`: tap
// to sender and back, 0 = not known; `asked`: the receiver asked for the bytes in between.
[[nodiscard]] bool is_one_frame(const Sighting& earlier, const Sighting& later, Nanos round_trip,
                                bool asked);
// A copy of one of its sender's last segments, within what a mirror takes to copy twice.
[[nodiscard]] bool is_copy(const History& history, const Sighting& sighting);

// How far a side has acknowledged; nothing = it has not, or that is not known. Half::ack is the
// field of its last segment, which without the ACK flag (a SYN, most RSTs) means nothing.
[[nodiscard]] std::optional<std::uint32_t> acknowledged_up_to(const History& history,
                                                              const flow::Flow& flow,
                                                              std::uint32_t owner,
                                                              std::uint8_t side);

// The segment its sender sent before it; nullptr = not known.
[[nodiscard]] const Sighting* before_of_sender(const History& history, const Sighting& sighting);

// When `sighting` was sent against a segment of the same sender with IP identification `other`, if
// that sender counts it up.
[[nodiscard]] Order order_by_ip_id(const History& history, const Sighting& sighting,
                                   std::uint16_t other);

// The shortest round trip from the tap to a side and back among the last segments: new data to its
// ACK, or a timestamp to its echo, the side's own delay included; 0 = none found.
[[nodiscard]] Nanos round_trip_seen(const History& history, const Sighting& latest,
                                    std::uint8_t side);

// Half::rtt_code: a round trip in eight bits, rounded down by at most an eighth; 0 = not known.
[[nodiscard]] std::uint8_t rtt_code(Nanos round_trip);
[[nodiscard]] Nanos rtt_of(std::uint8_t code);

}  // namespace tw::tcp
