// SPDX-License-Identifier: BSD-3-Clause
// What the answer rests on: losses by stretch of the path and by host, episodes by verdict, the
// services that had trouble, what many episodes have in common.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "sinks/format/human.hpp"
#include "sinks/pattern_text.hpp"
#include "sinks/summary_sections.hpp"

namespace tw::sinks {
namespace {

using event::Verdict;
using format::bytes_text;
using format::count_text;
using format::Page;
using format::percent_text;
using format::Table;

constexpr std::size_t kHostsListed = 5;
constexpr std::size_t kServicesListed = 10;
constexpr std::size_t kPatternsListed = 10;

void add_stretch(Table& table, const std::string& where, const verdict::Stretch& stretch) {
    table.row({where, bytes_text(stretch.bytes_offered), count_text(stretch.bytes_lost),
               count_text(stretch.segments_lost), count_text(stretch.acks_lost),
               percent_text(stretch.bytes_lost, stretch.bytes_offered)});
}

void add_capture(Table& table, const std::string& where, const verdict::CaptureSum& capture) {
    table.row({where, bytes_text(capture.bytes_delivered), count_text(capture.bytes_missed),
               count_text(capture.segments_missed), "-",
               percent_text(capture.bytes_missed, capture.bytes_delivered)});
}

[[nodiscard]] bool lost_something(const verdict::Stretch& stretch) {
    return stretch.bytes_lost + stretch.segments_lost + stretch.acks_lost != 0;
}

void write_where(Page& page, const SummaryInput& input) {
    const verdict::PathSum& paths = input.verdicts.paths;
    if (!lost_something(paths.client_side) && !lost_something(paths.server_side) &&
        paths.capture.bytes_missed == 0) {
        return;
    }
    Table table("<>>>>>");
    table.row({"", "carried", "lost", "segments", "ACKs", "share"});
    add_stretch(table, "clients - tap", paths.client_side);
    add_stretch(table, "tap - servers", paths.server_side);
    add_capture(table, "capture", paths.capture);
    // Of one connection the hosts are the sides.
    if (input.summary.connections().connections > 1) {
        for (std::size_t i = 0; i < std::min(input.verdicts.hosts.size(), kHostsListed); ++i) {
            const verdict::HostSum& host = input.verdicts.hosts[i];
            std::string address;
            format::append_address(address, host.host);
            if (lost_something(host.stretch)) {
                add_stretch(table, address + " - tap", host.stretch);
            }
            if (host.capture.bytes_missed != 0) {
                add_capture(table, address + ", capture", host.capture);
            }
        }
    }
    page.heading("Where");
    page.table(table, true);
}

// "never recovered: sender silent 3"
[[nodiscard]] std::string verdict_words(const event::VerdictInfo& info, const VerdictTotal& total) {
    const std::string causes = causes_text(total);
    return causes.empty() ? std::string(info.words) : fmt::format("{}: {}", info.words, causes);
}

// "s2c never recovered: 7 of 9, of the good 0"
[[nodiscard]] std::string shared_text(const verdict::Service& service) {
    const verdict::Trait trait = service.common();
    if (!trait.known) {
        return {};
    }
    return fmt::format("{} {}: {} of {}, of the others {}", event::name(trait.direction),
                       format::spoken(event::name(trait.outcome)), count_text(trait.bad),
                       count_text(service.bad()), count_text(trait.good));
}

}  // namespace

void write_verdicts(Page& page, const SummaryInput& input) {
    write_where(page, input);
    Table table(">>><");
    table.row({"episodes", "proven", "bytes", "verdict (tapwitness list verdicts)"});
    bool any = false;
    for (const event::VerdictInfo& info : event::verdict_table()) {
        const VerdictTotal& total = input.verdict(info.id);
        if (total.episodes == 0) {
            continue;
        }
        table.row({count_text(total.episodes),
                   info.id == Verdict::unknown ? "-" : count_text(total.proven),
                   count_text(total.bytes), verdict_words(info, total)});
        any = true;
    }
    if (any) {
        page.heading("Verdicts");
        page.table(table, true);
    }
}

void write_services(Page& page, const SummaryInput& input) {
    const std::vector<verdict::Service>& services = input.verdicts.services;
    // Of one conversation the answer has said it all.
    if (services.empty() || input.summary.connections().connections == 1) {
        return;
    }
    // other: no answer to the SYN, or nothing that can be told.
    Table table("<>>>>><");
    table.row({"server", "talks", "good", "suffered", "hung", "other", "what the bad ones share"});
    for (std::size_t i = 0; i < std::min(services.size(), kServicesListed); ++i) {
        const verdict::Service& service = services[i];
        table.row({format::endpoint_text(service.server),
                   (service.complete ? "" : ">=") + count_text(service.conversations),
                   count_text(service.good), count_text(service.suffered), count_text(service.hung),
                   count_text(service.unanswered + service.unclear), shared_text(service)});
    }
    page.heading("Services");
    page.table(table, true);
    if (services.size() > kServicesListed) {
        page.paragraph(fmt::format("and {} more", count_text(services.size() - kServicesListed)), 2,
                       2);
    }
}

void write_patterns(Page& page, const SummaryInput& input) {
    const std::vector<verdict::Pattern>& patterns = input.verdicts.patterns;
    // The first one is in the answer.
    if (patterns.size() < 2) {
        return;
    }
    page.heading("In common");
    for (std::size_t i = 0; i < std::min(patterns.size(), kPatternsListed); ++i) {
        page.paragraph("- " + pattern_text(patterns[i]), 2, 4);
    }
    if (patterns.size() > kPatternsListed) {
        page.paragraph(fmt::format("and {} more", count_text(patterns.size() - kPatternsListed)), 2,
                       4);
    }
}

}  // namespace tw::sinks
