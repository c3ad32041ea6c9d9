// SPDX-License-Identifier: BSD-3-Clause
// What is left of a finding when the ledger holds something against the capture in its time. What
// was captured stays captured: a verdict that rests on frames seen on both sides of its claim
// stands; one that rests on a frame's absence, or on times, does not.
#pragma once

#include "core/event/capture_marks.hpp"
#include "core/event/verdict.hpp"

namespace tw::verdict {

// Faults by which frames may be missing, or may seem late; `forward` is no such thing.
[[nodiscard]] bool casts_doubt(event::CaptureFaults faults);
// Frames were lost, or nobody told. A driver that does not count (`uncounted`) is no worse than a
// capture file, which says nothing either; that the poller was away (`stall`) makes times late, and
// together nobody knows what was lost meanwhile.
[[nodiscard]] bool may_lack_frames(event::CaptureFaults faults);

[[nodiscard]] event::Finding under_faults(const event::Finding& finding,
                                          event::CaptureFaults faults);

// Not proven any more: the capture may have missed what would say otherwise.
void make_probable(event::Finding& finding);

}  // namespace tw::verdict
