// SPDX-License-Identifier: BSD-3-Clause
// From the facts of one episode to a finding. Pure functions: what is asked of the facts, in which
// order, and what each answer allows to say. Sources: Benko & Veres 2002 (a hole that fills was
// lost before the tap, bytes seen twice after it), Jaiswal et al. 2007, Mellia et al. 2008, TCPRS
// (timestamps, ACK fields), Alcock & Nelson 2011 (DSACK as proof); RFC 2883, 6675, 7323.
//
//   S --before--> T --after--> R
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "core/event/verdict.hpp"
#include "core/tcp/same_frame.hpp"

namespace tw::tcp {

// Round trips from the tap to each end and back, the shortest known; 0 = not known.
struct PathTimes {
    Nanos to_sender = 0;
    Nanos to_receiver = 0;
};

// When one segment was sent against another, by a number its sender only counts up.
enum class Order : std::uint8_t { unknown, earlier, same, later };

inline constexpr Nanos kNever = -1;  // for times that may not exist

// A hole, and the bytes that closed it.
struct FillFacts {
    // The filler against the first segment beyond the hole.
    Order by_timestamp = Order::unknown;
    Order by_ack = Order::unknown;
    Order by_ip_id = Order::unknown;
    bool after_ack = false;      // captured after an ACK that covers it
    bool dsack = false;          // R reported it as a duplicate
    bool doubled = false;        // a copy of it was captured as well
    bool repeated = false;       // bytes of it were captured again, sent another time
    bool original_came = false;  // a copy sent before the filler was captured after it
    std::uint32_t asked = 0;
    Nanos lag = 0;             // opening to filling
    Nanos since_ask = kNever;  // R's first request to filling
    PathTimes path;
};
[[nodiscard]] event::Finding judge_fill(const FillFacts& facts);

// Captured bytes, sent again.
enum class RepeatKind : std::uint8_t {
    plain,         // neither acknowledged before, nor a copy
    copy,          // the same frame
    acknowledged,  // an ACK captured before covers them
    sacked,        // a SACK block captured before covers them
    overtaken,     // sent before the copy captured first
};
struct RepeatFacts {
    RepeatKind kind = RepeatKind::plain;
    Nanos apart = kNever;      // first copy to repeat
    bool ttl_differs = false;  // copy: by one
    bool alike = false;        // nothing but the time tells the two copies apart
    bool doubled = false;      // copy: of a repeat or a filler; else: a copy of it came as well
    bool named = false;        // they carry an IP identification
    Nanos ack_lag = kNever;    // acknowledged: first ACK that covers them to the repeat
    // acknowledged: the peer's timestamp that S echoed with the repeat against that ACK's:
    // `earlier` = S had not received the ACK, nor any after it.
    Order echo = Order::unknown;
    std::uint64_t bytes = 0;    // sent again; a FIN counts one
    std::uint64_t dsacked = 0;  // of these, reported by R as duplicates
    std::uint32_t segments = 1;
    bool reports = false;      // R has reported a duplicate on this connection, so it would again
    std::uint32_t asked = 0;   // before the repeat
    bool answered = false;     // an ACK covered them after the repeat ...
    bool passed_over = false;  // ... together with bytes below them: it never stopped at them
    bool reported_at_once = false;  // ... and reported them as duplicates
    Nanos answer_lag = kNever;      // ... so much later
    bool echoes_repeat = false;     // and it echoes the repeat's timestamp, not the first copy's
    bool echoes_original = false;   // or the other way round
    bool receiver_heard = false;    // R spoke after the repeat could have reached it
    PathTimes path;
};
[[nodiscard]] event::Finding judge_repeat(const RepeatFacts& facts);
// A copy that came later than a mirror would make it.
[[nodiscard]] bool copied_late(const RepeatFacts& facts);

// A hole that was still open when the connection ended.
struct OpenFacts {
    std::uint64_t bytes = 0;
    std::uint32_t asked = 0;
    Nanos asked_for = 0;          // first request to the last segment of either side
    bool sender_went_on = false;  // S spoke after the request could have reached it
    bool sender_closed = false;   // S sent its FIN
    bool fin_opened = false;      // the segment beyond the hole is a FIN without data
    std::uint32_t fins_repeated = 0;
    bool others_refilled = false;  // S sent other bytes again after this hole opened
    bool receiver_heard = false;   // R spoke after the hole opened
    PathTimes path;
};
[[nodiscard]] event::Finding judge_open(const OpenFacts& facts);

// Bytes the receiver has and the capture never had.
[[nodiscard]] event::Finding judge_missed(bool by_sack);
// The end was not followed.
[[nodiscard]] event::Finding judge_limit();
// Judged before the wait for evidence was over.
[[nodiscard]] event::Finding judge_cut_short();

}  // namespace tw::tcp
