// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/rewriter.hpp"

#include <algorithm>

#include "simulation/frame_bytes.hpp"

namespace tw::sim::two_taps {
namespace {

flow::Endpoint endpoint(const ConnectionPlan& connection, Side side) {
    flow::Endpoint out;
    const auto bytes = address(connection, side);
    std::ranges::copy(bytes, out.address.begin());
    out.v6 = connection.v6;
    out.port = side == Side::client ? connection.client_port : connection.server_port;
    return out;
}

// The firewall's address towards the server.
flow::Endpoint masquerade(bool v6, std::uint16_t port) {
    flow::Endpoint out{.port = port, .v6 = v6};
    out.address = v6 ? flow::AddressV6{0x20, 1, 0x0D, 0xB8, 0, 0xF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
                     : flow::AddressV6{192, 0, 2, 1};
    return out;
}

}  // namespace

Addresses addresses_of(const Plan& plan, std::uint32_t number, std::uint16_t translated_port) {
    const ConnectionPlan& connection = plan.hosts.connections[number];
    Addresses out;
    out.client_near = out.client_far = endpoint(connection, Side::client);
    out.server_near = out.server_far = endpoint(connection, Side::server);
    switch (plan.firewall.translation) {
        case Translation::none:
            break;
        case Translation::source:
            out.client_far = masquerade(connection.v6, translated_port);
            break;
        case Translation::destination:
            // A public address for each server, the same port.
            out.server_near.address = masquerade(connection.v6, 0).address;
            out.server_near.address[connection.v6 ? 15 : 3] =
                static_cast<std::uint8_t>(80 + connection.server_host);
            break;
    }
    return out;
}

Rewriter::Rewriter(const Plan& plan, test::Random& random)
    : rules_(plan.firewall), random_(random), corrupt_(plan.firewall.corrupt) {
    for (std::uint32_t i = 0; i < plan.hosts.connections.size(); ++i) {
        // Ports by a step that does not divide their range: random to look at, none twice.
        const auto port = static_cast<std::uint16_t>(1024 + (i * 7919U + 4001U) % 64'000U);
        Numbers numbers{.addresses = addresses_of(plan, i, port),
                        .client_isn = plan.hosts.connections[i].isn[index(Side::client)]};
        if (rules_.rewrites_isn) {
            numbers.shift = {random.word(), random.word()};
        }
        numbers_.push_back(numbers);
    }
}

void Rewriter::rewrite(Wire& packet) {
    Numbers& numbers = numbers_[packet.connection];
    packet.ttl = static_cast<std::uint8_t>(packet.ttl - rules_.hops);
    if (rules_.clears_tos) {
        packet.tos = 0;
    }
    renumber(packet, numbers);
    lengthen(packet, numbers);
    translate(packet, numbers);
    strip(packet);
    corrupt(packet);
}

void Rewriter::translate(Wire& packet, const Numbers& numbers) const {
    const Addresses& all = numbers.addresses;
    const bool client = packet.from == Side::client;
    packet.source = client ? all.client_far : all.server_near;
    packet.destination = client ? all.server_far : all.client_near;
}

void Rewriter::renumber(Wire& packet, const Numbers& numbers) const {
    const std::uint32_t own = numbers.shift[index(packet.from)];
    const std::uint32_t peer = numbers.shift[index(other(packet.from))];
    packet.seq += own;
    if (!packet.has(flag::kAck)) {
        return;
    }
    packet.ack -= peer;
    for (std::size_t i = 0; rules_.translates_sack && i < packet.options.sack_count; ++i) {
        packet.options.sack[i][0] -= peer;
        packet.options.sack[i][1] -= peer;
    }
}

void Rewriter::strip(Wire& packet) const {
    WireOptions& options = packet.options;
    if (packet.syn() && rules_.mss_max != 0 && options.mss > rules_.mss_max) {
        options.mss = rules_.mss_max;
    }
    const bool answer = packet.syn() && packet.has(flag::kAck);
    if (rules_.strips_one_way && !answer) {
        return;
    }
    const std::uint32_t before = packet.option_bytes();
    if (rules_.strips_timestamps) {
        options.timestamps = false;
    }
    if (rules_.strips_sack) {
        options.sack_permitted = false;
        options.sack_count = 0;
    }
    if (rules_.strips_scale) {
        options.scale = -1;
    }
    if (rules_.strips_by_nops) {
        options.nops = static_cast<std::uint8_t>(before - packet.option_bytes());
    }
}

// The client's first byte is followed by others; everything behind moves up.
void Rewriter::lengthen(Wire& packet, Numbers& numbers) const {
    if (rules_.inserts_bytes == 0) {
        return;
    }
    constexpr Position kBehind = 2;  // the first byte is at 1
    const bool client = packet.from == Side::client;
    if (client) {
        const bool has_first =
            packet.span.begin <= 1 && packet.span.end >= kBehind && packet.stream_bytes() > 0;
        if (has_first) {
            numbers.inserted = rules_.inserts_bytes;
            packet.inserted = rules_.inserts_bytes;
        } else if (packet.span.begin >= kBehind) {
            packet.seq += numbers.inserted;
        }
        return;
    }
    // An ACK of the inserted bytes is one of the byte before them.
    const auto back = [&](std::uint32_t number, std::uint32_t isn) {
        const Position at = position_of(number, isn);
        return at >= kBehind + numbers.inserted ? number - numbers.inserted
               : at > kBehind                   ? isn + static_cast<std::uint32_t>(kBehind)
                                                : number;
    };
    const std::uint32_t isn = numbers.client_isn;
    packet.ack = back(packet.ack, isn);
    for (std::size_t i = 0; i < packet.options.sack_count; ++i) {
        for (std::uint32_t& edge : packet.options.sack[i]) {
            edge = back(edge, isn);
        }
    }
}

void Rewriter::corrupt(Wire& packet) {
    if (packet.payload_bytes() == 0 || !corrupt_.strikes(random_)) {
        return;
    }
    packet.flip = static_cast<std::uint8_t>(1 + random_.below(255));
    packet.flip_at = static_cast<std::uint16_t>(random_.below(packet.payload_bytes()));
    packet.bad_checksum = !rules_.fixes_checksum;
}

}  // namespace tw::sim::two_taps
