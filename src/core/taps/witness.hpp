// SPDX-License-Identifier: BSD-3-Clause
// The words in which the engine tells evidence and comparison of packets, and in which they hand
// out what they conclude.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.hpp"
#include "core/taps/fact.hpp"
#include "core/taps/packet.hpp"
#include "core/taps/side.hpp"

namespace tw::taps {

// The sequence numbers of a packet as its sender counts (numbers at the sender's entry tap), and
// what it acknowledges as the peer counts. Equal to the packet's own where nothing is rewritten.
struct Numbers {
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::array<tcp::SackBlock, 3> sack{};
    bool known = false;  // false: the conversation's rewriting is not known (yet)
};

// The conversation a packet belongs to.
struct Witnessed {
    std::uint64_t conversation = 0;
    std::uint32_t slot = 0;  // 0 .. conversations_max-1: where its followers keep their state
    Side client_side = Side::outside;
    bool client_known = false;
    bool side_known = false;  // false: which tap is the entrance is a guess, and so is every way
};

// Which rung of the ladder found a packet's twin; what is left out of the key is compared
// afterwards. The first is the strongest.
enum class KeyLevel : std::uint8_t {
    whole,            // flags, numbers, length, payload digest, ack, SACK, timestamps, IP id
    without_ip_id,    // scrubbed
    without_options,  // timestamps or SACK rewritten
    without_digest,   // payload altered, or its sum unknown at one tap
    without_ack,      // proxies and boxes that join ACKs
    shifted,          // same numbers, another length
};

// One packet of a conversation. The references hold during the call only.
struct Seen {
    const Witnessed& of;
    const Packet& packet;
    const Numbers& numbers;
    Way way = Way::inward;
    std::uint64_t serial = 0;  // ascending in order of arrival, unique within a worker
    bool copy = false;         // the same frame had come at this tap just before (copies.hpp)
};

class FactSink {
  public:
    virtual ~FactSink() = default;
    // Sets id, conversation and names; adds an excerpt where there is room.
    virtual void take(Fact& fact, const Witnessed& of) = 0;
};

}  // namespace tw::taps
