// SPDX-License-Identifier: BSD-3-Clause
// Between the workers of a run where addresses are translated: the two sides of a connection then
// hash to different workers, and one of these gives its side away (START in engine.hpp says how).
// One ring for each ordered pair of workers, with one writer and one reader, and how far in time
// each worker has come. Nothing here waits: a full ring refuses, and whoever pushed counts that.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/spsc_ring.hpp"
#include "base/time.hpp"
#include "core/flow/key.hpp"
#include "core/taps/conversation.hpp"
#include "core/taps/packet.hpp"

namespace tw::taps {

// A conversation in the table of one worker.
struct Place {
    std::uint64_t id = 0;
    std::uint32_t slot = 0;
    std::uint32_t worker = 0;
    friend bool operator==(const Place&, const Place&) = default;
};

// Addresses and ports as one tap sees them.
struct TupleKey {
    union {
        flow::KeyV4 v4;
        flow::KeyV6 v6_key{};
    };
    bool v6 = false;
};

// To the desk: an early packet of a conversation that one tap alone has seen so far.
struct Introduction {
    Packet packet;
    TupleKey key;
    Place from;
    bool withdrawn = false;  // its worker has found the other half itself
};

struct HandedOver {
    enum class Kind : std::uint8_t {
        packet,  // of `from`, which has moved to `to`
        move,    // to `to`: you are `from` under another name; give it your packets
        gone,    // to `to`: `from`, which it gave packets to or had them from, is no more
        doubt,   // to `to`: another one at the other tap may be the same
    };
    Kind kind = Kind::packet;
    Pairing how = Pairing::unpaired;  // packet, move
    // packet, move: side 0 of both keys is the same host; not known by the operator's map.
    bool aligned = false;
    bool asked_back = false;  // move: the other one could not any more
    bool copy = false;        // packet
    bool client_known = false;
    std::uint8_t client_sender = 0;  // packet: side of its key
    Place to;
    Place from;
    Nanos first = 0;  // packet: of its conversation
    TupleKey key;     // packet
    Packet packet;
};

class HandOver {
  public:
    explicit HandOver(std::uint32_t workers);

    [[nodiscard]] std::uint32_t workers() const { return workers_; }
    [[nodiscard]] SpscRing<HandedOver>& ring(std::uint32_t from, std::uint32_t to) {
        return *rings_[std::size_t{from} * workers_ + to];
    }
    // To the desk, which is kept by worker 0.
    [[nodiscard]] SpscRing<Introduction>& introductions(std::uint32_t from) {
        return *introductions_[from];
    }

    // writer: worker. What came up to that time is in the rings, or done.
    void publish(std::uint32_t worker, Nanos reached) {
        reached_[worker].time.store(reached, std::memory_order_release);
    }
    // Read before the rings: then these hold whatever came up to that time.
    [[nodiscard]] Nanos reached_by_others(std::uint32_t worker) const;
    [[nodiscard]] std::size_t memory_bytes() const;

  private:
    struct alignas(64) Reached {
        std::atomic<Nanos> time{INT64_MIN};
    };

    std::uint32_t workers_;
    std::vector<std::unique_ptr<SpscRing<HandedOver>>> rings_;
    std::vector<std::unique_ptr<SpscRing<Introduction>>> introductions_;
    std::vector<Reached> reached_;
};

}  // namespace tw::taps
