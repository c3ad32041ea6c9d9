// SPDX-License-Identifier: BSD-3-Clause
// What workers told of a made-up run: conversations, cases and sums of what passed, and what the
// learners make of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "firewall/learn.hpp"
#include "firewall/learners.hpp"

namespace tw::firewall::test {

inline constexpr Nanos kT0 = 1'700'000'000 * kSecond;

inline flow::Endpoint host(std::uint8_t last, std::uint16_t port, std::uint8_t net = 1) {
    flow::Endpoint endpoint;
    endpoint.address = {10, net, 0, last};
    endpoint.port = port;
    return endpoint;
}

struct Story {
    std::deque<taps::Conversation> conversations;
    std::deque<taps::Fact> facts;
    std::vector<Case> cases;
    taps::Passage passage{Backing::lazy};
    Policy policy;

    // An established conversation from the outside; times are offsets.
    taps::Conversation& conversation(Nanos first, Nanos last, flow::Endpoint client,
                                     flow::Endpoint server = host(80, 443, 2)) {
        taps::Conversation& one = conversations.emplace_back();
        one.id = conversations.size();
        one.client = {client, client};
        one.server = {server, server};
        one.seen = {true, true};
        one.client_known = true;
        one.side_known = true;
        one.pairing = taps::Pairing::same_tuple;
        one.outcome = taps::Outcome::established;
        one.ending = taps::Ending::closed;
        one.ended = true;
        one.first = kT0 + first;
        one.established = kT0 + first;
        one.last = kT0 + last;
        return one;
    }
    // One of which packets as long as those of drop() had passed either way.
    taps::Conversation& passing(Nanos first, Nanos last, flow::Endpoint client) {
        taps::Conversation& one = conversation(first, last, client);
        one.ways[0].longest_passed = one.ways[1].longest_passed = 1000;
        return one;
    }
    taps::Conversation& conversation(Nanos first, Nanos last) {
        return conversation(first, last,
                            host(5, static_cast<std::uint16_t>(40'000 + conversations.size())));
    }

    // A packet of 1000 bytes that entered and did not leave, sent twice at least.
    taps::Fact& drop(const taps::Conversation& of, Nanos at,
                     Behaviour behaviour = Behaviour::packet_dropped) {
        taps::Fact& fact = facts.emplace_back();
        fact.id = facts.size();
        fact.conversation = of.id;
        fact.kind = taps::FactKind::lost_between;
        fact.grade = taps::Grade::proven;
        fact.proof = taps::Proof::no_copy_leaves;
        fact.attempts = 2;
        fact.time = kT0 + at;
        fact.client = of.client;
        fact.server = of.server;
        fact.packet.time = fact.time;
        fact.packet.payload_bytes = 948;
        fact.packet.ip_bytes = 1000;
        fact.packet.flags = decode::tcp_flag::kAck;
        fact.packet.dont_fragment = true;
        const taps::LoadSlot load = passage.slot(fact.way, fact.time / taps::Passage::kSlotTime);
        fact.circumstances.entered_in_slot = load.passed_bytes + load.lost_bytes;
        cases.push_back({&fact, fact.grade, behaviour, false});
        return fact;
    }
    taps::Fact& syn_drop(taps::Conversation& of, Nanos at) {
        of.outcome = taps::Outcome::syn_dropped;
        of.established = 0;
        taps::Fact& fact = drop(of, at, Behaviour::syn_dropped);
        fact.packet.payload_bytes = 0;
        fact.packet.ip_bytes = 60;
        fact.packet.flags = decode::tcp_flag::kSyn;
        fact.in_handshake = true;
        return fact;
    }
    taps::Fact& reset(const taps::Conversation& of, Nanos at) {
        taps::Fact& fact = drop(of, at, Behaviour::reset_by_firewall);
        fact.kind = taps::FactKind::reset_origin;
        fact.packet.flags = decode::tcp_flag::kRst;
        fact.packet.payload_bytes = 0;
        return fact;
    }
    // A packet that passed.
    void pass(Nanos at, std::uint32_t ip_bytes = 1000, Nanos transit = 100 * kMicrosecond,
              taps::Way way = taps::Way::inward, Nanos idle = 0) {
        taps::Packet in;
        in.time = kT0 + at;
        in.ip_bytes = static_cast<std::uint16_t>(ip_bytes);
        in.payload_bytes = ip_bytes - 52;
        in.flags = decode::tcp_flag::kAck;
        in.dont_fragment = true;
        taps::Packet out = in;
        out.time += transit;
        passage.passed({.entered = in, .left = out, .way = way, .idle = idle}, 0);
    }

    using Learner = void (*)(const Study&, Lessons&);
    Lessons learn_by(Learner learner) {
        std::stable_sort(cases.begin(), cases.end(),
                         [](const Case& a, const Case& b) { return a.fact->time < b.fact->time; });
        std::vector<taps::Conversation> list(conversations.begin(), conversations.end());
        std::stable_sort(list.begin(), list.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        const Cases all{
            .cases = cases, .conversations = list, .passage = passage, .policy = policy, .skew = 0};
        Lessons lessons;
        learner(Study(all), lessons);
        return lessons;
    }
};

inline const Parameter* parameter(const Lessons& lessons, std::string_view name) {
    const auto found = std::find_if(lessons.parameters.begin(), lessons.parameters.end(),
                                    [&](const Parameter& one) { return one.name == name; });
    return found == lessons.parameters.end() ? nullptr : &*found;
}

}  // namespace tw::firewall::test
