// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_text.hpp"

#include <fmt/format.h>

#include "sinks/firewall_text_parts.hpp"
#include "sinks/firewall_words.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using firewall::Report;
using firewall::Trust;
using format::count_of;
using format::count_text;
using format::Page;
using format::printable;
using format::Tone;
using taps::Side;
using taps::Way;

[[nodiscard]] Tone verdict_tone(const Report& report) {
    switch (report.exit_code) {
        case 0:
            return report.policy.empty() ? Tone::strong : Tone::good;
        case 1:
            return Tone::bad;
        default:
            return Tone::strong;
    }
}

void write_answer(Page& page, const Report& report) {
    page.paragraph(printable(report.verdict), 0, 0, verdict_tone(report));
    for (const std::string& why : report.why_exit) {
        page.paragraph("- " + printable(why), 2, 4);
    }
}

void write_tap(Page& page, const Report& report, Side side) {
    const firewall::TapReport& tap = report.confidence.taps[index(side)];
    const auto& ways = report.confidence.health.taps[index(side)];
    std::string text = fmt::format("{}: {}, {} and {} packets of TCP", printable(tap.source),
                                   count_of(tap.frames, "frame"),
                                   count_text(ways[index(Way::inward)].packets) + " inward",
                                   count_text(ways[index(Way::outward)].packets) + " outward");
    text += fmt::format("; missed {}", share_text(report.confidence.miss_rate[index(side)]));
    if (tap.drops_known) {
        text += fmt::format("; {} counted by the capture", count_of(tap.dropped, "drop"));
    }
    if (tap.ledger_faults != 0) {
        text += fmt::format("; {} in doubt", count_of(tap.ledger_faults, "interval"));
    }
    const std::string side_name(name(side));
    write_labelled(page,
                   tap.zone.empty() || tap.zone == side_name
                       ? side_name
                       : fmt::format("{} ({})", side_name, printable(tap.zone)),
                   text);
}

void write_capture(Page& page, const Report& report) {
    const firewall::Confidence& confidence = report.confidence;
    page.heading("Capture");
    const Tone tone = confidence.trust == Trust::good       ? Tone::good
                      : confidence.trust == Trust::unusable ? Tone::bad
                                                            : Tone::strong;
    write_labelled(page, "trust", name(confidence.trust), tone);
    write_tap(page, report, Side::outside);
    write_tap(page, report, Side::inside);
    write_labelled(page, "seen", seen_text(report));
    write_labelled(page, "clock", clock_words(confidence));
    for (const firewall::Doubt& doubt : confidence.doubts) {
        page.paragraph(fmt::format("! {}: {}", doubt.name, printable(doubt.sentence)), 2, 4,
                       doubt.trust == Trust::unusable ? Tone::bad : Tone::strong);
        if (!doubt.advice.empty()) {
            page.paragraph(printable(doubt.advice), 4, 4, Tone::faint);
        }
    }
}

void write_end(Page& page, const Report& report) {
    if (!report.totals.limits_reached.empty()) {
        page.heading("Limits reached (counts are lower bounds)");
        format::Table table("<>");
        for (const auto& [counter, value] : report.totals.limits_reached) {
            table.row({counter, count_text(value)});
        }
        page.table(table, false);
    }
    if (!report.bundle_path.empty()) {
        page.heading("Evidence");
        page.line("  " + printable(report.bundle_path));
        page.line("  SHA-256 " + report.bundle_sha256, Tone::faint);
    }
}

}  // namespace

void write_labelled(Page& page, std::string_view label, std::string_view text, Tone tone) {
    constexpr std::size_t kLabel = 18;
    page.paragraph(fmt::format("{:<{}}{}", label, kLabel, text), 2, kLabel + 2, tone);
}

std::string firewall_text(const Report& report, const format::PageStyle& style) {
    Page page(style);
    write_answer(page, report);
    write_capture(page, report);
    write_firewall_policy(page, report);
    write_firewall_findings(page, report, style);
    write_firewall_learnt(page, report);
    write_end(page, report);
    return page.take_text();
}

}  // namespace tw::sinks
