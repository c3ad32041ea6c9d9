// SPDX-License-Identifier: BSD-3-Clause
// What all connections of a run add up to, as plain values, and the phrases that `read` and `run`
// tell it in: how much the capture missed, what was lost on which side of the tap, verdict by
// verdict.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/event/event.hpp"
#include "core/verdict/path_sums.hpp"
#include "core/verdict/pattern.hpp"
#include "core/verdict/services.hpp"
#include "core/verdict/settler.hpp"

namespace tw::sinks {

struct RunVerdicts {
    verdict::PathSum paths;
    std::vector<verdict::HostSum> hosts;     // those with losses, the worst first
    std::vector<verdict::Service> services;  // those where something hung or suffered, idem
    std::uint64_t silent_services = 0;       // others, that left a SYN without answer
    std::vector<verdict::Pattern> patterns;  // of the run, then of its latest intervals
};
// At most so many hosts, and services.
inline constexpr std::size_t kWorstMax = 20;
[[nodiscard]] RunVerdicts run_verdicts(const verdict::Settler& settler);

// Episodes by what they mean.
struct VerdictTotal {
    std::uint64_t episodes = 0;
    std::uint64_t bytes = 0;
    std::uint64_t proven = 0;
    std::array<std::uint64_t, event::kCauses> causes{};  // index: event::Cause
};
using VerdictTotals = std::array<VerdictTotal, event::kVerdicts>;  // index: event::Verdict

// "missed 0.20 %: 12,345 bytes in 9 segments that the receivers have"; empty if it missed nothing.
[[nodiscard]] std::string missed_text(const verdict::CaptureSum& capture);
// "lost: client side 0 %, server side 1.31 % (17,520 bytes in 12 segments); 1,010 bytes of them
// never recovered; 3 ACKs lost"; empty if nothing was lost.
[[nodiscard]] std::string lost_text(const verdict::PathSum& paths,
                                    std::uint64_t never_recovered = 0);
// "sender silent 3, capture ended 1", for the causes that occur; empty if none is known.
[[nodiscard]] std::string causes_text(const VerdictTotal& total);
// "19 services left a SYN without answer"
[[nodiscard]] std::string silent_text(std::uint64_t services);

// The same for the end of a live run, a line each: verdicts counted, capture, network, the worst
// services, what they have in common. index of `counts`: event::Verdict
[[nodiscard]] std::vector<std::string> verdict_lines(
    const RunVerdicts& verdicts, const std::array<std::uint64_t, event::kVerdicts>& counts);

}  // namespace tw::sinks
