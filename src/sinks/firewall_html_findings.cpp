// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "sinks/firewall_html_parts.hpp"
#include "sinks/firewall_svg.hpp"
#include "sinks/firewall_words.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using firewall::Evidence;
using firewall::Finding;
using firewall::Report;
using format::Html;
using taps::Side;

[[nodiscard]] std::string_view class_of(const Finding& finding) {
    if (finding.expected) {
        return "good";
    }
    switch (finding.grade) {
        case taps::Grade::proven:
            return is_grave(finding) ? "bad" : "open";
        case taps::Grade::probable:
            return "warn";
        case taps::Grade::unproven:
            return "open";
    }
    return "";
}

void write_index(Html& html, const Report& report, std::size_t shown) {
    begin_table(html, "The findings, the gravest first",
                {"", "finding", "grade", ">cases", ">connections", "about"});
    for (std::size_t i = 0; i < shown; ++i) {
        const Finding& finding = report.findings[i];
        html.raw(fmt::format("<tr><td class=\"number\">{0}</td><td><a href=\"#finding-{0}\">",
                             finding.id));
        html.text(firewall::info(finding.behaviour).words);
        html.raw("</a></td><td>");
        html.element(fmt::format("span class=\"badge {}\"", class_of(finding)),
                     name(finding.grade));
        html.raw("</td>");
        html.element("td class=\"number\"", format::count_text(finding.cases));
        html.element("td class=\"number\"", format::count_text(finding.conversations));
        html.element("td", finding.scope);
        html.raw("</tr>");
    }
    end_table(html);
}

void write_list(Html& html, std::string_view heading, const std::vector<std::string>& lines) {
    if (lines.empty()) {
        return;
    }
    html.element("h4", heading);
    html.raw("<ul>");
    for (const std::string& line : lines) {
        html.element("li", line);
    }
    html.raw("</ul>");
}

// Where addresses are translated, each tap has names of its own.
void write_names(Html& html, const taps::Fact& fact) {
    std::array<std::string, taps::kSides> names;
    for (const Side side : {Side::outside, Side::inside}) {
        if (fact.client[index(side)].port == 0 || fact.server[index(side)].port == 0) {
            return;
        }
        names[index(side)] =
            fmt::format("{} -> {}", format::endpoint_text(fact.client[index(side)]),
                        format::endpoint_text(fact.server[index(side)]));
    }
    if (names[0] == names[1]) {
        return;
    }
    html.raw("<p class=\"flow faint\">");
    html.text(fmt::format("{}: {} \u00b7 {}: {}", name(Side::outside), names[0], name(Side::inside),
                          names[1]));
    html.raw("</p>");
}

void write_evidence(Html& html, const Evidence& evidence, bool open, bool drawn) {
    html.raw(open ? "<details open class=\"evidence\"><summary>"
                  : "<details class=\"evidence\"><summary>");
    html.element("span class=\"grade\"", name(evidence.grade));
    html.text(fmt::format(" {}", evidence.sentence));
    html.raw("</summary>");
    write_names(html, evidence.fact);
    if (const std::string cites = cites_text(evidence.fact); !cites.empty()) {
        html.element("p class=\"faint\"", "frames: " + cites);
    }
    if (drawn) {
        write_ladder_svg(html, evidence);
    }
    html.raw("</details>");
}

void write_finding(Html& html, const Finding& finding, std::size_t& ladders) {
    const firewall::BehaviourInfo& info = firewall::info(finding.behaviour);
    html.raw(fmt::format("<article id=\"finding-{}\" class=\"finding {}\"><h3>", finding.id,
                         class_of(finding)));
    html.text(fmt::format("{}. {} ", finding.id, info.words));
    html.element(fmt::format("span class=\"badge {}\"", class_of(finding)), name(finding.grade));
    if (finding.expected) {
        html.element("span class=\"badge good\"", "as the policy wants");
    }
    html.raw("</h3>");
    html.element("p class=\"scope\"", finding.scope);
    html.element("p class=\"sentence\"", finding.sentence);
    html.element("p class=\"faint\"", extent_text(finding));
    if (finding.has_chance) {
        html.element("p class=\"faint\"", fmt::format("chance that the capture errs twice: {:.2g}",
                                                      finding.chance_of_error));
    }
    if (!finding.advice.empty()) {
        html.raw("<p><strong>Look at</strong> ");
        html.text(finding.advice);
        html.raw("</p>");
    }
    write_list(html, "Other explanations, and why not", finding.excluded);
    if (!finding.evidence.empty()) {
        html.element("h4", "Evidence");
    }
    for (std::size_t i = 0; i < finding.evidence.size(); ++i) {
        write_evidence(html, finding.evidence[i], i == 0, ladders < kHtmlLaddersMax);
        ++ladders;
    }
    html.raw("<details class=\"rule-of\"><summary>The rule behind this finding</summary>");
    html.element("p", info.help);
    if (!info.standard.empty()) {
        html.element("p class=\"faint\"", info.standard);
    }
    html.raw("</details></article>\n");
}

}  // namespace

void write_html_findings(Html& html, const Report& report) {
    begin_section(html, "findings", "Findings");
    if (report.findings.empty()) {
        html.element("p class=\"lead\"", no_findings_text(report));
    }
    const std::size_t shown = std::min(report.findings.size(), kHtmlRowsMax);
    if (shown > 1) {
        write_index(html, report, shown);
    }
    std::size_t ladders = 0;
    for (std::size_t i = 0; i < shown; ++i) {
        write_finding(html, report.findings[i], ladders);
    }
    write_left_out(html, report.findings.size(), shown);
    html.raw("</section>\n");
    if (report.in_common.empty()) {
        return;
    }
    begin_section(html, "in-common", "What the drops have in common");
    html.raw("<ol>");
    for (const firewall::Explanation& each : report.in_common) {
        html.element("li", explanation_text(each));
    }
    html.raw("</ol></section>\n");
}

}  // namespace tw::sinks
