// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_html.hpp"

#include <fmt/format.h>

#include "sinks/firewall_html_parts.hpp"
#include "sinks/firewall_words.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using firewall::Report;
using firewall::TapReport;
using firewall::Trust;
using format::count_text;
using format::Html;
using taps::Side;
using taps::Way;

[[nodiscard]] std::string_view verdict_class(const Report& report) {
    switch (report.exit_code) {
        case 0:
            return report.policy.empty() ? "open" : "good";
        case 1:
            return "bad";
        default:
            return "warn";
    }
}

[[nodiscard]] std::string_view trust_class(Trust trust) {
    switch (trust) {
        case Trust::good:
            return "good";
        case Trust::reduced:
            return "warn";
        case Trust::unusable:
            return "bad";
    }
    return "";
}

void write_head(Html& html, const Report& report) {
    html.raw(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
        // The browser itself sees to it that nothing is fetched and nothing runs.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'; img-src data:\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n");
    html.element("title",
                 "Firewall validation" + (report.firewall.empty() ? "" : ": " + report.firewall));
    html.raw("\n<style>\n");
    html.raw(firewall_html_style());
    html.raw("</style>\n</head>\n<body>\n<main>\n");
}

void write_fact(Html& html, std::string_view label, std::string_view value) {
    html.raw("<div>");
    html.element("dt", label);
    html.element("dd", value);
    html.raw("</div>");
}

void write_answer(Html& html, const Report& report) {
    html.raw("<header class=\"answer ");
    html.raw(verdict_class(report));
    html.raw("\">");
    html.element("p class=\"eyebrow\"",
                 "Firewall validation from two taps" +
                     (report.firewall.empty() ? "" : " \u00b7 " + report.firewall));
    // With a policy its first sentence is the answer, and the others what the packets show.
    const std::string_view verdict = report.verdict;
    const std::size_t end = report.policy.empty() ? verdict.npos : verdict.find(". ");
    html.element("h1", verdict.substr(0, end == verdict.npos ? end : end + 1));
    if (end != verdict.npos) {
        html.element("p", verdict.substr(end + 2));
    }
    if (!report.why_exit.empty()) {
        html.raw("<ul>");
        for (const std::string& why : report.why_exit) {
            html.element("li", why);
        }
        html.raw("</ul>");
    }
    const auto& ways = report.totals.ways;
    html.raw("<dl class=\"figures\">");
    write_fact(html, "captured", format::date_text(report.first));
    write_fact(html, "for", format::duration_text(format::elapsed(report.first, report.last)));
    write_fact(html, "connections", count_text(report.totals.conversations));
    write_fact(html, "packets that entered", count_text(ways[0].entered + ways[1].entered));
    write_fact(html, "lost between the taps",
               count_text(std::uint64_t{ways[0].lost} + ways[1].lost));
    write_fact(html, "capture", name(report.confidence.trust));
    html.raw("</dl></header>\n");
}

// One line of the comparison of the taps.
void write_pair(Html& html, std::string_view label, std::string_view outside,
                std::string_view inside) {
    html.raw("<tr>");
    html.element("th scope=\"row\"", label);
    html.element("td", outside);
    html.element("td", inside);
    html.raw("</tr>");
}

void write_taps(Html& html, const Report& report) {
    const firewall::Confidence& confidence = report.confidence;
    const auto row = [&](std::string_view label, const auto& of) {
        write_pair(html, label, of(Side::outside), of(Side::inside));
    };
    const auto tap = [&](Side side) -> const TapReport& { return confidence.taps[index(side)]; };
    begin_table(html, "What each tap captured, and how far it can be trusted",
                {"", name(Side::outside), name(Side::inside)});
    row("source", [&](Side side) { return tap(side).source; });
    row("zone", [&](Side side) { return tap(side).zone; });
    row("frames", [&](Side side) { return count_text(tap(side).frames); });
    for (const Way way : {Way::inward, Way::outward}) {
        row(fmt::format("TCP packets {}", name(way)), [&](Side side) {
            return count_text(confidence.health.taps[index(side)][index(way)].packets);
        });
    }
    row("missed, of what passed",
        [&](Side side) { return share_text(confidence.miss_rate[index(side)]); });
    row("drops of its own", [&](Side side) {
        return tap(side).drops_known ? count_text(tap(side).dropped)
                                     : std::string("not told by the source");
    });
    row("copies of the mirror left out", [&](Side side) {
        const auto& ways = confidence.health.taps[index(side)];
        return count_text(ways[0].copies + ways[1].copies);
    });
    if (tap(Side::outside).ledger_faults + tap(Side::inside).ledger_faults != 0) {
        row("intervals in doubt", [&](Side side) { return count_text(tap(side).ledger_faults); });
    }
    row("from", [&](Side side) { return format::clock_text(tap(side).first); });
    row("until", [&](Side side) { return format::clock_text(tap(side).last); });
    end_table(html);
}

void write_capture(Html& html, const Report& report) {
    const firewall::Confidence& confidence = report.confidence;
    begin_section(html, "capture", "Can the capture carry a verdict?");
    html.raw("<p class=\"lead\"><span class=\"badge ");
    html.raw(trust_class(confidence.trust));
    html.raw("\">");
    html.text(name(confidence.trust));
    html.raw("</span> ");
    html.text(seen_text(report) + ". Clock: " + clock_words(confidence) + ".");
    html.raw("</p>");
    for (const firewall::Doubt& doubt : confidence.doubts) {
        html.raw("<div class=\"doubt ");
        html.raw(trust_class(doubt.trust));
        html.raw("\"><p><strong>");
        html.text(format::spoken(doubt.name));
        html.raw("</strong>: ");
        html.text(doubt.sentence);
        html.raw("</p>");
        if (!doubt.advice.empty()) {
            html.element("p class=\"faint\"", doubt.advice);
        }
        html.raw("</div>");
    }
    write_taps(html, report);
    html.raw("</section>\n");
}

template <typename Names, typename Name>
void write_counts(Html& html, std::string_view caption, const Names& counts, Name word) {
    begin_table(html, caption, {caption, ">connections"});
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] != 0) {
            html.raw("<tr>");
            html.element("th scope=\"row\"", format::spoken(word(i)));
            html.element("td class=\"number\"", count_text(counts[i]));
            html.raw("</tr>");
        }
    }
    end_table(html);
}

