// SPDX-License-Identifier: BSD-3-Clause
// Bytes to Decoded. Walks the headers of one frame, at most kLayersMax of them, until it holds a
// TCP header or a named reason why there is none. Reads headers only, never payload, and never past
// the captured bytes.
#pragma once

#include "core/decode/decoded.hpp"
#include "core/frame.hpp"
#include "core/options.hpp"
#include "core/stats/counters.hpp"

namespace tw::decode {

// Fills `out` and adds out.outcome to the counters, exactly once per frame, and the counters of the
// frame's properties. Where the outcome is not decoded_segments only `outcome`, `layers` and `v6`
// of `out` have a meaning.
void decode(const Frame& frame, const DecodeOptions& options, stats::Counters& counters,
            Decoded& out);

}  // namespace tw::decode
