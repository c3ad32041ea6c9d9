// SPDX-License-Identifier: BSD-3-Clause
// The language core speaks to the outside: episodes (Event) and connections (FlowRecord), plain
// fixed-size structs that cross the ring from a worker to housekeeping by value.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.hpp"
#include "core/event/capture_marks.hpp"
#include "core/event/verdict.hpp"
#include "core/flow/key.hpp"
#include "core/tcp/flags.hpp"

namespace tw::event {

enum class EventType : std::uint8_t { hole, repeat, handshake, reset, stall, path };

// How an episode ended. Facts about bytes and ACKs; who is to blame is a verdict, not a resolution.
enum class Resolution : std::uint8_t {
    filled,               // hole: the bytes were captured later
    filled_after_ack,     // hole: captured within direction_skew after an ACK already covered them
    acknowledged_unseen,  // hole: the receiver acknowledged the bytes, they were never captured
    never,                // hole: neither captured nor acknowledged; repeat: never acknowledged
    acknowledged,         // repeat: acknowledged after the first repeat
    acknowledged_before,  // repeat: all of it had been acknowledged before the first repeat
    unknown_limit,        // a stated limit was reached (see the counters): the end was not followed
};

enum class Direction : std::uint8_t { c2s, s2c };

[[nodiscard]] std::string_view name(EventType type);
[[nodiscard]] std::string_view name(Resolution resolution);
[[nodiscard]] std::string_view name(Direction direction);

// What a segment has to do with an episode.
enum class Role : std::uint8_t {
    none,
    opener,    // showed the hole: lies beyond it
    filler,    // brought the bytes of the hole
    original,  // the first copy of bytes that were sent again
    repeat,    // sent them again
    ack,       // covers the bytes
    dup_ack,   // asks for them
    sack,      // covers them, or leaves them out, selectively
    dsack,     // reports them as duplicate
    fin,
    rst,
    syn,
    probe,
    window,
    genuine,  // reset: surely of the host the RST names
};
[[nodiscard]] std::string_view name(Role role);

// A segment an episode rests on.
struct FrameRef {
    std::uint64_t frame = 0;  // 0 = not numbered (live)
    Nanos time = 0;
    std::uint8_t tap = 0;
    Role role = Role::none;
};

// The two ends as far as they are known: the client sent the SYN, or is a guess (FlowRecord).
struct FlowName {
    flow::Endpoint client;
    flow::Endpoint server;
    std::uint32_t stream = 0;  // tcp.stream in read; unique within the run live
};

struct Event {
    static constexpr std::size_t kSubjectsMax = 2;
    static constexpr std::size_t kEvidenceMax = 6;

    std::uint64_t id = 0;  // from 1, unique within the run
    EventType type = EventType::hole;
    Resolution resolution = Resolution::never;
    Direction direction = Direction::c2s;
    std::uint8_t tap = 0;
    std::uint8_t subjects_count = 0;
    std::uint8_t evidence_count = 0;
    std::uint32_t repeats_count = 0;  // repeat: segments in the run
    FlowName flow;
    // What it rests on was not on the wire before: the last moment at which all was well.
    Nanos since = 0;
    Nanos time = 0;      // first sign
    Nanos time_end = 0;  // resolution, or the last moment the flow was seen
    std::uint32_t seq_begin = 0;
    std::uint32_t seq_end = 0;  // one past the last
    // What Wireshark subtracts to show relative numbers in this direction; people read those.
    std::uint32_t seq_base = 0;
    bool seq_base_known = false;
    // acknowledged_unseen at the end of what the sender was seen to send, and no FIN of it
    // captured: the last number may be the FIN and no byte.
    bool fin_possible = false;
    // Live: what the ledger says of the capture from `since` to `time_end`. Files bring no ledger.
    bool capture_known = false;
    CaptureFaults capture;
    std::uint64_t bytes = 0;  // hole: its length; repeat: payload bytes sent again
    // hole: the segment that showed it; repeat: the first and the last repeated segment
    std::array<FrameRef, kSubjectsMax> subject{};
    // what resolved it: the filler, the ACK; and what else the finding rests on
    std::array<FrameRef, kEvidenceMax> evidence{};
    Finding finding;
};

// What became of the bytes of one direction, added up from the verdicts of its episodes. A network
// loss is never in the capture's sum, nor the other way round.
enum class Outcome : std::uint8_t {
    lost_before_tap,      // between sender and tap, sent again
    lost_after_tap,       // between tap and receiver, sent again
    never_recovered,      // lost, and not delivered
    ack_lost,             // delivered; the ACK was lost, so they were sent again
    missed_by_capture,    // delivered; the capture lacks them
    repeated_needlessly,  // delivered, and sent again all the same
    unknown,              // cannot be told
};
inline constexpr std::size_t kOutcomes = static_cast<std::size_t>(Outcome::unknown) + 1;
[[nodiscard]] std::string_view name(Outcome outcome);
// The sum a verdict belongs to; nothing for those that move no byte (reordering, copies, resets).
[[nodiscard]] std::optional<Outcome> outcome_of(Verdict verdict);

struct OutcomeSum {
    std::uint64_t bytes = 0;
    std::uint64_t segments = 0;  // at least so many
    std::uint64_t episodes = 0;
};
using OutcomeSums = std::array<OutcomeSum, kOutcomes>;  // index: Outcome

struct FlowRecord {
    FlowName flow;
    Nanos first = 0;
    Nanos last = 0;
    Nanos initial_rtt = 0;  // 0 = unknown; may be negative where the capture runs backwards
    std::uint8_t completeness =
        0;  // Wireshark's bit set: 1 SYN, 2 SYN/ACK, 4 ACK, 8 data, 16 FIN, 32 RST
    bool client_known = false;  // a SYN or SYN/ACK told who the client is; else a guess
    bool details_lost = false;  // a limit was reached: flags and missing bytes are lower bounds
    std::uint8_t tap = 0;
    // index: Direction
    std::array<std::uint64_t, 2> packets{};
    std::array<std::uint64_t, 2> bytes{};  // TCP payload captured, repeats included
    std::array<std::uint64_t, 2> missing_bytes{};
    std::array<tcp::FlagCounts, 2> flags{};
    // Filled in by core/verdict/settler.
    std::array<OutcomeSums, 2> outcomes{};
    bool outcomes_complete = true;  // false: a limit was reached, some may be missing
};

}  // namespace tw::event
