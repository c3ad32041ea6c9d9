// SPDX-License-Identifier: BSD-3-Clause
// How good the capture is: what was read, what could not be analysed and why, what the file admits
// to have lost, and which limits of the analysis were reached.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "sinks/format/human.hpp"
#include "sinks/summary_sections.hpp"

namespace tw::sinks {
namespace {

using event::Resolution;
using format::bytes_text;
using format::count_of;
using format::count_text;
using format::Page;
using format::Table;
using stats::Counter;

// Why a frame has no analysed TCP segment.
constexpr std::array kNotAnalysed{
    Counter::decode_filtered,
    Counter::decode_not_tcp,
    Counter::decode_not_ip,
    Counter::decode_later_fragment,
    Counter::decode_unsupported_link,
    Counter::decode_truncated,
    Counter::decode_tcp_cut,
    Counter::decode_bad_ip_header,
    Counter::decode_bad_tunnel_header,
    Counter::decode_too_many_layers,
    Counter::decode_decap_off,
};

// Properties that are worth knowing when judging the capture.
constexpr std::array kProperties{
    Counter::fragmented_segments, Counter::quoted_segments, Counter::cut_segments,
    Counter::length_beyond_frame, Counter::super_frames,
};

// Reaching one of these means that something was not followed; their help texts say what.
constexpr std::array kLimits{
    Counter::flows_evicted_embryonic,
    Counter::flows_evicted_closed,
    Counter::flows_evicted_established,
    Counter::flows_refused,
    Counter::details_exhausted,
    Counter::holes_exhausted,
    Counter::sequence_jumps,
    Counter::flight_exhausted,
    Counter::events_dropped,
    Counter::flow_records_dropped,
    Counter::verdict_not_awaited,
    Counter::verdict_late_misses,
    Counter::verdict_events_dropped,
    Counter::verdict_records_dropped,
    Counter::verdict_sums_lost,
    Counter::verdict_hosts_lost,
    Counter::verdict_services_lost,
    Counter::verdict_patterns_lost,
};

[[nodiscard]] const stats::CounterInfo& info(Counter counter) {
    return stats::counter_table()[static_cast<std::size_t>(counter)];
}

void add_counter_row(Table& table, const SummaryInput& input, Counter counter) {
    const std::uint64_t count = input.count(counter);
    if (count != 0) {
        table.row(
            {count_text(count), std::string(info(counter).unit), std::string(info(counter).help)});
    }
}

void add_connection_row(Table& table, std::uint64_t count, std::string_view text) {
    if (count != 0) {
        table.row({count_text(count), "connections", std::string(text)});
    }
}

[[nodiscard]] std::string admitted_text(const CaptureInterface& interface) {
    std::string text = fmt::format("{} dropped", count_of(*interface.dropped, "packet"));
    if (interface.dropped_interface.value_or(0) != 0) {
        text += fmt::format(", {} by the interface", count_text(*interface.dropped_interface));
    }
    if (interface.dropped_os.value_or(0) != 0) {
        text += fmt::format(", {} by the operating system", count_text(*interface.dropped_os));
    }
    return text;
}

// The facts without their verdicts.
void write_missing(Page& page, const SummaryInput& input) {
    const std::uint64_t missing = input.missing_bytes();
    if (missing == 0) {
        return;
    }
    const std::uint64_t holes = input.hole(Resolution::acknowledged_unseen).episodes +
                                input.hole(Resolution::never).episodes +
                                input.hole(Resolution::unknown_limit).episodes;
    const ConnectionTotals& connections = input.summary.connections();
    std::string text = fmt::format(
        "{}{} in no captured frame: {} in {} of {}", input.sight_lost() ? "at least " : "",
        bytes_text(missing) + (missing == 1 ? " is" : " are"), count_of(holes, "hole"),
        count_text(std::max<std::uint64_t>(connections.with_missing, 1)),
        count_of(connections.connections, "connection"));
    if (const std::uint64_t fins = input.summary.fins_possible(); fins != 0) {
        text += fmt::format("; the last number of {} may be a FIN, which is no byte",
                            fins == 1 ? "one" : count_text(fins));
    }
    page.paragraph(text, 2, 4);
}

// One line per interface that has something to say.
void write_interfaces(Page& page, const CaptureRun& run) {
    bool silent = true;
    for (const CaptureFile& file : run.files) {
        for (const CaptureInterface& interface : file.interfaces) {
            const std::string name = fmt::format(
                "{}{}{}", run.files.size() > 1 ? format::printable(file.path) + ": " : "",
                interface.name.empty() ? "interface" : format::printable(interface.name),
                fmt::format(" ({})", interface.link_name));
            if (!interface.decoded) {
                page.paragraph(fmt::format("{}: {} of a link type that is not decoded", name,
                                           count_of(interface.frames, "frame")),
                               2, 4, format::Tone::bad);
            }
            if (interface.dropped) {
                silent = false;
                page.paragraph(fmt::format("{}: {} of about {}, as the file says", name,
                                           admitted_text(interface),
                                           count_text(interface.frames + *interface.dropped)),
                               2, 4,
                               *interface.dropped == 0 ? format::Tone::plain : format::Tone::bad);
            }
        }
    }
    if (silent && !run.files.empty()) {
        page.paragraph("The file does not say whether packets were dropped while capturing.", 2, 4);
    }
}

}  // namespace

std::optional<std::uint64_t> dropped_packets(const CaptureRun& run) {
    std::optional<std::uint64_t> dropped;
    for (const CaptureFile& file : run.files) {
        for (const CaptureInterface& interface : file.interfaces) {
            if (interface.dropped) {
                dropped = dropped.value_or(0) + *interface.dropped;
            }
        }
    }
    return dropped;
}

void write_capture(Page& page, const SummaryInput& input) {
    const std::uint64_t frames = input.count(Counter::frames);
    const std::uint64_t segments = input.count(Counter::decoded_segments);
    const ConnectionTotals& connections = input.summary.connections();
    page.heading("Capture");
    page.paragraph(
        fmt::format("{} read ({} on the wire), {} of them TCP ({}), {} of payload",
                    count_of(frames, "frame"), bytes_text(input.count(Counter::frame_bytes)),
                    count_text(segments), format::percent_text(segments, frames),
                    bytes_text(connections.payload_bytes)),
        2, 4);
    write_interfaces(page, input.run);
    write_missing(page, input);
    Table table("><<");
    const std::uint64_t sliced = input.count(Counter::sliced_frames);
    if (sliced != 0) {
        table.row(
            {count_text(sliced), "frames",
             "captured shorter than on the wire (snap length): no harm, lengths come from the "
             "IP header"});
    }
    for (const Counter counter : kProperties) {
        add_counter_row(table, input, counter);
    }
    add_connection_row(table, connections.midstream,
                       "older than the capture: no SYN and no SYN/ACK seen");
    add_connection_row(table, connections.one_sided, "captured in one direction only");
    add_connection_row(table, connections.unanswered, "a SYN that nobody answered");
    page.table(table, false);

    Table left_out("><<");
    for (const Counter counter : kNotAnalysed) {
        add_counter_row(left_out, input, counter);
    }
    if (!left_out.empty()) {
        page.heading("Not analysed");
        page.table(left_out, false);
    }
}

std::vector<std::string> limits_text(const CaptureRun& run, const stats::Counters& counters) {
    std::vector<std::string> lines;
    for (const Counter counter : kLimits) {
        const std::uint64_t count = counters.get(counter);
        if (count != 0) {
            lines.push_back(fmt::format("{} {}: {}", count_text(count), info(counter).unit,
                                        info(counter).help));
        }
    }
    const bool table_full = counters.get(Counter::flows_evicted_embryonic) != 0 ||
                            counters.get(Counter::flows_evicted_closed) != 0 ||
                            counters.get(Counter::flows_evicted_established) != 0 ||
                            counters.get(Counter::flows_refused) != 0;
    if (table_full) {
        lines.push_back(
            fmt::format("the table holds {} IPv4 and {} IPv6 connections; more: "
                        "--max-flows N",
                        count_text(run.connections_max_v4), count_text(run.connections_max_v6)));
    }
    return lines;
}

void write_limits(Page& page, const SummaryInput& input) {
    const std::vector<std::string> lines = limits_text(input.run, input.counters);
    if (lines.empty()) {
        return;
    }
    page.heading("Limits reached");
    for (const std::string& text : lines) {
        page.paragraph(text, 2, 4, format::Tone::bad);
    }
}

}  // namespace tw::sinks
