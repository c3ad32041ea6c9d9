// SPDX-License-Identifier: BSD-3-Clause
// Hand-made policies, connections and facts for tests of the policy run.
#pragma once

#include <string>
#include <string_view>

#include "core/taps/conversation.hpp"
#include "firewall/learn.hpp"
#include "firewall/policy.hpp"
#include "firewall/report.hpp"

namespace tw::test {

[[nodiscard]] inline flow::Endpoint at(std::uint8_t a, std::uint8_t b, std::uint8_t c,
                                       std::uint8_t d, std::uint16_t port) {
    flow::Endpoint endpoint;
    endpoint.address = {a, b, c, d};
    endpoint.port = port;
    return endpoint;
}

// Networks web (10.20.0.0/24) and mgmt (10.99.0.0/28); services https and ssh.
[[nodiscard]] inline firewall::Policy sample_policy() {
    firewall::Policy policy;
    policy.networks = {{"web", {{at(10, 20, 0, 0, 0).address, 24, false}}},
                       {"mgmt", {{at(10, 99, 0, 0, 0).address, 28, false}}}};
    policy.services = {{"https", {{443, 443}}}, {"ssh", {{22, 22}}}};
    return policy;
}

[[nodiscard]] inline firewall::Rule rule_of(std::string name, firewall::Expect expect) {
    firewall::Rule rule;
    rule.name = std::move(name);
    rule.expect = expect;
    return rule;
}

// From 203.0.113.7 outside to 10.20.0.10 inside, as a routed firewall shows it at both taps.
[[nodiscard]] inline taps::Conversation conversation(taps::Outcome outcome,
                                                     std::uint16_t port = 443) {
    static std::uint64_t id = 0;
    taps::Conversation made;
    made.id = ++id;
    const flow::Endpoint client =
        at(203, 0, 113, 7, static_cast<std::uint16_t>(50'000 + id % 9'000));
    const flow::Endpoint server = at(10, 20, 0, 10, port);
    made.client = {client, client};
    made.server = {server, server};
    made.seen = {true, true};
    made.client_known = made.side_known = true;
    made.outcome = outcome;
    made.first = 1'712'345'678 * kSecond;
    made.last = made.first + kSecond;
    if (outcome == taps::Outcome::established) {
        made.ways[0] = {.entered = 10, .passed = 10, .syns_entered = 1, .syns_left = 1};
        made.ways[1] = {.entered = 10, .passed = 10, .syns_entered = 1, .syns_left = 1};
    } else if (outcome == taps::Outcome::syn_dropped) {
        made.ways[0] = {.entered = 4, .lost = 4, .syns_entered = 4};
        made.client[1] = made.server[1] = {};
        made.seen[1] = false;
    }
    return made;
}

[[nodiscard]] inline taps::Fact fact_of(const taps::Conversation& conversation,
                                        taps::FactKind kind) {
    taps::Fact fact;
    fact.kind = kind;
    fact.conversation = conversation.id;
    fact.client = conversation.client;
    fact.server = conversation.server;
    fact.client_side = conversation.client_side;
    fact.in_handshake = kind == taps::FactKind::lost_between;
    fact.grade = taps::Grade::proven;
    fact.time = conversation.first;
    return fact;
}

}  // namespace tw::test
