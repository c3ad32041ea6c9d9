// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/pairings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <tuple>

namespace tw::sim::two_taps {
namespace {

// Addresses of a connection at one tap, the client's first.
using Tuple = std::tuple<flow::AddressV6, std::uint16_t, flow::AddressV6, std::uint16_t>;

Tuple tuple_of(const flow::Endpoint& client, const flow::Endpoint& server) {
    return {client.address, client.port, server.address, server.port};
}

// What each tap saw of a connection. Connections that use one tuple again count as one: records are
// told apart by more than addresses elsewhere.
struct Both {
    std::array<Tuple, taps::kSides> tuple{};
    std::array<bool, taps::kSides> seen{};
};

std::vector<Both> truth_of(const Ground& ground) {
    std::vector<Both> all(ground.plan().hosts.connections.size());
    for (const Sighting& one : ground.record().sightings) {
        if (one.frames.empty() || one.packet.kind != WireKind::segment) {
            continue;
        }
        const bool client = one.packet.from == Side::client;
        Both& both = all[one.packet.connection];
        both.seen[taps::index(one.tap)] = true;
        both.tuple[taps::index(one.tap)] =
            tuple_of(client ? one.packet.source : one.packet.destination,
                     client ? one.packet.destination : one.packet.source);
    }
    return all;
}

Tuple swapped(const Tuple& tuple) {
    return {std::get<2>(tuple), std::get<3>(tuple), std::get<0>(tuple), std::get<1>(tuple)};
}

}  // namespace

void score_pairings(const Ground& ground, const Findings& findings, Score& out) {
    const std::vector<Both> truth = truth_of(ground);
    std::set<std::pair<Tuple, Tuple>> right;
    std::set<std::pair<Tuple, Tuple>> found;
    for (const Both& both : truth) {
        out.connections += both.seen[0] || both.seen[1] ? 1U : 0U;
        right.insert({both.tuple[0], both.tuple[1]});
    }
    for (const taps::Conversation& one : findings.conversations) {
        if (!one.seen[0] || !one.seen[1]) {
            continue;
        }
        std::pair<Tuple, Tuple> said{tuple_of(one.client[0], one.server[0]),
                                     tuple_of(one.client[1], one.server[1])};
        if (!right.contains(said)) {
            said = {swapped(said.first), swapped(said.second)};  // the client was a guess
        }
        found.insert(said);
        if (!right.contains(said)) {
            ++out.wrongly_paired;
            out.pairing_mistakes.push_back(
                fmt::format("conversation {} joins what is not one, by {}: ports {}-{} and {}-{}",
                            one.id, taps::name(one.pairing), one.client[0].port, one.server[0].port,
                            one.client[1].port, one.server[1].port));
        }
    }
    for (std::size_t i = 0; i < truth.size(); ++i) {
        const Both& both = truth[i];
        if (both.seen[0] && both.seen[1] && !found.contains({both.tuple[0], both.tuple[1]})) {
            ++out.unpaired;
            out.pairing_mistakes.push_back(fmt::format("c{} was seen at both taps, unpaired", i));
        }
    }
}

}  // namespace tw::sim::two_taps
