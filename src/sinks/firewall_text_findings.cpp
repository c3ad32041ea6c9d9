// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "sinks/firewall_ladder.hpp"
#include "sinks/firewall_text_parts.hpp"
#include "sinks/firewall_words.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using firewall::Finding;
using firewall::Report;
using format::count_of;
using format::count_text;
using format::duration_text;
using format::Page;
using format::percent_text;
using format::printable;
using format::Table;
using format::Tone;

// The ladder says which packets; without one their frames do.
void write_evidence(Page& page, const firewall::Evidence& evidence, std::size_t width) {
    constexpr std::size_t kIndent = 7;
    const auto ladder = ladder_lines(evidence, width > kIndent ? width - kIndent : 0);
    page.paragraph("- " + printable(ladder.empty() ? evidence_text(evidence) : evidence.sentence),
                   5, kIndent);
    for (const std::string& line : ladder) {
        page.line(std::string(kIndent, ' ') + line, Tone::faint);
    }
}

void write_finding(Page& page, const Finding& finding, std::size_t width) {
    const firewall::BehaviourInfo& info = firewall::info(finding.behaviour);
    page.blank();
    page.paragraph(
        fmt::format("{}. {}, {}: {}{}", finding.id, info.words, name(finding.grade),
                    printable(finding.scope), finding.expected ? " (as the policy wants)" : ""),
        2, 5, is_grave(finding) ? Tone::bad : Tone::strong);
    page.paragraph(printable(finding.sentence), 5, 5);
    page.paragraph(extent_text(finding), 5, 5, Tone::faint);
    for (const std::string& other : finding.excluded) {
        page.paragraph("not: " + printable(other), 5, 10, Tone::faint);
    }
    if (finding.has_chance) {
        page.paragraph(
            fmt::format("chance that the capture errs twice: {:.2g}", finding.chance_of_error), 5,
            7, Tone::faint);
    }
    if (!finding.advice.empty()) {
        page.paragraph("look at: " + printable(finding.advice), 5, 14);
    }
    for (const firewall::Evidence& evidence : finding.evidence) {
        write_evidence(page, evidence, width);
    }
}

void write_latency(Page& page, const Report& report) {
    if (report.latencies.empty()) {
        return;
    }
    page.heading("Latency between the taps");
    Table table("<>>>>>>>");
    table.row({"", "packets", "least", "p50", "p90", "p99", "p99.9", "most"});
    for (const firewall::Latency& latency : report.latencies) {
        const auto& times = latency.histogram;
        if (times.count() == 0) {
            continue;
        }
        table.row({fmt::format("{}, {}", name(latency.way), latency.setup ? "setup" : "data"),
                   count_text(times.count()), duration_text(times.least()),
                   duration_text(times.quantile(0.5)), duration_text(times.quantile(0.9)),
                   duration_text(times.quantile(0.99)), duration_text(times.quantile(0.999)),
                   duration_text(times.most())});
    }
    page.table(table, true);
    for (const firewall::Latency& latency : report.latencies) {
        if (latency.histogram.negative() != 0) {
            page.paragraph(
                fmt::format("{} {} seemed to leave before they entered, by skew of the "
                            "taps: without a time",
                            count_of(latency.histogram.negative(), "packet"), name(latency.way)),
                2, 4, Tone::faint);
        }
    }
    for (const firewall::Spike& spike : report.spikes) {
        page.paragraph(
            fmt::format("spike {} at {}: {} took up to {}, usually {}", name(spike.way),
                        format::clock_text(spike.from), count_of(spike.packets, "packet"),
                        duration_text(spike.worst), duration_text(spike.usual)),
            2, 4);
    }
}

void write_rewrites(Page& page, const Report& report) {
    if (report.rewrites.empty()) {
        return;
    }
    page.heading("Rewritten on the way");
    Table table("<<>><");
    table.row({"way", "what", "changed", "of", ""});
    for (const firewall::RewriteRow& row : report.rewrites) {
        table.row({std::string(name(row.way)), format::spoken(name(row.rewrite)),
                   percent_text(row.count.changed, row.count.of), count_text(row.count.of),
                   printable(row.sentence) + (row.expected ? " (expected)" : "")});
    }
    page.table(table, true);
}

void write_parameters(Page& page, const Report& report) {
    if (report.parameters.empty()) {
        return;
    }
    page.heading("Learnt of the firewall");
    Table table("<<<>");
    table.row({"", "of", "value", "samples"});
    for (const firewall::Parameter& each : report.parameters) {
        table.row({format::spoken(each.name), printable(each.scope), printable(each.value),
                   count_text(each.samples)});
    }
    page.table(table, true);
    for (const firewall::Parameter& each : report.parameters) {
        if (!each.note.empty()) {
            page.paragraph(fmt::format("{}: {}", format::spoken(each.name), printable(each.note)),
                           2, 4, Tone::faint);
        }
    }
}

}  // namespace

void write_firewall_findings(Page& page, const Report& report, const format::PageStyle& style) {
    page.heading("Findings");
    if (report.findings.empty()) {
        page.paragraph(no_findings_text(report), 2, 2);
    }
    for (const Finding& finding : report.findings) {
        write_finding(page, finding, style.width);
    }
    if (!report.in_common.empty()) {
        page.heading("What the drops have in common");
        for (const firewall::Explanation& each : report.in_common) {
            page.paragraph(printable(explanation_text(each)), 2, 4);
        }
    }
}

void write_firewall_learnt(Page& page, const Report& report) {
    write_parameters(page, report);
    write_latency(page, report);
    write_rewrites(page, report);
    if (!report.differences.empty()) {
        page.heading("Since the report compared with");
        for (const std::string& line : report.differences) {
            page.paragraph("- " + printable(line), 2, 4);
        }
    }
}

}  // namespace tw::sinks
