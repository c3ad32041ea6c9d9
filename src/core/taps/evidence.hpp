// SPDX-License-Identifier: BSD-3-Clause
// What speaks for and against a loss between the taps: per conversation, the bytes that entered and
// did not leave (or the other way round), what the receiver said of them and what the sender did
// then, until one row of the decision table holds or nothing more can come.
#pragma once

#include <array>
#include <cstdint>

#include "base/pool.hpp"
#include "core/stats/counters.hpp"
#include "core/taps/engine.hpp"
#include "core/taps/fact.hpp"
#include "core/taps/packet.hpp"

namespace tw::taps {

// The sequence numbers of a packet as its sender counts (numbers at the sender's entry tap), and
// what it acknowledges as the peer counts. Equal to the packet's own where nothing is rewritten.
struct Numbers {
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::array<tcp::SackBlock, 3> sack{};
    bool known = false;  // false: the conversation's rewriting is not known (yet)
};

// Kept per conversation; lies in the conversation's cold record. Zeroed = a new conversation.
struct ConversationEvidence;

// What the evidence needs of the conversation, and who hands its facts out.
struct Witnessed {
    std::uint64_t conversation = 0;
    std::uint32_t slot = 0;  // of the conversation, for the sink
    Side client_side = Side::outside;
    bool client_known = false;
};

class FactSink {
  public:
    virtual ~FactSink() = default;
    // Sets id, conversation and names; adds an excerpt where there is room.
    virtual void take(Fact& fact, const Witnessed& of) = 0;
};

}  // namespace tw::taps
