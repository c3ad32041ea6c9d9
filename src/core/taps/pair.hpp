// SPDX-License-Identifier: BSD-3-Clause
// One packet at both taps, as the engine found it, and what it knows of it beside the two headers.
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "core/taps/packet.hpp"
#include "core/taps/side.hpp"

namespace tw::taps {

struct Pair {
    const Packet& entered;
    const Packet& left;
    Way way = Way::inward;
    // How the conversation's numbers are rewritten: number as it left less as it entered, of what
    // this way sends and of what it acknowledges.
    std::uint32_t seq_shift = 0;
    std::uint32_t ack_shift = 0;
    bool shifts_known = false;
    bool address_changed = false;  // the conversation's, between the taps
    bool port_changed = false;
    bool ack_matched = true;  // false: found without regard to what it acknowledges
    // False: another packet that waited had the same key, which of them this one is, is a guess.
    bool alone = true;
    bool others_wait = false;      // such another still waits: it may be this one
    bool exact = true;             // alike in all that is compared, but for the identification
    std::uint8_t timed_class = 0;  // of the conversation; 0 = none
    bool out_of_order = false;     // at the entry tap: a repeat, or behind a gap
    Nanos idle = 0;  // from the last packet of the conversation that left to this one; 0 = none
};

}  // namespace tw::taps
