// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/numbers.hpp"

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;

std::uint32_t moved(std::uint32_t number, std::uint32_t shift, Side to) {
    return to == Side::inside ? number + shift : number - shift;
}

}  // namespace

Numbers numbers_of(const Live& live, const Packet& packet, std::uint8_t party) {
    const Side home = entry(live.way_of(party));
    const std::uint8_t peer = party ^ 1;
    const bool entering = packet.tap == home;
    const bool acks = packet.has(flag::kAck);
    Numbers numbers{.seq = packet.seq, .ack = packet.ack, .sack = packet.sack};
    if (entering) {
        // The peer counts as its own entry tap shows it, which is this packet's exit.
        const std::uint32_t shift = live.shift[peer];
        numbers.ack = acks ? moved(packet.ack, shift, other(home)) : packet.ack;
        for (tcp::SackBlock& block : numbers.sack) {
            block = {moved(block.left, shift, other(home)), moved(block.right, shift, other(home))};
        }
        numbers.known = !acks || live.knows_shift(peer);
    } else {
        numbers.seq = moved(packet.seq, live.shift[party], home);
        numbers.known = live.knows_shift(party);
    }
    return numbers;
}

Packet expected_of(const Live& live, const Packet& packet, std::uint8_t party) {
    const Side to = other(packet.tap);
    const std::uint32_t shift = live.shift[party ^ 1];
    Packet expected = packet;
    expected.tap = to;
    expected.seq = moved(packet.seq, live.shift[party], to);
    if (packet.has(flag::kAck)) {
        expected.ack = moved(packet.ack, shift, to);
    }
    for (tcp::SackBlock& block : expected.sack) {
        block = {moved(block.left, shift, to), moved(block.right, shift, to)};
    }
    return expected;
}

TwinKey twin_key_of(const Live& live, const Packet& packet, std::uint8_t party) {
    TwinKey key{.conversation = live.id,
                .party = party,
                .flags = static_cast<std::uint8_t>(packet.flags & kTwinFlags),
                .payload = packet.payload_bytes != 0};
    const bool inside = packet.tap == Side::inside;
    if (!packet.has(flag::kSyn)) {
        key.seq = inside ? packet.seq - live.shift[party] : packet.seq;
        if (packet.space() == 0 && packet.has(flag::kAck)) {
            key.ack = inside ? packet.ack - live.shift[party ^ 1] : packet.ack;
        }
    }
    return key;
}

}  // namespace tw::taps
