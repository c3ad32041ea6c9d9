// SPDX-License-Identifier: BSD-3-Clause
// A packet and its twin: what the two tell of the conversation, and who is told of them.
#include <algorithm>

#include "core/taps/matcher.hpp"
#include "core/taps/numbers.hpp"

namespace tw::taps {
namespace {

void raise(std::uint16_t& count) {
    count = static_cast<std::uint16_t>(count + (count != UINT16_MAX ? 1 : 0));
}

}  // namespace

void Matcher::remember(Live& live, Way way, const Packet& entered, const Packet& left) {
    for (Likeness* likeness : {&live.likeness[index(way)], &likeness_[index(way)]}) {
        if (likeness->same_id == UINT16_MAX || likeness->same_times == UINT16_MAX) {
            *likeness = {static_cast<std::uint16_t>(likeness->same_id / 2),
                         static_cast<std::uint16_t>(likeness->other_id / 2),
                         static_cast<std::uint16_t>(likeness->same_times / 2),
                         static_cast<std::uint16_t>(likeness->other_times / 2)};
        }
        if (!entered.v6 && !left.v6 && entered.ip_id != 0 && left.ip_id != 0) {
            raise(entered.ip_id == left.ip_id ? likeness->same_id : likeness->other_id);
        }
        if (entered.option(option_bit::kTimestamps) && left.option(option_bit::kTimestamps)) {
            raise(entered.tsval == left.tsval ? likeness->same_times : likeness->other_times);
        }
    }
}

std::uint8_t Matcher::timed_class_of(const Live& live, Conversation& record) const {
    if (options_.timed_classes == nullptr) {
        return 0;
    }
    record.client_side = live.client_side;
    return options_.timed_classes->class_of(record);
}

// Of a packet that is no copy.
Pair Matcher::pair_of(std::uint32_t slot, const Packet& entered, const Packet& left,
                      std::uint8_t party, const InFlight::Answer& answer) {
    const Live& live = conversations_.live(slot);
    Conversation& record = conversations_.record(slot);
    PairState& state = pair_states_[slot];
    if (state.timed == 0) {
        state.timed = static_cast<std::uint8_t>(timed_class_of(live, record) + 1);
    }
    const Way way = live.way_of(party);
    const std::uint32_t back_shift = live.shift[party ^ 1];
    const bool inward = entry(way) == Side::outside;
    return {.entered = entered,
            .left = left,
            .way = way,
            .seq_shift = inward ? live.shift[party] : 0U - live.shift[party],
            .ack_shift = inward ? back_shift : 0U - back_shift,
            .shifts_known = live.shift_known == 3,
            .address_changed = record.translated,
            .port_changed = record.translated && (record.client[0].port != record.client[1].port ||
                                                  record.server[0].port != record.server[1].port),
            .ack_matched = answer.level < KeyLevel::without_ack,
            .alone = answer.alone,
            .others_wait = answer.others_wait,
            .exact = answer.level <= KeyLevel::without_ip_id,
            .timed_class = static_cast<std::uint8_t>(state.timed - 1)};
}

void Matcher::pair(std::uint32_t slot, const Waiting& waiting, const Packet& packet,
                   std::uint64_t serial, bool copy, bool out_of_order, Nanos idle,
                   const InFlight::Answer& answer) {
    Live& live = conversations_.live(slot);
    Conversation& record = conversations_.record(slot);
    const std::uint8_t party = live.party_of(packet.tap, packet.sender);
    const Way way = live.way_of(party);
    const bool last_entered = packet.tap == entry(way);
    const Packet& entered = last_entered ? packet : waiting.packet;
    const Packet& left = last_entered ? waiting.packet : packet;
    if (!live.knows_shift(party)) {
        live.set_shift(party, 0);  // no SYN was seen at both taps: equal numbers found the pair
    }
    const Witnessed of = witnessed(slot);
    const Numbers first_numbers = numbers_of(live, waiting.packet, party);
    const Numbers last_numbers = numbers_of(live, packet, party);
    const Seen first{.of = of,
                     .packet = waiting.packet,
                     .numbers = first_numbers,
                     .way = way,
                     .serial = waiting.serial,
                     .copy = waiting.copy};
    const Seen last{.of = of,
                    .packet = packet,
                    .numbers = last_numbers,
                    .way = way,
                    .serial = serial,
                    .copy = copy};
    const Seen& seen_entered = last_entered ? last : first;
    const Seen& seen_left = last_entered ? first : last;

    --live.waiting;
    live.paired_once = true;
    log_.link(static_cast<std::uint32_t>(waiting.serial), static_cast<std::uint32_t>(serial));
    remember(live, way, entered, left);
    const Nanos transit = left.time - entered.time;
    wait_.add(transit);
    Nanos& usual = usual_[index(way)];
    usual = usual == 0 ? transit : usual + (transit - usual) / 16;  // a shift: 16 is a constant
    if (!seen_entered.copy) {
        WayCounts& counts = record.ways[index(way)];
        ++counts.passed;
        counts.passed_bytes += entered.payload_bytes;
        counts.longest_passed = std::max(counts.longest_passed, entered.ip_bytes);
        Pair found = pair_of(slot, entered, left, party, answer);
        found.out_of_order = last_entered ? out_of_order : waiting.out_of_order;
        found.idle = last_entered ? idle : waiting.idle;
        pairs_.passed(pair_states_[slot], found, of);
    }
    live.last_left = std::max(live.last_left, left.time);
    evidence_.paired(seen_entered, seen_left, answer.level);
}

}  // namespace tw::taps
