// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/summary_text.hpp"

#include <fmt/core.h>

#include "sinks/episode_text.hpp"
#include "sinks/finding_text.hpp"
#include "sinks/format/human.hpp"
#include "sinks/summary_sections.hpp"

namespace tw::sinks {
namespace {

using event::Resolution;
using format::count_text;
using format::Page;
using format::Table;

// In the order of how much they hurt.
constexpr std::array kHoleOrder{Resolution::acknowledged_unseen, Resolution::never,
                                Resolution::unknown_limit, Resolution::filled,
                                Resolution::filled_after_ack};
constexpr std::array kRepeatOrder{Resolution::acknowledged, Resolution::acknowledged_before,
                                  Resolution::never, Resolution::unknown_limit};

// How many of the worst episodes are listed when there are too many to list all.
constexpr std::size_t kEpisodesListed = 10;

void write_holes(Page& page, const Summary& summary) {
    Table table(">><");
    table.row({"holes", "bytes", ""});
    bool any = false;
    for (const Resolution resolution : kHoleOrder) {
        const EpisodeTotal& total = summary.holes()[static_cast<std::size_t>(resolution)];
        if (total.episodes != 0) {
            table.row({count_text(total.episodes), count_text(total.bytes),
                       std::string(hole_words(resolution))});
            any = true;
        }
    }
    if (any) {
        page.heading("Holes");
        page.table(table, true);
    }
}

void write_repeats(Page& page, const Summary& summary) {
    Table table(">>><");
    table.row({"runs", "segments", "bytes", ""});
    bool any = false;
    for (const Resolution resolution : kRepeatOrder) {
        const EpisodeTotal& total = summary.repeats()[static_cast<std::size_t>(resolution)];
        if (total.episodes != 0) {
            table.row({count_text(total.episodes), count_text(total.segments),
                       count_text(total.bytes), std::string(repeat_words(resolution))});
            any = true;
        }
    }
    if (any) {
        page.heading("Sent again");
        page.table(table, true);
    }
}

void write_worst(Page& page, const Summary& summary) {
    const std::vector<WorstConnection> worst = summary.worst();
    if (worst.empty() || summary.connections().connections == 1) {
        return;
    }
    Table table("><>>>>");
    table.row({"stream", "client -> server", "lost", "missed", "unknown", "repeats"});
    for (const WorstConnection& connection : worst) {
        const event::FlowRecord& record = connection.record;
        const std::string at_least = record.details_lost || !record.outcomes_complete ? ">=" : "";
        table.row({std::to_string(record.flow.stream),
                   fmt::format("{} {} {}", format::endpoint_text(record.flow.client),
                               record.client_known ? "->" : "--",
                               format::endpoint_text(record.flow.server)),
                   at_least + count_text(connection.lost_bytes),
                   at_least + count_text(connection.missed_bytes),
                   count_text(connection.unknown_bytes), count_text(connection.repeats)});
    }
    page.heading("Worst connections");
    page.table(table, true);
    page.paragraph(
        "Bytes lost by the network, missed by the capture, unknown; segments flagged as repeats. "
        "--: no SYN seen, the client is a guess. In Wireshark: tcp.stream eq N.",
        2, 2, format::Tone::faint);
}

void write_episodes(Page& page, const Summary& summary, Nanos start) {
    const std::vector<event::Event> events = summary.worst_episodes(kEpisodesListed);
    // The worst one is in the answer.
    if (events.empty() || (events.size() == 1 && summary.worst_episode())) {
        return;
    }
    const bool all = summary.episodes() == events.size();
    page.heading(all ? std::string("Episodes")
                     : fmt::format("The {} worst of {} episodes (all of them: --events OUT)",
                                   events.size(), count_text(summary.episodes())));
    for (const event::Event& event : events) {
        const std::string judged = finding_text(event);
        page.paragraph(
            fmt::format("{:>11}  stream {}: {}",
                        format::offset_text(format::elapsed(start, event.time)), event.flow.stream,
                        judged.empty() ? episode_text(event) : judged),
            2, 15);
    }
}

void write_flags(Page& page, const Summary& summary) {
    Table table("><<");
    table.row({"frames", "tcp.analysis.", ""});
    bool any = false;
    for (const tcp::FlagInfo& flag : tcp::flag_table()) {
        const std::uint64_t count = summary.flags()[static_cast<std::size_t>(flag.id)];
        if (count != 0) {
            table.row({count_text(count), std::string(flag.name), std::string(flag.help)});
            any = true;
        }
    }
    if (any) {
        page.heading("Flags");
        page.table(table, true);
    }
}

}  // namespace

std::string summary_text(const Summary& summary, const RunVerdicts& verdicts, const CaptureRun& run,
                         const stats::Counters& counters, const format::PageStyle& style) {
    Page page(style);
    const SummaryInput input{summary, run, counters, verdicts};
    write_answer(page, input);
    write_verdicts(page, input);
    if (summary.not_judged() != 0) {
        write_holes(page, summary);
        write_repeats(page, summary);
    }
    write_services(page, input);
    write_patterns(page, input);
    write_worst(page, summary);
    write_episodes(page, summary, run.first);
    write_flags(page, summary);
    write_capture(page, input);
    write_limits(page, input);
    write_advice(page, input);
    return page.text();
}

}  // namespace tw::sinks
