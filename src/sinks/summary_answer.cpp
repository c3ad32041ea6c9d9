// SPDX-License-Identifier: BSD-3-Clause
// The first lines of the summary: is anything missing, and is the capture to be trusted.
#include <fmt/core.h>

#include <algorithm>

#include "sinks/format/human.hpp"
#include "sinks/summary_sections.hpp"

namespace tw::sinks {
namespace {

using event::Resolution;
using format::bytes_text;
using format::count_of;
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

[[nodiscard]] std::uint64_t holes_open(const SummaryInput& input) {
    return input.hole(Resolution::acknowledged_unseen).episodes +
           input.hole(Resolution::never).episodes + input.hole(Resolution::unknown_limit).episodes;
}

// Something was not followed, so "nothing is missing" cannot be said and sums are lower bounds.
[[nodiscard]] bool sight_lost(const SummaryInput& input) {
    return input.summary.connections().details_lost != 0 ||
           input.count(Counter::flows_refused) != 0 ||
           input.count(Counter::flows_evicted_established) != 0 ||
           input.count(Counter::details_exhausted) != 0 ||
           input.count(Counter::events_dropped) != 0 ||
           input.count(Counter::flow_records_dropped) != 0;
}

// "All of them were", "1,010 bytes of them were"
[[nodiscard]] std::string share_text(std::uint64_t part, std::uint64_t whole) {
    if (part >= whole) {
        return whole == 1 ? "It was" : "All of them were";
    }
    return fmt::format("{} of them {}", bytes_text(part), part == 1 ? "was" : "were");
}

void write_missing(Page& page, const SummaryInput& input) {
    const ConnectionTotals& totals = input.summary.connections();
    const std::uint64_t missing = input.missing_bytes();
    if (missing == 0) {
        if (sight_lost(input)) {
            page.paragraph(
                "No missing bytes were found, but not everything could be followed: see "
                "\"Limits reached\".",
                0, 0, Tone::strong);
            return;
        }
        page.paragraph(
            "No bytes are missing: whatever was sent on a connection between the first and the "
            "last segment seen of it was captured.",
            0, 0, Tone::good);
        return;
    }
    page.paragraph(
        fmt::format("{}{} missing: {} in {} of {}.", sight_lost(input) ? "At least " : "",
                    bytes_text(missing) + (missing == 1 ? " is" : " are"),
                    count_of(holes_open(input), "hole"),
                    format::count_text(std::max<std::uint64_t>(totals.with_missing, 1)),
                    count_of(totals.connections, "connection")),
        0, 0, Tone::bad);
    const std::uint64_t acked = input.hole(Resolution::acknowledged_unseen).bytes;
    const std::uint64_t never = input.hole(Resolution::never).bytes;
    if (acked != 0) {
        page.paragraph(fmt::format("{} acknowledged: the receivers have them, this capture missed "
                                   "them.",
                                   share_text(acked, missing)),
                       0, 0);
    }
    if (const std::uint64_t fins = input.summary.fins_possible(); fins != 0) {
        page.paragraph(fmt::format("{} may be a FIN, which takes a sequence number but is no data.",
                                   fins == 1 ? "The last byte of one hole"
                                             : fmt::format("The last byte of {} holes",
                                                           format::count_text(fins))),
                       0, 0);
    }
    if (never != 0) {
        page.paragraph(fmt::format("{} never seen at all: neither captured nor acknowledged.",
                                   share_text(never, missing)),
                       0, 0);
    }
}

void write_later(Page& page, const SummaryInput& input) {
    const EpisodeTotal& filled = input.hole(Resolution::filled);
    const EpisodeTotal& after_ack = input.hole(Resolution::filled_after_ack);
    const std::uint64_t holes = filled.episodes + after_ack.episodes;
    if (holes != 0) {
        page.paragraph(
            fmt::format("{} ({}) {} captured later: sent again, or out of order.",
                        count_of(holes, input.missing_bytes() != 0 ? "other hole" : "hole"),
                        bytes_text(filled.bytes + after_ack.bytes), holes == 1 ? "was" : "were"),
            0, 0);
    }
    EpisodeTotal repeats;
    for (const EpisodeTotal& total : input.summary.repeats()) {
        repeats.episodes += total.episodes;
        repeats.segments += total.segments;
        repeats.bytes += total.bytes;
    }
    if (repeats.episodes != 0) {
        page.paragraph(fmt::format("{} ({}) {} sent again although captured before.",
                                   count_of(repeats.segments, "segment"), bytes_text(repeats.bytes),
                                   repeats.segments == 1 ? "was" : "were"),
                       0, 0);
    }
}

// Everything that says that frames are absent from the capture, apart from what the network lost.
void write_trust(Page& page, const SummaryInput& input) {
    const std::optional<std::uint64_t> dropped = dropped_packets(input.run);
    bool good = input.hole(Resolution::acknowledged_unseen).bytes == 0;
    if (dropped.value_or(0) != 0) {
        page.paragraph(
            fmt::format("The capture admits that it dropped {}: any of the missing bytes "
                        "may be among them.",
                        count_of(*dropped, "packet")),
            0, 0, Tone::bad);
        good = false;
    }
    for (const CaptureFile& file : input.run.files) {
        if (file.warning) {
            page.paragraph("Warning: " + format::printable(*file.warning), 0, 0, Tone::bad);
            good = false;
        }
    }
    if (input.run.interrupted) {
        page.paragraph("Stopped by the operator: what follows covers the frames read so far.", 0, 0,
                       Tone::bad);
        good = false;
    }
    if (good) {
        page.paragraph(dropped ? "No sign that the capture lost packets; it counted none itself."
                               : "No sign that the capture lost packets.",
                       0, 0);
    }
}

}  // namespace

std::uint64_t SummaryInput::missing_bytes() const {
    const std::uint64_t episodes = hole(Resolution::acknowledged_unseen).bytes +
                                   hole(Resolution::never).bytes +
                                   hole(Resolution::unknown_limit).bytes;
    return std::max(episodes, summary.connections().missing_bytes);
}

void write_answer(Page& page, const SummaryInput& input) {
    page.line(title(input), Tone::strong);
    if (!input.run.filter.empty()) {
        page.paragraph(
            fmt::format("Filter: {} ({} of {} match)", format::printable(input.run.filter),
                        format::count_text(input.count(Counter::frames) -
                                           input.count(Counter::decode_filtered)),
                        count_of(input.count(Counter::frames), "frame")),
            0, 2);
    }
    page.blank();
    if (input.count(Counter::decoded_segments) == 0) {
        page.paragraph("No TCP segment was found.", 0, 0, Tone::strong);
        write_trust(page, input);
        return;
    }
    write_missing(page, input);
    write_later(page, input);
    write_trust(page, input);
}

}  // namespace tw::sinks
