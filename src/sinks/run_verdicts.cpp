// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/run_verdicts.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "sinks/format/human.hpp"
#include "sinks/pattern_text.hpp"

namespace tw::sinks {
namespace {

using format::bytes_text;
using format::count_of;
using format::count_text;
using format::percent_text;

// "server side 1.31 % (17,520 bytes in 12 segments)"
[[nodiscard]] std::string stretch_text(std::string_view side, const verdict::Stretch& stretch) {
    std::string text =
        fmt::format("{} side {}", side, percent_text(stretch.bytes_lost, stretch.bytes_offered));
    if (stretch.bytes_lost != 0) {
        text += fmt::format(" ({} in {})", bytes_text(stretch.bytes_lost),
                            count_of(std::max<std::uint64_t>(stretch.segments_lost, 1), "segment"));
    }
    return text;
}

}  // namespace

RunVerdicts run_verdicts(const verdict::Settler& settler) {
    RunVerdicts run;
    run.paths = settler.paths().total();
    std::array<const verdict::HostSum*, kWorstMax> hosts{};
    const std::size_t hosts_count = settler.paths().worst(hosts);
    for (std::size_t i = 0; i < hosts_count; ++i) {
        run.hosts.push_back(*hosts[i]);
    }
    std::array<const verdict::Service*, kWorstMax> services{};
    const std::size_t services_count = settler.patterns().services().worst(services);
    for (std::size_t i = 0; i < services_count; ++i) {
        if (services[i]->bad() != 0) {
            run.services.push_back(*services[i]);
        }
    }
    for (const verdict::Service& service : settler.patterns().services().all()) {
        run.silent_services += service.bad() == 0 && service.unanswered != 0 ? 1U : 0U;
    }
    for (const auto patterns : {settler.patterns().of_run(), settler.patterns().of_intervals()}) {
        run.patterns.insert(run.patterns.end(), patterns.begin(), patterns.end());
    }
    return run;
}

std::string missed_text(const verdict::CaptureSum& capture) {
    if (capture.bytes_missed == 0) {
        return {};
    }
    return fmt::format("missed {}: {} in {} that the receivers have",
                       percent_text(capture.bytes_missed, capture.bytes_delivered),
                       bytes_text(capture.bytes_missed),
                       count_of(std::max<std::uint64_t>(capture.segments_missed, 1), "segment"));
}

std::string lost_text(const verdict::PathSum& paths, std::uint64_t never_recovered) {
    const std::uint64_t bytes = paths.client_side.bytes_lost + paths.server_side.bytes_lost;
    const std::uint64_t segments =
        paths.client_side.segments_lost + paths.server_side.segments_lost;
    const std::uint64_t acks = paths.client_side.acks_lost + paths.server_side.acks_lost;
    std::string text;
    if (bytes != 0) {
        text = fmt::format("lost: {}, {}", stretch_text("client", paths.client_side),
                           stretch_text("server", paths.server_side));
        if (never_recovered >= bytes) {
            text += "; never recovered";
        } else if (never_recovered != 0) {
            text += fmt::format("; {} of them never recovered", bytes_text(never_recovered));
        }
    } else if (segments != 0) {
        text = fmt::format("lost: {} without data", count_of(segments, "segment"));
    }
    if (acks != 0) {
        text +=
            fmt::format("{}{} lost", text.empty() ? "no data lost; " : "; ", count_of(acks, "ACK"));
    }
    return text;
}

std::string causes_text(const VerdictTotal& total) {
    std::string text;
    for (const event::CauseInfo& cause : event::cause_table()) {
        const std::uint64_t count = total.causes[static_cast<std::size_t>(cause.id)];
        if (count == 0 || cause.id == event::Cause::none) {
            continue;
        }
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", format::spoken(cause.name),
                            count_text(count));
    }
    return text;
}

std::string silent_text(std::uint64_t services) {
    return count_of(services, "service") + " left a SYN without answer";
}

std::vector<std::string> verdict_lines(const RunVerdicts& verdicts,
                                       const std::array<std::uint64_t, event::kVerdicts>& counts) {
    constexpr std::size_t kNamed = 3;
    std::vector<std::string> lines;
    std::string told;
    for (const event::VerdictInfo& info : event::verdict_table()) {
        const std::uint64_t count = counts[static_cast<std::size_t>(info.id)];
        if (count != 0 && info.id != event::Verdict::none) {
            told += fmt::format("{}{} {}", told.empty() ? "" : ", ", info.words, count_text(count));
        }
    }
    lines.push_back("verdicts: " + (told.empty() ? "none, no episode was seen" : told));
    const std::string missed = missed_text(verdicts.paths.capture);
    lines.push_back("capture: " +
                    (missed.empty() ? "nothing that was acknowledged is missing" : missed));
    const std::string lost = lost_text(verdicts.paths);
    lines.push_back("network: " +
                    (lost.empty() ? "no loss on either side of the taps is known" : lost));
    for (std::size_t i = 0; i < std::min(verdicts.services.size(), kNamed); ++i) {
        lines.push_back("service: " + service_text(verdicts.services[i]));
    }
    if (verdicts.silent_services != 0) {
        lines.push_back(silent_text(verdicts.silent_services));
    }
    for (std::size_t i = 0; i < std::min(verdicts.patterns.size(), kNamed); ++i) {
        lines.push_back("in common: " + pattern_text(verdicts.patterns[i]));
    }
    return lines;
}

}  // namespace tw::sinks
