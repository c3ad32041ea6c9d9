// SPDX-License-Identifier: BSD-3-Clause
// Parts of summary_text, each in a file of its own. Not for use elsewhere.
#pragma once

#include "sinks/summary_text.hpp"

namespace tw::sinks {

struct SummaryInput {
    const Summary& summary;
    const CaptureRun& run;
    const stats::Counters& counters;
    const RunVerdicts& verdicts;

    [[nodiscard]] std::uint64_t count(stats::Counter counter) const {
        return counters.get(counter);
    }
    // In no captured frame. Episodes may lack bytes that a limit kept from being followed; records
    // count them.
    [[nodiscard]] std::uint64_t missing_bytes() const;
    [[nodiscard]] const VerdictTotal& verdict(event::Verdict verdict) const {
        return summary.verdicts()[static_cast<std::size_t>(verdict)];
    }
    // Something was not followed: nothing can be called whole, and sums are lower bounds.
    [[nodiscard]] bool sight_lost() const;
    [[nodiscard]] const EpisodeTotal& hole(event::Resolution resolution) const {
        return summary.holes()[static_cast<std::size_t>(resolution)];
    }
};

void write_answer(format::Page& page, const SummaryInput& input);    // summary_answer.cpp
void write_verdicts(format::Page& page, const SummaryInput& input);  // summary_verdicts.cpp
void write_services(format::Page& page, const SummaryInput& input);  // summary_verdicts.cpp
void write_patterns(format::Page& page, const SummaryInput& input);  // summary_verdicts.cpp
void write_capture(format::Page& page, const SummaryInput& input);   // summary_capture.cpp
void write_limits(format::Page& page, const SummaryInput& input);    // summary_capture.cpp
void write_advice(format::Page& page, const SummaryInput& input);    // summary_advice.cpp

}  // namespace tw::sinks