void write_ways(Html& html, const firewall::Totals& totals) {
    begin_table(html, "Packets of each way",
                {"way", ">entered", ">bytes", ">passed", ">lost between", ">missed by a tap",
                 ">untold", ">pure ACKs not seen to leave"});
    for (const Way way : {Way::inward, Way::outward}) {
        const taps::WayCounts& each = totals.ways[index(way)];
        html.raw("<tr>");
        html.element("th scope=\"row\"", name(way));
        for (const std::uint64_t count :
             {each.entered, each.entered_bytes, each.passed, std::uint64_t{each.lost},
              std::uint64_t{each.missed_at_exit} + each.missed_at_entry,
              std::uint64_t{each.unproven}, std::uint64_t{each.pure_acks_lost}}) {
            html.element("td class=\"number\"", count_text(count));
        }
        html.raw("</tr>");
    }
    end_table(html);
    if (totals.lost_outside != 0) {
        html.element("p class=\"faint\"",
                     fmt::format("{} lost outside the taps: not between them.",
                                 format::count_of(totals.lost_outside, "packet")));
    }
}

void write_totals(Html& html, const Report& report) {
    const firewall::Totals& totals = report.totals;
    begin_section(html, "totals", "All that was seen");
    write_ways(html, totals);
    html.raw("<div class=\"columns\">");
    write_counts(html, "outcome", totals.outcomes,
                 [](std::size_t i) { return name(static_cast<taps::Outcome>(i)); });
    write_counts(html, "ending", totals.endings,
                 [](std::size_t i) { return name(static_cast<taps::Ending>(i)); });
    write_counts(html, "paired by", totals.pairings,
                 [](std::size_t i) { return name(static_cast<taps::Pairing>(i)); });
    html.raw("</div>");
    if (!totals.limits_reached.empty()) {
        html.raw("<h3>Limits reached: counts are lower bounds</h3>");
        begin_table(html, "Limits reached", {"counter", ">value"});
        for (const auto& [counter, value] : totals.limits_reached) {
            html.raw("<tr>");
            html.element("th scope=\"row\"", counter);
            html.element("td class=\"number\"", count_text(value));
            html.raw("</tr>");
        }
        end_table(html);
    }
    html.raw("</section>\n");
}

