// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "sinks/firewall_text_parts.hpp"
#include "sinks/firewall_words.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using firewall::PolicyRow;
using firewall::Report;
using firewall::RowResult;
using format::count_of;
using format::count_text;
using format::Page;
using format::printable;
using format::Table;
using format::Tone;

[[nodiscard]] Tone tone_of(RowResult result) {
    switch (result) {
        case RowResult::pass:
            return Tone::plain;
        case RowResult::fail:
            return Tone::bad;
        case RowResult::untested:
        case RowResult::inconclusive:
            return Tone::strong;
    }
    return Tone::plain;
}

void write_table(Page& page, const Report& report) {
    Table table("<<>><");
    table.row({"result", "expects", "connections", "against", "rule"});
    for (const PolicyRow& row : report.policy) {
        table.row({std::string(result_text(row.result)) + (has_untested_limit(row) ? " *" : ""),
                   row.expectation, count_text(row.connections), count_text(row.against),
                   printable(row.name) + (row.report_only ? " (report only)" : "")});
    }
    page.table(table, true);
}

// What the table leaves open: rules that are broken, inconclusive or asked for and not seen, with
// their connections, and limits of all.
void write_rule(Page& page, const Report& report, const PolicyRow& row) {
    const bool unusable = report.confidence.trust == firewall::Trust::unusable;
    const bool plain = row.result == RowResult::pass || unusable ||
                       (row.result == RowResult::untested && !row.required);
    if (plain && (row.limits.empty() || unusable)) {
        return;
    }
    page.blank();
    page.paragraph(fmt::format("{} {}", result_text(row.result), printable(row.name)), 2, 4,
                   plain ? Tone::strong : tone_of(row.result));
    page.paragraph(printable(row.why), 4, 4);
    for (const taps::Conversation& example : row.examples) {
        page.paragraph("- " + printable(example_text(example)), 4, 6);
    }
    if (!row.findings.empty() && row.result == RowResult::fail) {
        page.paragraph(fmt::format("see {} {}", row.findings.size() == 1 ? "finding" : "findings",
                                   fmt::join(row.findings, ", ")),
                       4, 6);
    }
    for (const firewall::LimitRow& limit : row.limits) {
        std::string text =
            fmt::format("{:<12} {} {}", result_text(limit.result), limit.name, limit.expected);
        text += limit.measured.empty() ? "" : ": " + limit.measured;
        text += limit.why.empty() ? "" : "; " + printable(limit.why);
        page.paragraph(text, 4, 17, tone_of(limit.result));
    }
}

}  // namespace

void write_firewall_policy(Page& page, const Report& report) {
    if (report.policy.empty()) {
        return;
    }
    page.heading("Policy");
    write_table(page, report);
    bool starred = false;
    for (const PolicyRow& row : report.policy) {
        starred = starred || has_untested_limit(row);
    }
    if (starred) {
        page.paragraph("* a limit of it is untested", 2, 4, Tone::faint);
    }
    if (report.outside_policy != 0) {
        page.paragraph(fmt::format("{} of no rule and no default",
                                   count_of(report.outside_policy, "connection")),
                       2, 4);
    }
    for (const PolicyRow& row : report.policy) {
        write_rule(page, report, row);
    }
    for (const firewall::CheckRow& check : report.checks) {
        if (check.result == RowResult::fail) {
            page.blank();
            page.paragraph(fmt::format("{} {}: {}", result_text(check.result),
                                       format::spoken(check.name), printable(check.why)),
                           2, 4, tone_of(check.result));
        }
    }
}

}  // namespace tw::sinks
