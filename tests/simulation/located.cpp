// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/located.hpp"

#include <algorithm>

#include "simulation/expectation.hpp"
#include "simulation/frame_bytes.hpp"

namespace tw::sim {

// The product may not know who the client is; the ports tell.
std::optional<Located> locate(const Ground& ground, const event::Event& event) {
    for (std::uint32_t i = 0; i < ground.plan().connections.size(); ++i) {
        const ConnectionPlan& plan = ground.plan().connections[i];
        const bool straight = event.flow.client.port == plan.client_port;
        const bool swapped = event.flow.server.port == plan.client_port;
        if (!straight && !swapped) {
            continue;
        }
        const bool from_client = (event.direction == event::Direction::c2s) == straight;
        Located found;
        found.way = {i, from_client ? Side::client : Side::server};
        const std::uint32_t isn = plan.isn[index(found.way.side)];
        found.span = {position_of(event.seq_begin, isn), position_of(event.seq_end, isn)};
        return found;
    }
    return {};
}

namespace {

// Equal to a frame captured before it.
bool is_copy(const Ground& ground, Way way, const Seen& frame) {
    return std::ranges::any_of(ground.captured(way), [&](const Seen& earlier) {
        return earlier.number < frame.number && same_header(earlier.packet(), frame.packet());
    });
}

}  // namespace

std::vector<std::pair<Seen, Span>> repeated_parts(const Ground& ground, const event::Event& event,
                                                  const Located& located) {
    std::vector<std::pair<Seen, Span>> parts;
    if (event.subjects_count == 0) {
        return parts;
    }
    const auto first = event.subject[0].frame;
    const auto last = event.subject[event.subjects_count - 1U].frame;
    // Copies and segments sent again may lie among each other: an event is about either.
    const bool copies =
        is_copy(ground, located.way, ground.seen(static_cast<std::uint32_t>(first)));
    for (const Seen& frame : ground.captured(located.way)) {
        if (frame.number < first || frame.number > last || frame.packet().rst ||
            is_copy(ground, located.way, frame) != copies) {
            continue;
        }
        const Span common = frame.packet().span.common(located.span);
        for (const Span part : ground.parts(located.way, common)) {
            const auto before = ground.first_capture(located.way, part);
            const bool again =
                std::ranges::any_of(parts, [&](const auto& known) { return known.second == part; });
            if (before && before->number < frame.number && !again) {
                parts.emplace_back(frame, part);
            }
        }
    }
    return parts;
}

}  // namespace tw::sim
