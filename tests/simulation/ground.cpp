// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/ground.hpp"

#include <algorithm>

namespace tw::sim {

Ground::Ground(const Plan& plan, const Record& record)
    : plan_(plan),
      record_(record),
      sent_(plan.connections.size() * kSides),
      captured_(plan.connections.size() * kSides) {
    for (const Transmission& one : record.transmissions) {
        sent_[at({one.packet.connection, one.packet.from})].push_back(&one);
    }
    for (std::uint32_t number = 1; number <= record.captures.size(); ++number) {
        const Seen frame = seen(number);
        captured_[at({frame.packet().connection, frame.packet().from})].push_back(frame);
    }
}

Seen Ground::seen(std::uint32_t number) const {
    const Capture& capture = record_.captures[number - 1];
    const Transmission& transmission = record_.transmissions[capture.transmission];
    return {number, capture.time, &capture, &transmission, &transmission.passes[capture.pass]};
}

const std::vector<const Transmission*>& Ground::sent(Way way) const {
    return sent_[at(way)];
}

const std::vector<Seen>& Ground::captured(Way way) const {
    return captured_[at(way)];
}

std::vector<Span> Ground::parts(Way way, Span span) const {
    if (span.empty()) {
        return {};
    }
    std::vector<Position> cuts{span.begin, span.end};
    for (const Transmission* one : sent(way)) {
        for (const Position edge : {one->packet.span.begin, one->packet.span.end}) {
            if (span.begin < edge && edge < span.end) {
                cuts.push_back(edge);
            }
        }
    }
    std::ranges::sort(cuts);
    const auto rest = std::ranges::unique(cuts);
    cuts.erase(rest.begin(), rest.end());
    std::vector<Span> parts;
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
        parts.push_back({cuts[i], cuts[i + 1]});
    }
    return parts;
}

std::vector<const Transmission*> Ground::carriers(Way way, Span part) const {
    std::vector<const Transmission*> found;
    for (const Transmission* one : sent(way)) {
        if (one->packet.span.covers(part) && !one->packet.rst) {
            found.push_back(one);
        }
    }
    return found;
}

std::optional<Seen> Ground::first_capture(Way way, Span part) const {
    for (const Seen& frame : captured(way)) {
        if (frame.packet().span.covers(part) && !frame.packet().rst) {
            return frame;
        }
    }
    return {};
}

std::optional<Seen> Ground::first_ack(Way way, Span part) const {
    for (const Seen& frame : captured(way.back())) {
        if (frame.packet().acknowledges(part)) {
            return frame;
        }
    }
    return {};
}

bool Ground::dsack_after(Way way, Span part, std::uint32_t number) const {
    return std::ranges::any_of(captured(way.back()), [&](const Seen& frame) {
        return frame.number > number && frame.packet().dsack &&
               frame.packet().sack[0].overlaps(part);
    });
}

bool Ground::lacked_before(Way way, Span part, std::uint32_t number) const {
    Nanos latest_copy = 0;
    for (const Seen& frame : captured(way)) {
        if (frame.number < number && frame.packet().span.covers(part)) {
            latest_copy = frame.time;
        }
    }
    const Nanos answered = latest_copy + receiver_round_trip(way) + 2 * plan_.jitter;
    for (const Seen& frame : captured(way.back())) {
        const Packet& packet = frame.packet();
        if (frame.number > number) {
            break;
        }
        if (!packet.has_ack || packet.rst || packet.acknowledges(part) || packet.ack > part.begin) {
            continue;
        }
        for (std::size_t i = packet.dsack ? 1 : 0; i < packet.sack_count; ++i) {
            if (packet.sack[i].begin >= part.end) {
                return true;
            }
        }
        if (frame.time > answered) {
            return true;
        }
    }
    return false;
}

Position Ground::first_position(Way way) const {
    for (const Seen& frame : captured(way)) {
        if (!frame.packet().rst) {
            return frame.packet().span.begin;
        }
    }
    return INT64_MAX;
}

bool Ground::counts_ip_id(Way way) const {
    const IpIdPolicy policy = stack(way).ip_id;
    return !connection(way).v6 &&
           (policy == IpIdPolicy::per_connection || policy == IpIdPolicy::per_host);
}

Ground::Unseen Ground::unseen(Way way, Span part) const {
    const auto first = first_capture(way, part);
    const Nanos until = first ? first->pass->wire : INT64_MAX;
    Unseen found;
    for (const Transmission* one : carriers(way, part)) {
        for (const Pass& pass : one->passes) {
            if (!pass.missed() || pass.wire == 0 || pass.wire >= until) {
                continue;
            }
            found.wire = found.any ? std::min(found.wire, pass.wire) : pass.wire;
            found.any = true;
            found.arrived |= !pass.arrivals.empty();
        }
    }
    return found;
}

}  // namespace tw::sim
