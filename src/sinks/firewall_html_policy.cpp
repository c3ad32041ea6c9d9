// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "sinks/firewall_html_parts.hpp"
#include "sinks/firewall_words.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using firewall::PolicyRow;
using firewall::Report;
using firewall::RowResult;
using format::count_text;
using format::Html;

[[nodiscard]] std::string_view class_of(RowResult result) {
    switch (result) {
        case RowResult::pass:
            return "good";
        case RowResult::fail:
            return "bad";
        case RowResult::untested:
            return "open";
        case RowResult::inconclusive:
            return "warn";
    }
    return "";
}

void write_badge(Html& html, RowResult result) {
    html.element(fmt::format("span class=\"badge {}\"", class_of(result)), result_text(result));
}

void write_limits(Html& html, const PolicyRow& row) {
    if (row.limits.empty()) {
        return;
    }
    html.raw("<ul class=\"limits\">");
    for (const firewall::LimitRow& limit : row.limits) {
        html.raw("<li>");
        write_badge(html, limit.result);
        html.text(fmt::format(" {} {}", format::spoken(limit.name), limit.expected));
        html.text(limit.measured.empty() ? "" : ": " + limit.measured);
        html.text(limit.why.empty() ? "" : "; " + limit.why);
        html.raw("</li>");
    }
    html.raw("</ul>");
}

void write_examples(Html& html, const Report& report, const PolicyRow& row) {
    if (!row.examples.empty()) {
        html.raw("<ul class=\"plain\">");
        for (const taps::Conversation& example : row.examples) {
            html.element("li class=\"flow\"", example_text(example));
        }
        html.raw("</ul>");
    }
    if (row.findings.empty() || row.result != RowResult::fail) {
        return;
    }
    html.raw("<p>see ");
    std::string_view before;
    for (const std::uint32_t id : row.findings) {
        if (find_finding(report, id) != nullptr) {
            html.raw(fmt::format("{}<a href=\"#finding-{}\">finding {}</a>", before, id, id));
            before = ", ";
        }
    }
    html.raw("</p>");
}

void write_rule(Html& html, const Report& report, const PolicyRow& row) {
    html.raw("<tr><td>");
    write_badge(html, row.result);
    html.raw("</td><td class=\"rule\"><p><strong>");
    html.text(row.name);
    html.raw("</strong>");
    html.element("span class=\"faint\"", std::string(row.report_only ? " report only" : "") +
                                             (row.required ? " must be seen" : ""));
    html.raw("</p>");
    if (!row.why.empty()) {
        html.element("p", row.why);
    }
    write_limits(html, row);
    write_examples(html, report, row);
    html.raw("</td>");
    html.element("td", row.expectation);
    html.element("td class=\"number\"", count_text(row.connections));
    html.element("td class=\"number\"", count_text(row.against));
    html.raw("</tr>");
}

void write_tally(Html& html, const Report& report) {
    html.raw("<p class=\"lead\">");
    for (const RowResult result :
         {RowResult::fail, RowResult::inconclusive, RowResult::untested, RowResult::pass}) {
        const auto rows = std::count_if(report.policy.begin(), report.policy.end(),
                                        [&](const auto& row) { return row.result == result; });
        if (rows != 0) {
            write_badge(html, result);
            html.text(fmt::format(" {} \u2003", rows));
        }
    }
    html.raw("</p>");
}

}  // namespace

void write_html_policy(Html& html, const Report& report) {
    if (report.policy.empty()) {
        return;
    }
    begin_section(html, "policy", "Does it do what the policy says?");
    write_tally(html, report);
    begin_table(html, "The policy, rule by rule",
                {"result", "rule", "expects", ">connections", ">against"});
    const std::size_t shown = std::min(report.policy.size(), kHtmlRowsMax);
    for (std::size_t i = 0; i < shown; ++i) {
        write_rule(html, report, report.policy[i]);
    }
    end_table(html);
    write_left_out(html, report.policy.size(), shown);
    if (report.outside_policy != 0) {
        html.element("p", fmt::format("{} of no rule and no default",
                                      format::count_of(report.outside_policy, "connection")));
    }
    if (!report.checks.empty()) {
        html.raw("<h3>Of the whole run</h3><ul class=\"limits\">");
        for (const firewall::CheckRow& check : report.checks) {
            html.raw("<li>");
            write_badge(html, check.result);
            html.text(fmt::format(" {}{}{}", format::spoken(check.name),
                                  check.why.empty() ? "" : ": ", check.why));
            html.raw("</li>");
        }
        html.raw("</ul>");
    }
    html.raw("</section>\n");
}

}  // namespace tw::sinks
