// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/policy_match.hpp"

#include <algorithm>
#include <span>

namespace tw::firewall {
namespace {

using flow::Endpoint;
using taps::NatHint;
using taps::Side;

[[nodiscard]] bool contains(const Prefix& prefix, const Endpoint& endpoint) {
    if (prefix.v6 != endpoint.v6) {
        return false;
    }
    for (unsigned bit = 0; bit < prefix.bits; bit += 8) {
        const unsigned kept = std::min<unsigned>(prefix.bits - bit, 8);
        const auto mask = static_cast<std::uint8_t>(0xFF00U >> kept);
        if ((endpoint.address[bit / 8] & mask) != (prefix.address[bit / 8] & mask)) {
            return false;
        }
    }
    return true;
}

[[nodiscard]] bool in_networks(const Policy& policy, std::span<const std::uint32_t> networks,
                               const Endpoint& endpoint) {
    return networks.empty() ||
           std::any_of(networks.begin(), networks.end(), [&](std::uint32_t network) {
               const auto& prefixes = policy.networks[network].prefixes;
               return std::any_of(prefixes.begin(), prefixes.end(),
                                  [&](const Prefix& prefix) { return contains(prefix, endpoint); });
           });
}

[[nodiscard]] bool in_services(const Policy& policy, std::span<const std::uint32_t> services,
                               std::uint16_t port) {
    return services.empty() ||
           std::any_of(services.begin(), services.end(), [&](std::uint32_t service) {
               const auto& ports = policy.services[service].ports;
               return std::any_of(ports.begin(), ports.end(), [&](const PortRange& range) {
                   return range.low <= port && port <= range.high;
               });
           });
}

// What the other side calls it, by the operator's word.
[[nodiscard]] std::optional<Endpoint> translated(const Policy& policy, const Endpoint& endpoint,
                                                 Side seen_at) {
    for (const NatHint& hint : policy.nat) {
        const Endpoint& here = seen_at == Side::inside ? hint.inside : hint.outside;
        const Endpoint& there = seen_at == Side::inside ? hint.outside : hint.inside;
        if (flow::same_host(here, endpoint) && (here.port == 0 || here.port == endpoint.port)) {
            Endpoint other = there;
            other.port = there.port == 0 ? endpoint.port : there.port;
            return other;
        }
    }
    return std::nullopt;
}

// The names a server goes by: at both taps, and by a hint where it was seen at one only.
struct ServerNames {
    std::array<Endpoint, taps::kSides> names;
    std::size_t count = 0;

    ServerNames(const Policy& policy, const Endpoints& server) {
        for (const Side side : {Side::outside, Side::inside}) {
            const Endpoint& seen = server[index(side)];
            if (seen.port != 0) {
                names[count++] = seen;
            } else if (const Endpoint& known = server[index(other(side))]; known.port != 0) {
                if (const auto hint = translated(policy, known, other(side))) {
                    names[count++] = *hint;
                }
            }
        }
    }
};

[[nodiscard]] bool fits(const Policy& policy, const Rule& rule, Side client_side,
                        const Endpoint& client, const ServerNames& server) {
    if (rule.from != client_side || !in_networks(policy, rule.sources, client)) {
        return false;
    }
    const std::span<const Endpoint> names(server.names.data(), server.count);
    return std::any_of(names.begin(), names.end(), [&](const Endpoint& name) {
        return in_networks(policy, rule.destinations, name) &&
               in_services(policy, rule.services, name.port);
    });
}

}  // namespace

std::optional<Matched> match_rule(const Policy& policy, const Endpoints& client,
                                  const Endpoints& server, Side client_side) {
    const ServerNames names(policy, server);
    const Endpoint& near = client[index(client_side)];
    const Endpoint& source = near.port != 0 ? near : client[index(other(client_side))];
    if (names.count == 0) {
        return std::nullopt;
    }
    std::uint32_t row = 0;
    for (const Rule& rule : policy.rules) {
        if (fits(policy, rule, client_side, source, names)) {
            return Matched{&rule, false, row};
        }
        ++row;
    }
    for (const Rule& rule : policy.defaults) {
        if (rule.from == client_side) {
            return Matched{&rule, true, row};
        }
        ++row;
    }
    return std::nullopt;
}

std::optional<Matched> match_rule(const Policy& policy, const taps::Conversation& conversation) {
    return match_rule(policy, conversation.client, conversation.server, conversation.client_side);
}

std::optional<Matched> match_rule(const Policy& policy, const taps::Fact& fact) {
    return match_rule(policy, fact.client, fact.server, fact.client_side);
}

}  // namespace tw::firewall
