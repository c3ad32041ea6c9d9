// SPDX-License-Identifier: BSD-3-Clause
// The flag rules: one segment against one connection, exactly as tshark 4.0.17 decides in a single
// pass (no IP reassembly, upper protocols off). Facts only; what they mean is for episodes and
// verdicts. Section numbers in analysis.cpp are those of the order in which tshark decides:
// look-up and SYN rules, windows, unseen ACKs, repeats, state, options.
#pragma once

#include "core/decode/decoded.hpp"
#include "core/flow/flow.hpp"
#include "core/stats/counters.hpp"
#include "core/tcp/flags.hpp"
#include "core/tcp/flight.hpp"

namespace tw::tcp {

// What a connection is to the segment at hand.
enum class Meeting : std::uint8_t {
    created,  // the segment created it
    reused,   // the segment is a SYN that replaced it
    known,
};

// State of the connection that few connections have, and what the segment adds to it.
struct Extras {
    // The unacknowledged segments of both sides, where followed (AnalysisOptions::exact_flight).
    FlightPool* flight_pool = nullptr;
    Flight* flight = nullptr;  // array of two
    // Multipath TCP (RFC 8684): the option kinds seen on the connection are no longer those of this
    // side's previous segment. A duplicate ACK may then only carry options, so it is none.
    bool mptcp_changed = false;
    std::uint16_t mptcp_kinds = 0;  // out: kinds this segment carries, one bit per subtype
};

// True if this is a SYN with another initial sequence number than its side's: the caller must
// replace the connection by a fresh record before judge().
[[nodiscard]] bool replaces_connection(const decode::Segment& segment, std::uint8_t sender,
                                       const flow::Flow& flow, const flow::ColdFlow& cold);

// Moves the connection's state and returns the flags. `flow.completeness` before the call is what
// tshark prints with the segment.
[[nodiscard]] FlagSet judge(const decode::Segment& segment, std::uint8_t sender, Nanos now,
                            Meeting meeting, flow::Flow& flow, flow::ColdFlow& cold, Extras& extras,
                            stats::Counters& counters);

}  // namespace tw::tcp
