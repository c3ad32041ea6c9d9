// SPDX-License-Identifier: BSD-3-Clause
// How the matcher looks for a twin: under the numbers it knows, under those behind a payload whose
// length was changed on the way, and for that payload itself.
#include "core/taps/matcher.hpp"
#include "core/taps/numbers.hpp"

namespace tw::taps {

InFlight::Answer Matcher::find(const Live& live, const Packet& packet, std::uint8_t party,
                               bool copy) const {
    return find_as(live, packet, expected_of(live, packet, party), party, copy);
}

// `expected`: the twin, which waits under the key that the conversation's shift gave it.
InFlight::Answer Matcher::find_as(const Live& live, const Packet& packet, const Packet& expected,
                                  std::uint8_t party, bool copy) const {
    const Way way = live.way_of(party);
    const bool entering = packet.tap == entry(way);
    const Nanos wait = wait_.now();
    const Nanos usual = usual_[index(way)];
    return in_flight_.find(
        {.key = key_at(live, expected, party, expected.tap),
         .expected = &expected,
         .earliest = packet.time - (entering ? options_.negative_skew_max : wait),
         .latest = packet.time + (entering ? wait : options_.negative_skew_max),
         .likely = packet.time + (entering ? usual : -usual),
         .kept = kept_of(live, way, party),
         .copy = copy});
}

InFlight::Answer Matcher::find_shifted(Live& live, const Packet& packet, std::uint8_t party,
                                       bool copy) const {
    const auto is_twin = [](const InFlight::Answer& answer) {
        return answer.index != InFlight::kNone && answer.level <= KeyLevel::without_options;
    };
    for (const std::uint8_t shifted : {party, static_cast<std::uint8_t>(party ^ 1)}) {
        if (!live.has_other_shift(shifted)) {
            continue;
        }
        // Twins wait under keys of either shift: it may have changed while they waited.
        const Packet plain = expected_of(live, packet, party);
        live.exchange_shifts(shifted);
        const Packet moved = expected_of(live, packet, party);
        InFlight::Answer answer = find_as(live, packet, plain, party, copy);
        if (is_twin(answer)) {
            live.exchange_shifts(shifted);
            return answer;
        }
        answer = find_as(live, packet, moved, party, copy);
        if (!is_twin(answer)) {
            live.exchange_shifts(shifted);
            answer = find_as(live, packet, moved, party, copy);
            if (!is_twin(answer)) {
                continue;
            }
            live.exchange_shifts(shifted);
        }
        live.set_stepped(shifted);
        return answer;
    }
    return {};
}

bool Matcher::pair_after_all(const Waiting& waiting) {
    Live& live = conversations_.live(waiting.slot);
    const std::uint8_t party = live.party_of(waiting.packet.tap, waiting.packet.sender);
    const InFlight::Answer answer = find(live, waiting.packet, party, waiting.copy);
    if (answer.index == InFlight::kNone || waiting.packet.payload_bytes == 0) {
        return false;
    }
    const Waiting twin = in_flight_[answer.index];
    in_flight_.remove(answer.index);
    pair(waiting.slot, twin, waiting.packet, waiting.serial, waiting.copy, waiting.out_of_order,
         waiting.idle, answer);
    return true;
}

// A packet whose time is over: did it pass with another length? So if the numbers behind it say so,
// or if it left with bytes that its sender had not sent.
bool Matcher::pair_lengths(const Waiting& waiting) {
    Live& live = conversations_.live(waiting.slot);
    const Packet& packet = waiting.packet;
    const std::uint8_t party = live.party_of(packet.tap, packet.sender);
    if (!live.has_other_shift(party) || packet.payload_bytes == 0) {
        return false;
    }
    InFlight::Answer answer = find(live, packet, party, waiting.copy);
    if (answer.of_other_length == InFlight::kNone) {
        live.exchange_shifts(party);
        answer = find(live, packet, party, waiting.copy);
        live.exchange_shifts(party);
    }
    if (answer.index != InFlight::kNone || answer.of_other_length == InFlight::kNone) {
        return false;
    }
    const Waiting twin = in_flight_[answer.of_other_length];
    const bool last_left = packet.tap == exit(live.way_of(party));
    const Packet& entered = last_left ? twin.packet : packet;
    const Packet& left = last_left ? packet : twin.packet;
    const bool has_more = left.payload_bytes > entered.payload_bytes &&
                          live.next[index(entered.tap)][party] == entered.end();
    if (!live.has_stepped(party) && !has_more) {
        return false;
    }
    in_flight_.remove(answer.of_other_length);
    pair(waiting.slot, twin, packet, waiting.serial, waiting.copy, waiting.out_of_order,
         waiting.idle, {.level = KeyLevel::shifted});
    return true;
}

}  // namespace tw::taps
