// SPDX-License-Identifier: BSD-3-Clause
// Two sums over a whole simulation: the bytes that the capture provably missed, held against what
// the product says it missed; and the losses that were to be seen, held against its episodes.
#pragma once

#include <vector>

#include "simulation/score.hpp"

namespace tw::sim {

// A missed byte, exactly: a position at or above the first captured segment of its direction
//   - of which a copy passed the tap uncaptured and arrived at R,
//   - which a captured ACK or SACK of R covers,
//   - before any copy of it was captured.
// The FIN's number counts like a byte, since nothing tells them apart. Where a copy is captured
// within the skew that two directions of a capture may have, or the ACK before the direction's
// first segment, both answers hold (`optional`).
struct ProvableMiss {
    Way way;
    Span part;
    bool optional = false;
    Nanos time = 0;  // the ACK's
};
[[nodiscard]] std::vector<ProvableMiss> provable_misses(const Ground& ground);

void score_missed_bytes(const Ground& ground, const Findings& findings,
                        const std::vector<ProvableMiss>& misses, Score& out);
void score_recall(const Ground& ground, const Findings& findings, Score& out);

}  // namespace tw::sim
