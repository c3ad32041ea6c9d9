// SPDX-License-Identifier: BSD-3-Clause
// Packets at two taps for tests of what follows from a pair.
#pragma once

#include <vector>

#include "core/taps/pair.hpp"
#include "core/taps/witness.hpp"

namespace tw::taps::test {

inline constexpr Nanos kT0 = 1'700'000'000 * kSecond;

// A data segment with timestamps as it enters at the outside tap.
inline Packet segment(Nanos at, std::uint32_t seq, std::uint32_t bytes = 1000) {
    Packet packet;
    packet.time = kT0 + at;
    packet.seq = seq;
    packet.ack = 5000;
    packet.payload_bytes = bytes;
    packet.ip_bytes = static_cast<std::uint16_t>(bytes + 52);
    packet.flags = decode::tcp_flag::kAck;
    packet.window = 500;
    packet.ttl = 64;
    packet.ip_id = 7;
    packet.digest = 0x1234;
    packet.digest_known = true;
    packet.header_complete = true;
    packet.dont_fragment = true;
    packet.options = option_bit::kTimestamps;
    packet.options_order = 1;
    packet.tsval = 100;
    packet.tsecr = 200;
    return packet;
}

// The same at the other tap, `transit` later.
inline Packet leaving(Packet packet, Nanos transit = 100 * kMicrosecond) {
    packet.time += transit;
    packet.tap = other(packet.tap);
    return packet;
}

struct Told : FactSink {
    std::vector<Fact> facts;
    void take(Fact& fact, const Witnessed& of) override {
        fact.conversation = of.conversation;
        facts.push_back(fact);
    }
};

}  // namespace tw::taps::test
