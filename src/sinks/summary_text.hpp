// SPDX-License-Identifier: BSD-3-Clause
// The summary `read` prints for people. Its first lines are the answer, fit for a ticket: is the
// capture good, what was lost where, the worst of it, what it has in common. Then what that rests
// on: verdicts, services, connections, episodes, flags, the capture, limits, and what to try.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "core/stats/counters.hpp"
#include "sinks/format/page.hpp"
#include "sinks/summary.hpp"

namespace tw::sinks {

// What a capture file says of one of its interfaces; absent = it does not say.
struct CaptureInterface {
    std::string name{};       // may be empty
    std::string link_name{};  // "EN10MB"
    bool decoded = true;      // false: a link type that is not decoded
    std::uint64_t frames = 0;
    std::optional<std::uint64_t> dropped{};            // all losses admitted
    std::optional<std::uint64_t> dropped_interface{};  // of these, by the interface
    std::optional<std::uint64_t> dropped_os{};         // by the operating system
};

struct CaptureFile {
    std::string path{};
    std::string format{};  // "pcapng"
    std::uint64_t frames = 0;
    std::optional<std::string> warning{};  // ends early
    std::vector<CaptureInterface> interfaces{};
};

struct CaptureRun {
    std::vector<CaptureFile> files;
    std::string filter;        // empty = none
    bool interrupted = false;  // by the operator, before the end of the files
    std::uint32_t connections_max_v4 = 0;
    std::uint32_t connections_max_v6 = 0;
    bool timed = false;  // first and last are set
    Nanos first = 0;
    Nanos last = 0;
};

[[nodiscard]] std::string summary_text(const Summary& summary, const RunVerdicts& verdicts,
                                       const CaptureRun& run, const stats::Counters& counters,
                                       const format::PageStyle& style);

// One line per limit that was reached, with its effect; empty if none was.
[[nodiscard]] std::vector<std::string> limits_text(const CaptureRun& run,
                                                   const stats::Counters& counters);

// Packets lost by the capture itself, as its files admit. Absent if no file says anything.
[[nodiscard]] std::optional<std::uint64_t> dropped_packets(const CaptureRun& run);

}  // namespace tw::sinks
