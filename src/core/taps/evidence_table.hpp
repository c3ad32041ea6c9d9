// SPDX-License-Identifier: BSD-3-Clause
// The decision table for a packet with sequence numbers that entered and was not seen to leave:
// facts in, verdict out. Each row names what it rests on; where another explanation fits the facts
// as well, the grade says so. The exit tap missing a packet is always one of them.
#pragma once

#include <cstdint>

#include "core/taps/fact.hpp"

namespace tw::taps {

// What is known of the packet's bytes once it can no longer leave in time.
struct LossFacts {
    bool limit_reached = false;  // evidence was not kept
    bool syn = false;
    bool answered_for = false;  // of a handshake that the firewall makes by itself, on each side
    bool last_call = false;     // nothing more can come: the conversation or the capture ends
    // Before it entered
    bool repeat = false;            // its bytes had entered before
    bool left_before = false;       // they had left before
    bool covered_before = false;    // the receiver had acknowledged them, at the exit tap
    bool beyond_window = false;     // the receiver would refuse them
    bool acknowledged_old = false;  // below what the receiver had acknowledged: a keep-alive
    // The receiver at the exit tap
    bool covered_unseen = false;     // acknowledged them before any copy was seen to leave
    bool covered_partly = false;     // before all of them were seen to leave
    bool covered_after = false;      // acknowledged them after another copy had left
    bool only_copy = false;          // no other copy had entered when they were acknowledged
    bool no_time_to_repeat = false;  // acknowledged before a repeat could have been made
    bool raced = false;  // a copy left so close behind the ACK that a mirror may have swapped them
    bool echoes_it = false;      // the ACK echoes no timestamp newer than this packet's
    bool echoes_later = false;   // the ACK echoes a timestamp newer than this packet's
    bool echoes_before = false;  // the ACK echoes a timestamp older than the copy's that left
    bool too_soon = false;       // acknowledged sooner than the copy that left could have been
    bool silent = false;         // no packet of it since the first copy entered
    bool unanswered = false;     // no bare ACK that repeats an earlier one since then
    // The receiver lacks them: duplicate ACKs, SACK holes, or packets long after they must have
    // arrived that still do not acknowledge them. Before a copy left.
    std::uint8_t asks = 0;
    std::uint8_t duplicates_told = 0;  // DSACK
    // Other copies
    bool left_later = false;  // one that entered later left
    bool settled = false;     // … long enough ago for the receiver to have told of a duplicate
    bool left_without_entry = false;  // the bytes left, in packets not seen to enter
    bool same_bounds = false;         // … in one packet of the same numbers
    bool interchangeable = false;  // it may as well be the packet that counts as the one that left
    std::uint8_t copies_left = 0;  // until the receiver acknowledged
    std::uint8_t copies_left_ever = 0;
    std::uint8_t attempts = 1;  // copies that entered and none of which left
    // The sender's own tap saw an ACK for them that the exit tap did not see, and it is not known
    // to be the firewall's.
    bool told_elsewhere = false;
    // A RST or an ICMP error about it came back, from nobody beyond the exit tap, and the receiver
    // has been silent.
    bool refused = false;
    // Other bytes never left in several copies, nothing of this way has left since, and the
    // receiver has answered nothing.
    bool way_blocked = false;
};

struct Decision {
    bool concluded = false;
    bool tell = true;  // false: passed in other packets, nothing to tell
    FactKind kind = FactKind::unproven;
    Grade grade = Grade::unproven;
    Proof proof = Proof::nothing_decides;
    bool single_fault = false;
};

[[nodiscard]] Decision decide(const LossFacts& facts);

}  // namespace tw::taps
