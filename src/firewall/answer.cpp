// SPDX-License-Identifier: BSD-3-Clause
// The first line for people.
#include <fmt/format.h>

#include <algorithm>

#include "firewall/sentences.hpp"
#include "sinks/format/human.hpp"

namespace tw::firewall {
namespace {

using sinks::format::count_of;
using sinks::format::count_text;

[[nodiscard]] std::string capture_text(const Confidence& confidence) {
    switch (confidence.trust) {
        case Trust::good:
            return "The capture is good.";
        case Trust::reduced:
            return fmt::format(
                "The capture has weaknesses ({}).",
                std::ranges::max_element(confidence.doubts, {}, &Doubt::trust)->sentence);
        case Trust::unusable:
            break;
    }
    return fmt::format("No verdict: {}.",
                       std::ranges::max_element(confidence.doubts, {}, &Doubt::trust)->sentence);
}

[[nodiscard]] bool in_headline(const Finding& finding) {
    const Weight weight = info(finding.behaviour).weight;
    return !finding.expected && (weight == Weight::drop || weight == Weight::harm);
}

// The policy wants this harm.
[[nodiscard]] bool wanted(const Finding& finding) {
    const Weight weight = info(finding.behaviour).weight;
    return finding.expected && (weight == Weight::drop || weight == Weight::harm);
}

[[nodiscard]] std::string passed_text(const Totals& totals) {
    std::uint64_t entered = 0;
    for (const taps::WayCounts& way : totals.ways) {
        entered += way.entered;
    }
    return fmt::format("{} of {} entered", count_of(entered, "packet"),
                       count_of(totals.conversations, "connection"));
}

// What is worth knowing though it did no harm.
[[nodiscard]] std::string noted_text(const Report& report) {
    std::string text;
    for (const Finding& finding : report.findings) {
        if (!finding.expected && info(finding.behaviour).weight == Weight::notice) {
            text += fmt::format("{}{} ({})", text.empty() ? " Noted: " : ", ",
                                info(finding.behaviour).words, taps::name(finding.grade));
        }
    }
    return text.empty() ? text : text + '.';
}

}  // namespace

std::string verdict_of(const Report& report) {
    std::string text = capture_text(report.confidence);
    if (report.confidence.trust == Trust::unusable) {
        return text;
    }
    const auto told = std::ranges::count_if(report.findings, in_headline);
    if (told == 0) {
        text += fmt::format(
            " {}; none was dropped, altered, reset or held back between the {} and {} taps{} that "
            "this capture could show.",
            passed_text(report.totals),
            report.confidence.taps[0].name.empty() ? "outside" : report.confidence.taps[0].name,
            report.confidence.taps[1].name.empty() ? "inside" : report.confidence.taps[1].name,
            std::ranges::any_of(report.findings, wanted) ? ", but for what the policy wants," : "");
        text += noted_text(report);
    } else {
        text += fmt::format(" {}.", std::ranges::find_if(report.findings, in_headline)->sentence);
    }
    if (told != 0 && !report.in_common.empty()) {
        text += fmt::format(" In common: {}.", report.in_common.front().sentence);
    }
    if (told > 1) {
        text += fmt::format(" And {}.",
                            count_of(static_cast<std::uint64_t>(told - 1), "other finding"));
    }
    if (report.totals.lost_outside != 0) {
        text += fmt::format(" {} lost outside the taps, which is no business of the firewall.",
                            report.totals.lost_outside == 1
                                ? "1 packet was"
                                : count_text(report.totals.lost_outside) + " packets were");
    }
    return text;
}

}  // namespace tw::firewall
