// SPDX-License-Identifier: BSD-3-Clause
// The first lines of the summary, fit for a ticket: what was captured, is the capture to be
// trusted, what was lost where, who had the trouble, the worst of it, what it has in common.
#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>

#include "sinks/finding_text.hpp"
#include "sinks/format/human.hpp"
#include "sinks/pattern_text.hpp"
#include "sinks/summary_sections.hpp"

namespace tw::sinks {
namespace {

using event::Resolution;
using event::Verdict;
using event::words;
using format::count_of;
using format::count_text;
using format::Page;
using format::Tone;
using stats::Counter;

[[nodiscard]] std::string title(const SummaryInput& input) {
    const CaptureRun& run = input.run;
    std::string name = run.files.empty() ? "no file" : format::printable(run.files[0].path);
    if (run.files.size() > 1) {
        name = fmt::format("{} and {} more", name, count_of(run.files.size() - 1, "file"));
    }
    std::string text =
        fmt::format("{}: {}, {}", name, count_of(input.count(Counter::frames), "frame"),
                    count_of(input.summary.connections().connections, "connection"));
    if (run.timed) {
        text +=
            fmt::format(", {} from {}", format::duration_text(format::elapsed(run.first, run.last)),
                        format::date_text(run.first));
    }
    return text;
}

// "Capture    good: ...", wrapped under its text.
void write_line(Page& page, std::string_view label, const std::string& text,
                Tone tone = Tone::plain) {
    constexpr std::size_t kLabelWidth = 11;
    page.paragraph(fmt::format("{:<{}}{}", label, kLabelWidth, text), 0, kLabelWidth, tone);
}

// "sent again needlessly 3, receiver limited 1", of those that occur.
[[nodiscard]] std::string counts_text(const SummaryInput& input,
                                      std::initializer_list<Verdict> verdicts) {
    std::string text;
    for (const Verdict verdict : verdicts) {
        if (const std::uint64_t episodes = input.verdict(verdict).episodes; episodes != 0) {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", words(verdict),
                                count_text(episodes));
        }
    }
    return text;
}

// Everything that says that frames are absent from the capture, apart from what the network lost.
void write_capture_line(Page& page, const SummaryInput& input) {
    const std::optional<std::uint64_t> dropped = dropped_packets(input.run);
    const std::string missed = missed_text(input.verdicts.paths.capture);
    std::string text = missed;
    if (const std::string causes = causes_text(input.verdict(Verdict::missed_by_capture));
        !causes.empty() && !missed.empty()) {
        text += fmt::format(" (holes by cause: {})", causes);
    }
    if (dropped.value_or(0) != 0) {
        text += fmt::format("{}dropped {}, as the file says", text.empty() ? "" : "; ",
                            count_of(*dropped, "packet"));
    }
    const bool good = text.empty() && !input.sight_lost();
    const Tone tone = good ? Tone::good : text.empty() ? Tone::strong : Tone::bad;
    if (good) {
        text = dropped ? "good: nothing that was acknowledged is missing, no drops were counted"
                       : "good: nothing that was acknowledged is missing";
    } else if (text.empty()) {
        text = "no miss was found, but not everything could be followed: see \"Limits reached\"";
    }
    // Faults of the mirror that take nothing away.
    if (const std::string faults =
            counts_text(input, {Verdict::duplicated_by_mirror, Verdict::reordered_in_capture});
        !faults.empty()) {
        text += "; " + faults;
    }
    write_line(page, "Capture", text, tone);
}

[[nodiscard]] std::uint64_t network_losses(const SummaryInput& input) {
    std::uint64_t episodes = 0;
    for (const event::VerdictInfo& info : event::verdict_table()) {
        episodes += info.network_loss ? input.verdict(info.id).episodes : 0;
    }
    return episodes;
}

void write_network_line(Page& page, const SummaryInput& input) {
    const ConnectionTotals& connections = input.summary.connections();
    if (connections.one_sided * 2 > connections.connections) {
        write_line(page, "Network",
                   fmt::format("cannot be judged: {} of {} captured in one direction only",
                               count_text(connections.one_sided),
                               count_of(connections.connections, "connection")),
                   Tone::bad);
        return;
    }
    const std::string text =
        lost_text(input.verdicts.paths, input.verdict(Verdict::never_recovered).bytes);
    if (!text.empty()) {
        write_line(page, "Network", text, Tone::bad);
        return;
    }
    if (network_losses(input) != 0) {
        write_line(page, "Network",
                   fmt::format("{} without data lost", count_of(network_losses(input), "segment")),
                   Tone::bad);
        return;
    }
    const std::uint64_t open =
        input.verdict(Verdict::unknown).episodes + input.summary.not_judged();
    write_line(page, "Network",
               open != 0 || input.sight_lost() ? "no loss is certain on either side of the tap"
                                               : "good: nothing was lost on either side of the tap",
               open != 0 || input.sight_lost() ? Tone::strong : Tone::good);
}

void write_services_line(Page& page, const SummaryInput& input) {
    constexpr std::size_t kNamed = 2;
    const std::vector<verdict::Service>& services = input.verdicts.services;
    std::string text;
    const auto add = [&text](const std::string& more) {
        text += (text.empty() ? "" : "; ") + more;
    };
    for (std::size_t i = 0; i < std::min(services.size(), kNamed); ++i) {
        add(service_text(services[i]));
    }
    if (services.size() > kNamed) {
        add(count_of(services.size() - kNamed, "more service"));
    }
    if (input.verdicts.silent_services != 0) {
        add(silent_text(input.verdicts.silent_services));
    }
    if (!text.empty()) {
        write_line(page, "Services", text);
    }
}

void write_worst_line(Page& page, const SummaryInput& input) {
    if (const auto worst = input.summary.worst_episode()) {
        write_line(page, "Worst",
                   fmt::format("stream {}, {}: {}", worst->flow.stream,
                               format::offset_text(format::elapsed(input.run.first, worst->time)),
                               finding_text(*worst)));
    }
}

// What is neither a loss nor a matter of the capture, and may be why one looks at all.
void write_also_line(Page& page, const SummaryInput& input) {
    const std::string text = counts_text(
        input, {Verdict::reordered_before_tap, Verdict::spurious_retransmission,
                Verdict::duplicated_in_network, Verdict::sequence_overshoot,
                Verdict::syn_unanswered, Verdict::rst_by_third_party, Verdict::receiver_limited});
    if (!text.empty()) {
        write_line(page, "No loss", text);
    }
}

void write_unknown_line(Page& page, const SummaryInput& input) {
    const VerdictTotal& unknown = input.verdict(Verdict::unknown);
    if (unknown.episodes == 0) {
        return;
    }
    write_line(page, "Unknown",
               fmt::format("{} of {}: {}", count_text(unknown.episodes),
                           count_of(input.summary.episodes(), "episode"), causes_text(unknown)));
}

void write_warnings(Page& page, const SummaryInput& input) {
    for (const CaptureFile& file : input.run.files) {
        if (file.warning) {
            page.paragraph("Warning: " + format::printable(*file.warning), 0, 0, Tone::bad);
        }
    }
    if (input.run.interrupted) {
        page.paragraph("Stopped by the operator: this covers the frames read so far.", 0, 0,
                       Tone::bad);
    }
}

}  // namespace

