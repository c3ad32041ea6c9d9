// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/wire.hpp"

#include "simulation/frame_bytes.hpp"

namespace tw::sim::two_taps {
namespace {

constexpr std::int8_t kWindowShift = 7;
// No simulated window is larger.
constexpr Position kWindowMax = 4'000'000;

std::uint32_t number_of(Position position, std::uint32_t isn) {
    return isn + static_cast<std::uint32_t>(position);
}

std::uint8_t flags_of(const Packet& packet) {
    return static_cast<std::uint8_t>((packet.fin ? flag::kFin : 0) | (packet.syn ? flag::kSyn : 0) |
                                     (packet.rst ? flag::kRst : 0) |
                                     (packet.push ? flag::kPsh : 0) |
                                     (packet.has_ack ? flag::kAck : 0));
}

bool plausible(const Packet& packet, Position expected, Position sent_until) {
    if (packet.has_ack && (packet.ack > sent_until || packet.ack < 0)) {
        return false;
    }
    return packet.span.begin <= expected + kWindowMax &&
           packet.span.begin >= expected - kWindowMax && packet.span.begin >= 0;
}

}  // namespace

std::uint32_t Wire::option_bytes() const {
    std::uint32_t bytes = options.nops;
    bytes += options.mss != 0 ? 4U : 0U;
    bytes += options.scale >= 0 ? 3U : 0U;
    bytes += options.sack_permitted ? 2U : 0U;
    bytes += options.timestamps ? (syn() ? 10U : 12U) : 0U;
    bytes += options.sack_count != 0 ? 4U + 8U * options.sack_count : 0U;
    return (bytes + 3) / 4 * 4;
}

std::uint32_t Wire::ip_bytes() const {
    return (source.v6 ? 40U : 20U) + 20U + option_bytes() + payload_bytes();
}

Wire to_wire(const Packet& packet, const Numbering& numbering) {
    Wire wire;
    wire.connection = packet.connection;
    wire.from = packet.from;
    wire.dsack = packet.dsack;
    wire.span = packet.span;
    wire.seq = number_of(packet.span.begin, numbering.own_isn);
    wire.ack = packet.has_ack ? number_of(packet.ack, numbering.peer_isn) : 0;
    wire.window = packet.window;
    wire.ip_id = packet.ip_id;
    wire.flags = flags_of(packet);
    wire.ttl = packet.ttl;
    WireOptions& options = wire.options;
    if (packet.syn) {
        options.mss = static_cast<std::uint16_t>(packet.offer.mss);
        options.scale = packet.offer.scaling ? kWindowShift : std::int8_t{-1};
        options.sack_permitted = packet.offer.sack;
    }
    options.timestamps = packet.timestamps;
    options.ts_value = packet.ts_value;
    options.ts_echo = packet.ts_echo;
    options.sack_count = packet.sack_count;
    for (std::size_t i = 0; i < packet.sack_count; ++i) {
        options.sack[i] = {number_of(packet.sack[i].begin, numbering.peer_isn),
                           number_of(packet.sack[i].end, numbering.peer_isn)};
    }
    return wire;
}

std::optional<Packet> from_wire(const Wire& wire, Numbering& numbering, Position expected,
                                Position sent_until) {
    if (wire.kind != WireKind::segment || wire.bad_checksum) {
        return {};
    }
    if (wire.syn() && !numbering.peer_known) {
        numbering.peer_isn = wire.seq;
        numbering.peer_known = true;
    }
    Packet packet;
    packet.connection = wire.connection;
    packet.from = wire.from;
    packet.syn = wire.syn();
    packet.fin = wire.fin();
    packet.rst = wire.rst();
    packet.push = wire.has(flag::kPsh);
    packet.has_ack = wire.has(flag::kAck);
    packet.dsack = wire.dsack;
    packet.ack = position_of(wire.ack, numbering.own_isn);
    packet.span.begin = numbering.peer_known ? position_of(wire.seq, numbering.peer_isn) : 0;
    packet.span.end = packet.span.begin + wire.space();
    packet.window = wire.window;
    packet.timestamps = wire.options.timestamps;
    packet.ts_value = wire.options.ts_value;
    packet.ts_echo = wire.options.ts_echo;
    packet.sack_count = wire.options.sack_count;
    for (std::size_t i = 0; i < packet.sack_count; ++i) {
        packet.sack[i] = {position_of(wire.options.sack[i][0], numbering.own_isn),
                          position_of(wire.options.sack[i][1], numbering.own_isn)};
    }
    packet.offer = {.mss = wire.options.mss != 0 ? Position{wire.options.mss} : SynOptions{}.mss,
                    .sack = wire.options.sack_permitted,
                    .scaling = wire.options.scale >= 0,
                    .timestamps = wire.options.timestamps};
    if (!numbering.peer_known && !packet.rst) {
        return {};
    }
    return plausible(packet, expected, sent_until) ? std::optional(packet) : std::nullopt;
}

}  // namespace tw::sim::two_taps
