// SPDX-License-Identifier: BSD-3-Clause
#include "core/event/capture_marks.hpp"

#include <algorithm>

namespace tw::event {
namespace {

constexpr CaptureFaultInfo kFaults[] = {
    {CaptureFault::loss, "loss", "frames were lost between the wire and the analysis"},
    {CaptureFault::uncounted, "uncounted",
     "the driver of the port does not count all it loses, so nothing can be ruled out"},
    {CaptureFault::link, "link", "the link of the port was down or changed"},
    {CaptureFault::stall, "stall",
     "the thread that polls the port was away: times are late, and frames may be lost"},
    {CaptureFault::forward, "forward",
     "inline: the monitor itself did not send on all frames it received"},
    {CaptureFault::unknown, "unknown", "the ledger did not tell in time"},
};

}  // namespace

std::span<const CaptureFaultInfo> capture_fault_table() {
    return kFaults;
}

void CaptureMarks::add(const CaptureMark& mark) {
    told_until_ = std::max(told_until_, mark.until);
    const bool clean = std::all_of(mark.faults.begin(), mark.faults.end(),
                                   [](CaptureFaults faults) { return faults.empty(); });
    if (clean) {
        return;
    }
    if (count_ != 0) {
        CaptureMark& last = stretches_[count_ - 1];
        if (last.until >= mark.from && last.faults == mark.faults) {
            last.until = std::max(last.until, mark.until);
            return;
        }
    }
    if (count_ == kStretchesMax) {
        make_room();
    }
    stretches_[count_++] = mark;
}

void CaptureMarks::make_room() {
    std::uint32_t closest = 0;
    for (std::uint32_t i = 1; i + 1 < count_; ++i) {
        const auto gap = [this](std::uint32_t at) {
            return stretches_[at + 1].from - stretches_[at].until;
        };
        closest = gap(i) < gap(closest) ? i : closest;
    }
    CaptureMark& kept = stretches_[closest];
    const CaptureMark& next = stretches_[closest + 1];
    kept.until = std::max(kept.until, next.until);
    for (std::size_t tap = 0; tap < kept.faults.size(); ++tap) {
        kept.faults[tap] |= next.faults[tap];
    }
    std::copy(stretches_.begin() + closest + 2, stretches_.begin() + count_,
              stretches_.begin() + closest + 1);
    --count_;
}

CaptureFaults CaptureMarks::between(Nanos from, Nanos until, std::uint8_t tap) const {
    CaptureFaults faults;
    for (std::uint32_t i = count_; i-- > 0 && stretches_[i].until >= from;) {
        if (stretches_[i].from <= until) {
            faults |= stretches_[i].faults[tap];
        }
    }
    return faults;
}

}  // namespace tw::event