std::uint64_t SummaryInput::missing_bytes() const {
    const std::uint64_t episodes = hole(Resolution::acknowledged_unseen).bytes +
                                   hole(Resolution::never).bytes +
                                   hole(Resolution::unknown_limit).bytes;
    return std::max(episodes, summary.connections().missing_bytes);
}

bool SummaryInput::sight_lost() const {
    return summary.connections().details_lost != 0 || count(Counter::flows_refused) != 0 ||
           count(Counter::flows_evicted_established) != 0 ||
           count(Counter::details_exhausted) != 0 || count(Counter::events_dropped) != 0 ||
           count(Counter::flow_records_dropped) != 0;
}

void write_answer(Page& page, const SummaryInput& input) {
    page.line(title(input), Tone::strong);
    if (!input.run.filter.empty()) {
        page.paragraph(
            fmt::format(
                "Filter: {} ({} of {} match)", format::printable(input.run.filter),
                count_text(input.count(Counter::frames) - input.count(Counter::decode_filtered)),
                count_of(input.count(Counter::frames), "frame")),
            0, 2);
    }
    if (input.count(Counter::decoded_segments) == 0) {
        page.paragraph("No TCP segment was found.", 0, 0, Tone::strong);
        write_warnings(page, input);
        return;
    }
    write_capture_line(page, input);
    write_network_line(page, input);
    write_services_line(page, input);
    if (!input.verdicts.patterns.empty()) {
        write_line(page, "In common", pattern_text(input.verdicts.patterns.front()));
    }
    write_worst_line(page, input);
    write_also_line(page, input);
    write_unknown_line(page, input);
    write_warnings(page, input);
}

}  // namespace tw::sinks
