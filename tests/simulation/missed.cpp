// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/missed.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "simulation/located.hpp"

namespace tw::sim {
namespace {

using event::Event;
using event::EventType;
using event::Verdict;

constexpr Nanos kSkewMax = 50 * kMillisecond;  // direction_skew of `read`

std::vector<Way> ways(const Ground& ground) {
    std::vector<Way> all;
    for (std::uint32_t i = 0; i < ground.plan().connections.size(); ++i) {
        all.push_back({i, Side::client});
        all.push_back({i, Side::server});
    }
    return all;
}

Span everything(const Ground& ground, Way way) {
    Span all{INT64_MAX, 0};
    for (const Transmission* one : ground.sent(way)) {
        if (!one->packet.span.empty()) {
            all.begin = std::min(all.begin, one->packet.span.begin);
            all.end = std::max(all.end, one->packet.span.end);
        }
    }
    return all.end == 0 ? Span{} : all;
}

std::string words(Way way, Span part, const char* what) {
    return fmt::format("connection {} from the {} [{}, {}): {}", way.connection,
                       way.side == Side::client ? "client" : "server", part.begin, part.end, what);
}

bool told(const Ground& ground, const Findings& findings, Way way, Span part, EventType type) {
    return std::ranges::any_of(findings.events, [&](const Event& event) {
        const auto located = locate(ground, event);
        if (!located || located->way.connection != way.connection) {
            return false;
        }
        // A SYN that is sent again is told as what happened to the handshake, of either side.
        if (event.type == EventType::handshake) {
            return part.begin == 0;
        }
        return event.type == type && located->way.side == way.side && located->span.overlaps(part);
    });
}

// A hole was to be seen: something beyond the part was captured before any copy of it.
bool hole_visible(const Ground& ground, Way way, Span part) {
    const auto first = ground.first_capture(way, part);
    for (const Seen& frame : ground.captured(way)) {
        if (first && frame.number >= first->number) {
            return false;
        }
        if (frame.packet().span.begin >= part.end && !frame.packet().rst) {
            return true;
        }
    }
    return false;
}

void recall_part(const Ground& ground, const Findings& findings, Way way, Span part, Score& out) {
    bool lost_before = false;
    bool lost_after = false;
    std::uint32_t captured = 0;
    for (const Transmission* one : ground.carriers(way, part)) {
        lost_before |= one->lost_before;
        for (const Pass& pass : one->passes) {
            // A copy lost after the tap counts if it was captured and another one after it.
            lost_after |= pass.lost_after && !pass.frames.empty();
            captured += pass.frames.empty() ? 0U : 1U;
        }
    }
    if (lost_before && hole_visible(ground, way, part)) {
        ++out.reportable;
        if (!told(ground, findings, way, part, EventType::hole)) {
            out.unreported.push_back(words(way, part, "lost before the tap, no episode"));
        }
    }
    if (lost_after && captured >= 2) {
        ++out.reportable;
        if (!told(ground, findings, way, part, EventType::repeat)) {
            out.unreported.push_back(words(way, part, "lost after the tap, no episode"));
        }
    }
}

}  // namespace

std::vector<ProvableMiss> provable_misses(const Ground& ground) {
    std::vector<ProvableMiss> found;
    for (const Way way : ways(ground)) {
        const Position first_position = ground.first_position(way);
        for (const Span part : ground.parts(way, everything(ground, way))) {
            if (part.begin < first_position || !ground.unseen(way, part).arrived) {
                continue;
            }
            const auto ack = ground.first_ack(way, part);
            const auto copy = ground.first_capture(way, part);
            if (!ack || (copy && copy->number < ack->number)) {
                continue;
            }
            // What was acknowledged before the direction showed came before the capture
            // (midstream), unless a later ACK covers it too.
            const auto& captured = ground.captured(way);
            const bool before = captured.empty() || ack->number < captured.front().number;
            const bool soon = copy && copy->time - ack->time < kSkewMax;
            found.push_back({way, part, soon || before, ack->time});
        }
    }
    return found;
}

void score_missed_bytes(const Ground& ground, const Findings& findings,
                        const std::vector<ProvableMiss>& misses, Score& out) {
    std::vector<bool> said(misses.size());
    for (std::size_t index = 0; index < findings.events.size(); ++index) {
        const Event& event = findings.events[index];
        const auto located = locate(ground, event);
        if (event.finding.verdict != Verdict::missed_by_capture || !located) {
            continue;
        }
        // Said with a reservation that the frames do not lift: in no exact sum.
        const bool reserved = std::ranges::any_of(out.events, [&](const EventScore& one) {
            return one.event == index && one.right && one.twin != Twin::none && !one.proven;
        });
        Position covered = 0;
        for (std::size_t i = 0; i < misses.size(); ++i) {
            const ProvableMiss& miss = misses[i];
            const bool same = miss.way.connection == located->way.connection &&
                              miss.way.side == located->way.side;
            if (same && !said[i] && located->span.covers(miss.part)) {
                said[i] = true;
                covered += miss.part.length();
            }
        }
        out.missed.said += covered;
        if (covered != located->span.length() && !reserved) {
            out.missed.wrong += located->span.length() - covered;
            out.missed_wrong.push_back(words(located->way, located->span, "not all of it missed"));
        }
    }
    for (std::size_t i = 0; i < misses.size(); ++i) {
        if (!said[i] && !misses[i].optional) {
            out.missed.unsaid += misses[i].part.length();
            out.missed_wrong.push_back(words(misses[i].way, misses[i].part, "missed, not said"));
        }
    }
}

void score_recall(const Ground& ground, const Findings& findings, Score& out) {
    for (const Way way : ways(ground)) {
        const Position first_position = ground.first_position(way);
        for (const Span part : ground.parts(way, everything(ground, way))) {
            if (part.begin >= first_position) {
                recall_part(ground, findings, way, part, out);
            }
        }
    }
}

}  // namespace tw::sim
