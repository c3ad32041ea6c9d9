// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/ground.hpp"

#include <algorithm>

namespace tw::sim::two_taps {
namespace {

std::size_t at(Stream stream) {
    return std::size_t{stream.connection} * sim::kSides + index(stream.from);
}

bool overlaps(const Wire& one, const Wire& two) {
    return one.span.overlaps(two.span);
}

bool same_headers(const Wire& one, const Wire& two) {
    return one.span == two.span && one.flags == two.flags && one.ack == two.ack &&
           one.ip_id == two.ip_id && one.options.timestamps == two.options.timestamps &&
           one.options.ts_value == two.options.ts_value &&
           one.options.ts_echo == two.options.ts_echo &&
           one.options.sack_count == two.options.sack_count;
}

}  // namespace

Ground::Ground(const Plan& plan, const Record& record) : plan_(plan), record_(record) {
    streams_.resize(plan.hosts.connections.size() * sim::kSides);
    for (const Passing& passing : record.passings) {
        if (const Wire* wire = wire_of(passing)) {
            streams_[at(stream_of(*wire))].push_back(&passing);
        }
    }
}

const Wire* Ground::wire_of(const Passing& passing) const {
    const std::uint32_t number = passing.entry != kNone   ? passing.entry
                                 : !passing.exits.empty() ? passing.exits.front()
                                                          : kNone;
    return number == kNone ? nullptr : &record_.sightings[number].packet;
}

std::optional<Seen> Ground::frame(TapSide tap, std::uint64_t number) const {
    const auto& captures = record_.captures[taps::index(tap)];
    if (number == 0 || number > captures.size()) {
        return {};
    }
    const Captured& captured = captures[number - 1];
    const Sighting& sighting = record_.sightings[captured.sighting];
    return Seen{&captured, captured.sighting, &sighting, &record_.passings[sighting.passing]};
}

const std::vector<const Passing*>& Ground::passings(Stream stream) const {
    return streams_[at(stream)];
}

const Sighting* Ground::entry(const Passing& passing) const {
    return passing.entry == kNone ? nullptr : &record_.sightings[passing.entry];
}

std::optional<Nanos> Ground::captured_at(const Sighting& sighting) const {
    if (sighting.frames.empty()) {
        return {};
    }
    return record_.captures[taps::index(sighting.tap)][sighting.frames.front() - 1].time;
}

std::vector<const Passing*> Ground::look_alikes(const Wire& wire) const {
    std::vector<const Passing*> out;
    for (const Passing* passing : passings(stream_of(wire))) {
        if (same_headers(*wire_of(*passing), wire)) {
            out.push_back(passing);
        }
    }
    return out;
}

bool Ground::copy_left_before(const Wire& wire, Nanos time) const {
    return std::ranges::any_of(passings(stream_of(wire)), [&](const Passing* passing) {
        return overlaps(*wire_of(*passing), wire) &&
               std::ranges::any_of(passing->exits, [&](std::uint32_t exit) {
                   return record_.sightings[exit].wire <= time;
               });
    });
}

bool Ground::other_copy_entered(const Passing& passing, const Wire& wire) const {
    return std::ranges::any_of(passings(stream_of(wire)), [&](const Passing* one) {
        const Sighting* entered = entry(*one);
        return one != &passing && entered != nullptr && !entered->frames.empty() &&
               overlaps(entered->packet, wire);
    });
}

std::optional<Nanos> Ground::first_copy_left(const Wire& wire) const {
    std::optional<Nanos> first;
    for (const Passing* passing : passings(stream_of(wire))) {
        for (const std::uint32_t exit : passing->exits) {
            const Sighting& left = record_.sightings[exit];
            const auto time = captured_at(left);
            if (time && overlaps(left.packet, wire)) {
                first = std::min(first.value_or(INT64_MAX), *time);
            }
        }
    }
    return first;
}

std::optional<Nanos> Ground::covered_at(const Wire& wire) const {
    for (const Passing* passing : passings(stream_of(wire).back())) {
        const Sighting* entered = entry(*passing);
        if (entered == nullptr || entered->frames.empty()) {
            continue;
        }
        if (record_.transmissions[passing->transmission].acknowledges(wire.span)) {
            return captured_at(*entered);
        }
    }
    return {};
}

bool Ground::asked_for(const Wire& wire, Nanos after) const {
    return std::ranges::any_of(passings(stream_of(wire).back()), [&](const Passing* passing) {
        const Sighting* entered = entry(*passing);
        if (entered == nullptr || entered->frames.empty() || entered->wire < after) {
            return false;
        }
        const Packet& packet = record_.transmissions[passing->transmission];
        return packet.has_ack && packet.ack <= wire.span.begin &&
               packet.sack_count > (packet.dsack ? 1 : 0) &&
               packet.sack[packet.dsack ? 1 : 0].begin >= wire.span.end;
    });
}

bool Ground::reported_twice(const Wire& wire) const {
    return std::ranges::any_of(passings(stream_of(wire).back()), [&](const Passing* passing) {
        const Sighting* entered = entry(*passing);
        if (entered == nullptr || entered->frames.empty()) {
            return false;
        }
        const Packet& packet = record_.transmissions[passing->transmission];
        return packet.dsack && packet.sack[0].overlaps(wire.span);
    });
}

bool Ground::sender_went_on(const Wire& wire) const {
    return std::ranges::any_of(passings(stream_of(wire)), [&](const Passing* passing) {
        const Sighting* entered = entry(*passing);
        return entered != nullptr && !entered->frames.empty() &&
               entered->packet.span.begin >= wire.span.end && !entered->packet.rst() &&
               !entered->packet.span.empty();
    });
}

bool Ground::closed_before(std::uint32_t connection, Nanos time) const {
    std::array<bool, sim::kSides> fin{};
    for (const Side side : {Side::client, Side::server}) {
        for (const Passing* passing : passings({connection, side})) {
            for (const std::uint32_t exit : passing->exits) {
                const Sighting& left = record_.sightings[exit];
                if (left.wire > time) {
                    continue;
                }
                if (left.packet.rst()) {
                    return true;
                }
                fin[index(side)] |= left.packet.fin();
            }
        }
    }
    return fin[0] && fin[1];
}

bool Ground::late(const Passing& passing) const {
    const Sighting* entered = entry(passing);
    if (entered == nullptr || passing.exits.empty()) {
        return false;
    }
    const Nanos left = record_.sightings[passing.exits.front()].wire;
    return std::ranges::any_of(passings(stream_of(entered->packet)), [&](const Passing* one) {
        const Sighting* other_entered = entry(*one);
        return other_entered != nullptr && !one->exits.empty() &&
               other_entered->wire > entered->wire &&
               record_.sightings[one->exits.front()].wire < left;
    });
}

Nanos Ground::first_capture(TapSide tap) const {
    const auto& captures = record_.captures[taps::index(tap)];
    return captures.empty() ? 0 : captures.front().time;
}

Nanos Ground::last_capture(TapSide tap) const {
    const auto& captures = record_.captures[taps::index(tap)];
    return captures.empty() ? 0 : captures.back().time;
}

}  // namespace tw::sim::two_taps
