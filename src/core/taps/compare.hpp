// SPDX-License-Identifier: BSD-3-Clause
// One packet at both taps: what was rewritten in between, and which of it is an error.
#pragma once

#include "core/taps/evidence.hpp"
#include "core/taps/pair.hpp"
#include "core/taps/rewrite.hpp"

namespace tw::taps {

[[nodiscard]] RewriteSet compare(const Pair& pair);

// Errors among them, as facts: every altered payload; of lost congestion marks and untranslated
// SACK blocks the first of each way of a conversation, since `told` keeps them (one bit each, two
// per way) and Passage counts all.
void tell_errors(const Pair& pair, RewriteSet changed, std::uint8_t& told, const Witnessed& of,
                 FactSink& sink);

// A fact about a pair, everything but what it says of it.
[[nodiscard]] Fact fact_of(const Packet& entered, const Packet& left, Way way);
// Adds a packet to a fact's citations; one more than there is room for is left out.
void cite(Fact& fact, const Packet& packet, Part part);

}  // namespace tw::taps
