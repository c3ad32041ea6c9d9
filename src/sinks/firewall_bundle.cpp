// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_bundle.hpp"

#include <fmt/format.h>

namespace tw::sinks {
namespace {

using firewall::Evidence;
using firewall::Finding;
using firewall::Report;
using taps::Side;

using Comments = std::map<std::pair<Side, std::uint64_t>, std::string>;

[[nodiscard]] std::string_view part_text(taps::Part part) {
    switch (part) {
        case taps::Part::none:
            return "evidence";
        case taps::Part::subject:
            return "this packet";
        case taps::Part::left:
            return "as it left";
        case taps::Part::repeat:
            return "sent again";
        case taps::Part::ack:
            return "acknowledges it";
        case taps::Part::asks:
            return "asks for it";
        case taps::Part::overtaker:
            return "overtook it";
        case taps::Part::genuine:
            return "surely of the host that the reset names";
        case taps::Part::quote:
            return "ICMP error";
    }
    return "";
}

void cite(Comments& comments, const Finding& finding, const Evidence& evidence) {
    for (std::size_t i = 0; i < evidence.fact.cites_count; ++i) {
        const taps::Cite& cite = evidence.fact.cites[i];
        if (cite.frame == 0) {
            continue;
        }
        std::string& comment = comments[{cite.tap, cite.frame}];
        // Every frame says what it is to its finding; the packet in question says the verdict.
        const std::string text =
            cite.part == taps::Part::subject || i == 0
                ? fmt::format("tapwitness finding {} ({}, {}): {}", finding.id,
                              firewall::name(finding.behaviour), taps::name(evidence.grade),
                              evidence.sentence)
                : fmt::format("tapwitness finding {}: {}", finding.id, part_text(cite.part));
        comment += (comment.empty() ? "" : "\n") + text;
    }
    for (std::size_t i = 0; i < evidence.excerpt.count; ++i) {
        const taps::Packet& packet = evidence.excerpt.packets[i];
        if (packet.frame != 0) {
            comments.try_emplace({packet.tap, packet.frame});
        }
    }
}

}  // namespace

std::vector<CitedFrame> cited_frames(const Report& report) {
    Comments comments;
    for (const Finding& finding : report.findings) {
        for (const Evidence& evidence : finding.evidence) {
            cite(comments, finding, evidence);
        }
    }
    std::vector<CitedFrame> frames;
    frames.reserve(comments.size());
    for (auto& [frame, comment] : comments) {
        frames.push_back(
            {.tap = frame.first, .frame = frame.second, .comment = std::move(comment)});
    }
    return frames;
}

void FirewallBundle::begin(const Report& report) {
    taps_ = report.confidence.taps;
    file_.begin(report.verdict);
}

std::expected<void, Error> FirewallBundle::finish(Report& report) {
    auto digest = file_.finish();
    if (!digest) {
        return std::unexpected(std::move(digest.error()));
    }
    report.bundle_path = file_.name();
    report.bundle_sha256 = std::move(*digest);
    return {};
}

void FirewallBundle::add(Side tap, const Frame& frame, std::string_view comment) {
    const auto key = std::pair(tap, frame.link);
    auto known = interfaces_.find(key);
    if (known == interfaces_.end()) {
        const firewall::TapReport& report = taps_[taps::index(tap)];
        PcapngInterface interface {
            .name = std::string(taps::name(tap)), .description = report.source, .link = frame.link,
            .dropped = {}
        };
        if (report.drops_known) {
            interface.dropped = report.dropped;
        }
        known = interfaces_.emplace(key, file_.add_interface(interface)).first;
    }
    file_.add(known->second, frame, comment);
}

}  // namespace tw::sinks