void write_reading(Html& html) {
    html.raw(
        "<details class=\"reading\"><summary>How to read this page</summary><dl class=\"terms\">"
        "<dt>outside, inside</dt><dd>the two taps. Inward goes from outside to inside. A packet "
        "enters at one tap and leaves at the other; what is said is said of all that stands "
        "between them, cables included.</dd>"
        "<dt>proven</dt><dd>a fact that no error of the capture explains: other packets, captured "
        "at either tap, show it.</dd>"
        "<dt>probable</dt><dd>consistent with all that was captured; another explanation is not "
        "excluded.</dd>"
        "<dt>unproven</dt><dd>seen at one tap only, without evidence either way.</dd>"
        "<dt>ladder</dt><dd>packets of one connection in order of time, from tap to tap. A cross: "
        "it entered and was not seen to leave. A ring: it left and was not seen to enter. A "
        "question mark: its other sighting is not among the packets shown. Sequence numbers count "
        "from the first one shown; the numbers on the wire are in the tooltip. Frame numbers are "
        "those of the capture files.</dd>"
        "<dt>untested, inconclusive</dt><dd>untested: nothing was seen that the rule is about. "
        "Inconclusive: something was, and the capture cannot tell.</dd></dl></details>");
}

void write_making(Html& html, const Report& report) {
    begin_section(html, "making", "How this was made");
    html.raw("<dl class=\"making\">");
    html.element("dt", "program");
    html.element("dd", "tapwitness " + report.version);
    html.element("dt", "command");
    html.raw("<dd>");
    html.element("code", report.command);
    html.raw("</dd>");
    html.element("dt", "captured");
    html.element("dd", fmt::format("{} to {}", format::date_text(report.first),
                                   format::date_text(report.last)));
    if (!report.bundle_path.empty()) {
        html.element("dt", "evidence");
        html.raw("<dd>");
        html.element("code", report.bundle_path);
        html.raw("<br>SHA-256 ");
        html.element("code", report.bundle_sha256);
        html.raw("<br>the packets cited here, of both taps, with comments, for Wireshark</dd>");
    }
    html.raw("</dl>");
    write_reading(html);
    html.raw("</section>\n");
}

}  // namespace

void begin_section(Html& html, std::string_view id, std::string_view heading) {
    html.raw(fmt::format("<section id=\"{0}\" aria-labelledby=\"{0}-heading\">", id));
    html.element(fmt::format("h2 id=\"{}-heading\"", id), heading);
}

void begin_table(Html& html, std::string_view caption,
                 std::initializer_list<std::string_view> headings) {
    html.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"");
    html.text(caption);
    html.raw("\"><table><thead><tr>");
    for (const std::string_view heading : headings) {
        if (heading.empty()) {
            html.raw("<td></td>");
        } else if (heading.starts_with('>')) {
            html.element("th scope=\"col\" class=\"number\"", heading.substr(1));
        } else {
            html.element("th scope=\"col\"", heading);
        }
    }
    html.raw("</tr></thead><tbody>");
}

void end_table(Html& html) {
    html.raw("</tbody></table></div>");
}

void write_left_out(Html& html, std::size_t count, std::size_t max) {
    if (count > max) {
        html.element("p class=\"faint\"",
                     fmt::format("and {} more, in the JSON report", count_text(count - max)));
    }
}

std::string firewall_html(const Report& report) {
    Html html;
    write_head(html, report);
    write_answer(html, report);
    write_capture(html, report);
    write_html_policy(html, report);
    write_html_findings(html, report);
    write_html_learnt(html, report);
    write_totals(html, report);
    write_making(html, report);
    html.raw("</main>\n</body>\n</html>\n");
    return html.take();
}

}  // namespace tw::sinks
