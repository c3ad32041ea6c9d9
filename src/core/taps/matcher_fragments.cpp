// SPDX-License-Identifier: BSD-3-Clause
// What is no segment on its way to those who follow it: ICMP errors, fragments and the segments
// they make up.
#include "base/sequence.hpp"
#include "core/taps/matcher.hpp"
#include "core/taps/numbers.hpp"

namespace tw::taps {

void Matcher::icmp_error(std::uint32_t slot, const Packet& quote) {
    Live& live = conversations_.live(slot);
    const Way way = live.way_of(live.party_of(quote.tap, quote.sender));
    live.logged = log_.add(live.id, live.logged, way, quote);
    evidence_.icmp_error(witnessed(slot), way, quote);
}

void Matcher::fragment(const Packet& packet, const FragmentIds& ids, std::uint32_t slot) {
    if (slot == Conversations::kNone) {
        if (const auto segment = pairs_.fragment(packet, ids, nullptr)) {
            note_whole(*segment);
        }
        return;
    }
    const Live& live = conversations_.live(slot);
    const Way way = live.way_of(live.party_of(packet.tap, packet.sender));
    const std::uint32_t shift = live.shift[live.party_of(packet.tap, packet.sender)];
    const Witnessed of = witnessed(slot);
    const FragmentOwner owner{.of = of,
                              .open = pair_states_[slot].fragments_open,
                              .way = way,
                              .seq_shift = way == Way::inward ? shift : 0U - shift};
    if (const auto segment = pairs_.fragment(packet, ids, &owner)) {
        note_whole(*segment);
    }
}

void Matcher::note_whole(const FragmentedSegment& segment) {
    const Packet& packet = segment.packet;
    Live& live = conversations_.live(segment.of.slot);
    if (live.stage != Stage::open || live.id != segment.of.conversation) {
        return;
    }
    const std::uint8_t party = live.party_of(packet.tap, packet.sender);
    if (!live.has_next(packet.tap, party) ||
        after(packet.end(), live.next[index(packet.tap)][party])) {
        live.set_next(packet.tap, party, packet.end());
    }
    const Numbers numbers = numbers_of(live, packet, party);
    evidence_.fragmented({.of = segment.of,
                          .packet = packet,
                          .numbers = numbers,
                          .way = live.way_of(party),
                          .serial = serial_});
}

}  // namespace tw::taps
