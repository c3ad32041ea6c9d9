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

std::string missed_text(const verdict::CaptureSum& capture) {
    if (capture.bytes_missed == 0) {
        return {};
    }
    return fmt::format("missed {}: {} in {} that the receivers have",
                       percent_text(capture.bytes_missed, capture.bytes_delivered),
                       bytes_text(capture.bytes_missed),
                       count_of(std::max<std::uint64_t>(capture.segments_missed, 1), "segment"));
}

std::string lost_text(const verdict::PathSum& paths) {
    const std::uint64_t bytes = paths.client_side.bytes_lost + paths.server_side.bytes_lost;
    const std::uint64_t segments =
        paths.client_side.segments_lost + paths.server_side.segments_lost;
    const std::uint64_t acks = paths.client_side.acks_lost + paths.server_side.acks_lost;
    std::string text;
    if (bytes != 0) {
        text = fmt::format("lost: {}, {}", stretch_text("client", paths.client_side),
                           stretch_text("server", paths.server_side));
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
        std::string words(cause.name);
        std::replace(words.begin(), words.end(), '_', ' ');
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", words, count_text(count));
    }
    return text;
}

std::string service_text(const verdict::Service& service) {
    std::string text = format::endpoint_text(service.server) + ": ";
    if (service.hung != 0) {
        text += fmt::format("{} of {} hung", count_text(service.hung),
                            count_of(service.conversations, "conversation"));
    }
    if (service.suffered != 0) {
        text += service.hung != 0 ? fmt::format(", {} suffered", count_text(service.suffered))
                                  : fmt::format("{} of {} suffered", count_text(service.suffered),
                                                count_of(service.conversations, "conversation"));
    }
    return text;
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
        lines.push_back("service " + service_text(verdicts.services[i]));
    }
    for (std::size_t i = 0; i < std::min(verdicts.patterns.size(), kNamed); ++i) {
        lines.push_back("in common: " + pattern_text(verdicts.patterns[i]));
    }
    return lines;
}

}  // namespace tw::sinks
