// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>

#include "sinks/firewall_html_parts.hpp"
#include "sinks/firewall_svg.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using firewall::Report;
using format::count_text;
using format::duration_text;
using format::Html;

void write_parameters(Html& html, const Report& report) {
    if (report.parameters.empty()) {
        return;
    }
    begin_section(html, "learnt", "Learnt of the firewall");
    begin_table(html, "Parameters that the traffic shows",
                {"parameter", "of", "value", ">samples", "rests on"});
    const std::size_t shown = std::min(report.parameters.size(), kHtmlRowsMax);
    for (std::size_t i = 0; i < shown; ++i) {
        const firewall::Parameter& each = report.parameters[i];
        html.raw("<tr>");
        html.element("th scope=\"row\"", format::spoken(each.name));
        html.element("td", each.scope);
        html.element("td", each.value);
        html.element("td class=\"number\"", count_text(each.samples));
        html.element("td", each.note);
        html.raw("</tr>");
    }
    end_table(html);
    write_left_out(html, report.parameters.size(), shown);
    html.raw("</section>\n");
}

void write_times(Html& html, const Report& report) {
    begin_table(html, "Time between the taps",
                {"way", ">packets", ">least", ">p50", ">p90", ">p99", ">p99.9", ">most"});
    for (const firewall::Latency& latency : report.latencies) {
        const auto& times = latency.histogram;
        if (times.count() == 0) {
            continue;
        }
        html.raw("<tr>");
        html.element("th scope=\"row\"",
                     fmt::format("{}, {}", name(latency.way), latency.setup ? "setup" : "data"));
        html.element("td class=\"number\"", count_text(times.count()));
        for (const Nanos time : {times.least(), times.quantile(0.5), times.quantile(0.9),
                                 times.quantile(0.99), times.quantile(0.999), times.most()}) {
            html.element("td class=\"number\"", duration_text(time));
        }
        html.raw("</tr>");
    }
    end_table(html);
    for (const firewall::Latency& latency : report.latencies) {
        if (latency.histogram.negative() != 0) {
            html.element("p class=\"faint\"",
                         fmt::format("{} {} seemed to leave before they entered, by skew of the "
                                     "taps: without a time",
                                     format::count_of(latency.histogram.negative(), "packet"),
                                     name(latency.way)));
        }
    }
}

void write_spikes(Html& html, const Report& report) {
    if (report.spikes.empty()) {
        return;
    }
    html.raw("<h3>Spikes</h3>");
    begin_table(html, "Spikes of the time between the taps",
                {"way", "from", ">for", ">packets", ">up to", ">usually"});
    const std::size_t shown = std::min(report.spikes.size(), kHtmlRowsMax);
    for (std::size_t i = 0; i < shown; ++i) {
        const firewall::Spike& spike = report.spikes[i];
        html.raw("<tr>");
        html.element("th scope=\"row\"", name(spike.way));
        html.element("td", format::clock_text(spike.from));
        html.element("td class=\"number\"",
                     duration_text(format::elapsed(spike.from, spike.until)));
        html.element("td class=\"number\"", count_text(spike.packets));
        html.element("td class=\"number\"", duration_text(spike.worst));
        html.element("td class=\"number\"", duration_text(spike.usual));
        html.raw("</tr>");
    }
    end_table(html);
    write_left_out(html, report.spikes.size(), shown);
}

void write_latency(Html& html, const Report& report) {
    if (report.latencies.empty()) {
        return;
    }
    begin_section(html, "latency", "Latency between the taps");
    write_latency_svg(html, report);
    html.element("p class=\"faint\"",
                 "Both axes are logarithmic: a bar of half the height is far less than half the "
                 "packets, and a single slow packet can be seen.");
    write_times(html, report);
    write_spikes(html, report);
    html.raw("</section>\n");
}

void write_rewrites(Html& html, const Report& report) {
    if (report.rewrites.empty()) {
        return;
    }
    begin_section(html, "rewrites", "Rewritten on the way");
    begin_table(html, "What was rewritten between the taps",
                {"way", "what", ">changed", ">of", "how"});
    for (const firewall::RewriteRow& row : report.rewrites) {
        html.raw("<tr>");
        html.element("th scope=\"row\"", name(row.way));
        html.element("td", format::spoken(name(row.rewrite)));
        html.element("td class=\"number\"", format::percent_text(row.count.changed, row.count.of));
        html.element("td class=\"number\"", count_text(row.count.of));
        html.element("td", row.sentence + (row.expected ? " (expected)" : ""));
        html.raw("</tr>");
    }
    end_table(html);
    html.raw("</section>\n");
}

void write_differences(Html& html, const Report& report) {
    if (report.differences.empty()) {
        return;
    }
    begin_section(html, "differences", "Since the report compared with");
    html.raw("<ul>");
    const std::size_t shown = std::min(report.differences.size(), kHtmlRowsMax);
    for (std::size_t i = 0; i < shown; ++i) {
        html.element("li", report.differences[i]);
    }
    html.raw("</ul>");
    write_left_out(html, report.differences.size(), shown);
    html.raw("</section>\n");
}

}  // namespace

void write_html_learnt(Html& html, const Report& report) {
    write_parameters(html, report);
    write_latency(html, report);
    write_rewrites(html, report);
    write_differences(html, report);
}

}  // namespace tw::sinks
