// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/finding_words.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <span>

#include "sinks/format/human.hpp"

namespace tw::sinks {
namespace {

using event::EventType;
using event::FrameRef;
using event::Place;
using event::Role;

[[nodiscard]] std::string address_text(const flow::Endpoint& endpoint) {
    std::string text;
    format::append_address(text, endpoint);
    return text;
}

[[nodiscard]] std::span<const FrameRef> subjects(const event::Event& event) {
    return std::span(event.subject)
        .first(std::min<std::size_t>(event.subjects_count, event.subject.size()));
}

[[nodiscard]] std::span<const FrameRef> evidence(const event::Event& event) {
    return std::span(event.evidence)
        .first(std::min<std::size_t>(event.evidence_count, event.evidence.size()));
}

}  // namespace

std::string FindingWords::sender() const {
    return from_client() ? "client " + format::endpoint_text(event_.flow.client)
                         : "server " + format::endpoint_text(event_.flow.server);
}

std::string FindingWords::receiver() const {
    return from_client() ? "server " + format::endpoint_text(event_.flow.server)
                         : "client " + format::endpoint_text(event_.flow.client);
}

std::string_view FindingWords::the_sender() const {
    return from_client() ? "the client" : "the server";
}

std::string_view FindingWords::the_receiver() const {
    return from_client() ? "the server" : "the client";
}

std::string FindingWords::sender_address() const {
    return address_text(from_client() ? event_.flow.client : event_.flow.server);
}

std::string FindingWords::receiver_address() const {
    return address_text(from_client() ? event_.flow.server : event_.flow.client);
}

std::string FindingWords::what() const {
    if (event_.bytes != 0) {
        const std::string_view last = !event_.fin_possible ? ""
                                      : event_.bytes == 1  ? " or the FIN"
                                                           : " (the last perhaps the FIN)";
        return format::bytes_text(event_.bytes) + std::string(last);
    }
    // Without payload only a SYN or a FIN takes a number, and the SYN takes the first.
    if (event_.seq_base_known && event_.seq_begin == event_.seq_base) {
        return from_client() ? "the SYN" : "the SYN/ACK";
    }
    return "the FIN";
}

bool FindingWords::one() const {
    return event_.bytes <= 1;
}

const FrameRef* FindingWords::find(Role role) const {
    for (const auto refs : {subjects(event_), evidence(event_)}) {
        const auto found = std::find_if(refs.begin(), refs.end(),
                                        [role](const FrameRef& ref) { return ref.role == role; });
        if (found != refs.end()) {
            return &*found;
        }
    }
    return nullptr;
}

std::string FindingWords::at(const FrameRef& ref) {
    return ref.frame != 0 ? fmt::format("frame {}", ref.frame)
                          : "at " + format::clock_text(ref.time);
}

std::string FindingWords::see(Role role, std::string_view label) const {
    const FrameRef* ref = find(role);
    if (ref == nullptr) {
        return {};
    }
    return fmt::format(" ({}{}{})", label, label.empty() ? "" : ", ", at(*ref));
}

std::string FindingWords::see_subject() const {
    const auto refs = subjects(event_);
    if (refs.empty()) {
        return {};
    }
    if (refs.size() == 1 || event_.type == EventType::hole) {
        return fmt::format(" ({})", at(refs.front()));
    }
    if (event_.repeats_count > 2 && refs.front().frame != 0 && refs.back().frame != 0) {
        return fmt::format(" (frames {} to {})", refs.front().frame, refs.back().frame);
    }
    return see_both(&refs.front(), &refs.back());
}

std::string FindingWords::see_repeats() const {
    if (event_.type != EventType::handshake) {
        return see_subject();
    }
    const FrameRef* last = find(Role::repeat);
    if (last == nullptr || event_.repeats_count < 2) {
        return last == nullptr ? std::string() : fmt::format(" ({})", at(*last));
    }
    return fmt::format(" ({}, the last {}{})", format::count_of(event_.repeats_count, "time"),
                       last->frame != 0 ? "in " : "", at(*last));
}

std::string FindingWords::see_both(const FrameRef* first, const FrameRef* second) {
    if (first == nullptr || second == nullptr) {
        const FrameRef* only = first != nullptr ? first : second;
        return only == nullptr ? std::string() : fmt::format(" ({})", at(*only));
    }
    if (first->frame != 0 && second->frame != 0) {
        return fmt::format(" (frames {} and {})", first->frame, second->frame);
    }
    return fmt::format(" ({} and {})", at(*first), at(*second));
}

std::string FindingWords::asked() const {
    const std::uint32_t times = event_.finding.asked;
    if (times == 0) {
        return {};
    }
    std::string text = fmt::format("asked for {}", them());
    if (times > 1) {
        text += fmt::format(" {} times", format::count_text(times));
    }
    const FrameRef* ack = find(Role::dup_ack);
    const FrameRef* ref = ack != nullptr ? ack : find(Role::sack);
    if (ref != nullptr) {
        // Where part of a hole is left or came later, the request may have named another number.
        const bool exact = ack != nullptr && event_.resolution == event::Resolution::never &&
                           event_.type == EventType::hole;
        text += fmt::format(
            " ({}{}{})", exact ? fmt::format("duplicate ACK {}, ", number(event_.seq_begin)) : "",
            times == 1        ? ""
            : ref->frame == 0 ? "first "
                              : "first in ",
            at(*ref));
    }
    return text;
}

std::string FindingWords::side() const {
    switch (event_.finding.place) {
        case Place::none:
            return {};
        case Place::sender_to_tap:
            return fmt::format("between {} and the tap", sender_address());
        case Place::tap_to_receiver:
            return fmt::format("between the tap and {}", receiver_address());
        case Place::receiver_to_tap:
            return fmt::format("between {} and the tap", receiver_address());
        case Place::tap_to_sender:
            return fmt::format("between the tap and {}", sender_address());
        case Place::at_tap:
            return "at the tap";
        case Place::inside_sender:
            return fmt::format("inside {}", sender_address());
        case Place::inside_receiver:
            return fmt::format("after the tap, inside {}", receiver_address());
        case Place::beyond_tap:
            return "on one side of the tap, which one is not known";
    }
    return {};
}

std::string FindingWords::where() const {
    const std::string text = side();
    return text.empty() ? text : " " + text;
}

std::string FindingWords::duration() const {
    return format::duration_text(format::elapsed(event_.time, event_.time_end));
}

Nanos FindingWords::idle() const {
    return format::elapsed(event_.since, event_.time);
}

std::string FindingWords::cost(Nanos said) const {
    const Nanos cost = event_.finding.cost;
    const std::string text = format::duration_text(cost);
    // A cost below a millisecond is nobody's trouble.
    if (cost < kMillisecond || text == format::duration_text(said)) {
        return {};
    }
    return "; it cost " + text;
}

std::string FindingWords::number(std::uint32_t seq) const {
    return std::to_string(seq - (event_.seq_base_known ? event_.seq_base : 0));
}

}  // namespace tw::sinks
