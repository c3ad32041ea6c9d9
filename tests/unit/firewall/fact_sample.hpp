// SPDX-License-Identifier: BSD-3-Clause
// Facts made by hand: one connection of client 192.0.2.10 (outside) to server 10.0.0.5:443
// (inside), unless a test says otherwise. Times are seconds from 1000.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "core/decode/decoded.hpp"
#include "core/taps/fact.hpp"
#include "core/taps/passage.hpp"
#include "firewall/classify.hpp"
#include "firewall/learn.hpp"
#include "firewall/policy.hpp"

namespace tw::firewall::sample {

namespace flag = decode::tcp_flag;
using taps::Fact;
using taps::FactKind;
using taps::Grade;
using taps::Proof;
using taps::Side;
using taps::Way;

[[nodiscard]] inline Nanos at(double seconds) {
    return 1000 * kSecond + static_cast<Nanos>(seconds * 1e9);
}

[[nodiscard]] inline flow::Endpoint endpoint(std::array<std::uint8_t, 4> address,
                                             std::uint16_t port) {
    flow::Endpoint result;
    std::copy(address.begin(), address.end(), result.address.begin());
    result.port = port;
    return result;
}

[[nodiscard]] inline taps::Packet packet(std::uint8_t flags, std::uint32_t seq = 1000,
                                         std::uint32_t payload = 0) {
    taps::Packet made;
    made.flags = flags;
    made.seq = seq;
    made.payload_bytes = payload;
    made.ip_bytes = static_cast<std::uint16_t>(40 + payload);
    made.ttl = 64;
    made.header_complete = true;
    return made;
}
[[nodiscard]] inline taps::Packet data(std::uint32_t seq = 1000, std::uint32_t payload = 1000) {
    return packet(flag::kAck, seq, payload);
}

// Proven, of a packet that goes inward.
[[nodiscard]] inline Fact fact(FactKind kind, const taps::Packet& about, double seconds = 0,
                               std::uint64_t conversation = 1) {
    static std::uint64_t last_id = 0;
    Fact made;
    made.id = ++last_id;
    made.conversation = conversation;
    made.kind = kind;
    made.grade = Grade::proven;
    made.proof = Proof::receiver_asks;
    made.packet = about;
    made.packet.time = at(seconds);
    made.time = at(seconds);
    made.decided = at(seconds);
    made.client.fill(endpoint({192, 0, 2, 10}, static_cast<std::uint16_t>(40000 + conversation)));
    made.server.fill(endpoint({10, 0, 0, 5}, 443));
    made.client_known = true;
    return made;
}
[[nodiscard]] inline Fact lost(const taps::Packet& about, double seconds = 0,
                               std::uint64_t conversation = 1) {
    return fact(FactKind::lost_between, about, seconds, conversation);
}

inline void cite(Fact& fact, Side tap, taps::Part part, std::uint64_t frame = 0) {
    fact.cites[fact.cites_count++] = {frame, fact.time, tap, part};
}

// An ICMP error that goes outward, about a packet that goes inward.
[[nodiscard]] inline Fact icmp(std::uint8_t type, std::uint8_t code, std::uint32_t seq,
                               const std::vector<Side>& seen_at, double seconds = 0,
                               std::uint64_t conversation = 1) {
    taps::Packet quote = packet(0, seq);
    quote.kind = taps::PacketKind::icmp_error;
    quote.icmp_type = type;
    quote.icmp_code = code;
    Fact made = fact(FactKind::icmp_error, quote, seconds, conversation);
    made.way = Way::outward;
    for (const Side tap : seen_at) {
        cite(made, tap, taps::Part::quote);
    }
    return made;
}

// A reset that the firewall sent towards the client.
[[nodiscard]] inline Fact reset_to_client(double seconds = 0, std::uint64_t conversation = 1) {
    Fact made = fact(FactKind::reset_origin, packet(flag::kRst, 5000), seconds, conversation);
    made.way = Way::outward;
    made.proof = Proof::claimed_sender_speaks;
    return made;
}

// Established, same tuple and numbers at both taps, 60 s long.
[[nodiscard]] inline taps::Conversation conversation(std::uint64_t id = 1, double first = 0) {
    taps::Conversation made;
    made.id = id;
    made.client.fill(endpoint({192, 0, 2, 10}, static_cast<std::uint16_t>(40000 + id)));
    made.server.fill(endpoint({10, 0, 0, 5}, 443));
    made.seen.fill(true);
    made.client_known = true;
    made.side_known = true;
    made.pairing = taps::Pairing::same_tuple;
    made.outcome = taps::Outcome::established;
    made.ending = taps::Ending::closed;
    made.first = at(first);
    made.last = at(first + 60);
    for (taps::WayCounts& way : made.ways) {
        way.entered = 1000;
        way.passed = 1000;
        way.syns_entered = 1;
        way.syns_left = 1;
        way.mss_entered = 1460;
        way.mss_left = 1460;
        way.options_entered = taps::option_bit::kMss | taps::option_bit::kWindowScale |
                              taps::option_bit::kSackPermitted | taps::option_bit::kTimestamps;
        way.options_left = way.options_entered;
        way.scale_entered = 7;
        way.scale_left = 7;
        way.isn_entered = 77;
        way.isn_left = 77;
        way.isn_known = true;
    }
    return made;
}

// Facts with what they show by themselves, and all that cases need. Facts must come in the order of
// their time, conversations in that of their id.
struct Scene {
    std::vector<Fact> facts;
    std::vector<taps::Conversation> conversations;
    Policy policy;
    taps::Passage passage{Backing::lazy};
    std::vector<Case> list;

    [[nodiscard]] Cases cases() {
        list.clear();
        for (const Fact& fact : facts) {
            if (const auto behaviour = behaviour_of(fact)) {
                list.push_back({&fact, fact.grade, *behaviour, false});
            }
        }
        return {list, conversations, passage, policy, 0};
    }
};

}  // namespace tw::firewall::sample
