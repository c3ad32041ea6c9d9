// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/episode_text.hpp"

#include <fmt/core.h>

#include "core/event/event.hpp"
#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using event::Direction;
using event::EventType;
using event::Resolution;
using format::bytes_text;
using format::count_of;
using format::duration_text;

[[nodiscard]] std::string range_text(const event::Event& event) {
    const std::uint32_t base = event.seq_base_known ? event.seq_base : 0;
    return fmt::format("[{}..{})", event.seq_begin - base, event.seq_end - base);
}

// " (frame 9)", or nothing where frames have no numbers.
[[nodiscard]] std::string evidence_text(const event::Event& event) {
    if (event.evidence_count == 0 || event.evidence[0].frame == 0) {
        return {};
    }
    return fmt::format(" (frame {})", event.evidence[0].frame);
}

[[nodiscard]] std::string hole_end(const event::Event& event) {
    const std::string lag = duration_text(format::elapsed(event.time, event.time_end));
    const std::string where = evidence_text(event);
    switch (event.resolution) {
        case Resolution::filled:
            return fmt::format("captured {} late{}", lag, where);
        case Resolution::filled_after_ack:
            return fmt::format("captured {} late, after the ACK that covers them{}", lag, where);
        case Resolution::acknowledged_unseen:
            return fmt::format("never captured, but acknowledged by the receiver{}{}", where,
                               !event.fin_possible ? ""
                               : event.bytes == 1  ? "; it may be a FIN"
                                                   : "; the last of them may be a FIN");
        case Resolution::never:
            return "never seen: not captured, not acknowledged";
        case Resolution::unknown_limit:
            return "not captured; a limit was reached, so the end was not followed";
        case Resolution::acknowledged:
        case Resolution::acknowledged_before:
            break;  // not of a hole
    }
    return std::string(event::name(event.resolution));
}

[[nodiscard]] std::string repeat_end(const event::Event& event) {
    switch (event.resolution) {
        case Resolution::acknowledged:
            return "acknowledged afterwards" + evidence_text(event);
        case Resolution::acknowledged_before:
            return "already acknowledged before" + evidence_text(event);
        case Resolution::never:
            return "never acknowledged";
        case Resolution::unknown_limit:
            return "a limit was reached, so the end was not followed";
        case Resolution::filled:
        case Resolution::filled_after_ack:
        case Resolution::acknowledged_unseen:
            break;  // not of a repeat
    }
    return std::string(event::name(event.resolution));
}

[[nodiscard]] std::string subject_text(const event::Event& event) {
    if (event.subjects_count == 0 || event.subject[0].frame == 0) {
        return {};
    }
    const std::uint64_t first = event.subject[0].frame;
    if (event.type == EventType::hole) {
        return fmt::format("; first noticed in frame {}", first);
    }
    const std::uint64_t last = event.subject[event.subjects_count - 1U].frame;
    return first == last ? fmt::format("; frame {}", first)
                         : fmt::format("; frames {} to {}", first, last);
}

[[nodiscard]] std::string what_happened(const event::Event& event) {
    switch (event.type) {
        case EventType::hole:
            return fmt::format("{} {} {}", bytes_text(event.bytes), range_text(event),
                               hole_end(event));
        case EventType::repeat:
            return fmt::format(
                "{} {} {} sent again, {}", count_of(event.repeats_count, "segment"),
                event.bytes == 0 ? "without data" : "with " + bytes_text(event.bytes),
                range_text(event), repeat_end(event));
        case EventType::handshake:
        case EventType::reset:
        case EventType::stall:
        case EventType::path:
            return fmt::format("{} for {}", event::name(event.type),
                               duration_text(format::elapsed(event.time, event.time_end)));
    }
    return {};
}

}  // namespace

std::string episode_text(const event::Event& event) {
    const bool from_client = event.direction == Direction::c2s;
    const flow::Endpoint& sender = from_client ? event.flow.client : event.flow.server;
    const flow::Endpoint& receiver = from_client ? event.flow.server : event.flow.client;
    return fmt::format("{} {} -> {}: {}{}", event::name(event.direction),
                       format::endpoint_text(sender), format::endpoint_text(receiver),
                       what_happened(event), subject_text(event));
}

std::string_view hole_words(Resolution resolution) {
    switch (resolution) {
        case Resolution::acknowledged_unseen:
            return "acknowledged, never captured: the receiver has them, the capture missed them";
        case Resolution::never:
            return "never seen at all: neither captured nor acknowledged";
        case Resolution::unknown_limit:
            return "not captured so far as followed: a limit was reached";
        case Resolution::filled:
            return "captured later: sent again or out of order, nothing is missing";
        case Resolution::filled_after_ack:
            return "captured just after their ACK: order of the capture, nothing is missing";
        case Resolution::acknowledged:
        case Resolution::acknowledged_before:
            break;  // not of a hole
    }
    return event::name(resolution);
}

std::string_view repeat_words(Resolution resolution) {
    switch (resolution) {
        case Resolution::acknowledged:
            return "acknowledged after the repeat";
        case Resolution::acknowledged_before:
            return "had all been acknowledged before the repeat";
        case Resolution::never:
            return "never acknowledged";
        case Resolution::unknown_limit:
            return "not followed to the end: a limit was reached";
        case Resolution::filled:
        case Resolution::filled_after_ack:
        case Resolution::acknowledged_unseen:
            break;  // not of a repeat
    }
    return event::name(resolution);
}

}  // namespace tw::sinks
