// SPDX-License-Identifier: BSD-3-Clause
// Connections that one tap alone has shown: which one at the other tap carries the same bytes?
// Either the same packets pass, with addresses and all numbers made anew, or something between the
// taps (a proxy) ends the one and opens the other. Bytes and the order of what happened must agree,
// for one candidate only: of several alike none is taken, since a wrong pair is worse than none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "base/pool.hpp"
#include "base/time.hpp"
#include "core/taps/conversation.hpp"
#include "core/taps/conversations.hpp"
#include "core/taps/engine.hpp"
#include "core/taps/packet.hpp"
#include "core/taps/stream.hpp"

namespace tw::taps {

// What a tap has shown of such a connection.
struct Leg {
    // A connection is found by the first of these that both taps have.
    enum Key : std::uint8_t { client_first, client_turn, server_first, server_turn };
    static constexpr std::size_t kKeys = 4;
    struct Link {
        std::uint64_t print;  // 0 = not listed
        Nanos time;           // when it was
        std::uint32_t next;   // node; 0 = none
        std::uint32_t before;
    };

    std::array<Stream, kParties> streams;  // client, server
    std::array<Link, kKeys> links;
    std::uint32_t slot;  // of its conversation
    Side tap;
    // By Joint: it was one of several alike. Others of these may be gone, which makes the rest
    // no surer.
    std::array<bool, 3> alike;
};

// How two legs are one.
enum class Joint : std::uint8_t {
    none,
    forwarded,   // the same packets
    terminated,  // two connections
};

class Legs {
  public:
    explicit Legs(const EngineOptions& options);

    [[nodiscard]] std::uint32_t begin(std::uint32_t slot, Side tap);
    void end(std::uint32_t leg);
    void observe(std::uint32_t leg, const Packet& packet, std::uint8_t party);
    [[nodiscard]] const Leg& operator[](std::uint32_t leg) const { return legs_[leg]; }

    struct Found {
        std::uint32_t leg = 0;  // 0 = none
        bool ambiguous = false;
    };
    // The only one at the other tap that crosses in that way and to which this one is the only one.
    [[nodiscard]] Found find(std::uint32_t leg, Joint wanted);
    [[nodiscard]] std::size_t memory_bytes() const;

  private:
    [[nodiscard]] static std::uint32_t node_of(std::uint32_t leg, std::size_t key) {
        return leg * static_cast<std::uint32_t>(Leg::kKeys) + static_cast<std::uint32_t>(key);
    }
    [[nodiscard]] Leg::Link& link_at(std::uint32_t node) {
        return legs_[node / Leg::kKeys].links[node % Leg::kKeys];
    }
    [[nodiscard]] const Leg::Link& link_at(std::uint32_t node) const {
        return legs_[node / Leg::kKeys].links[node % Leg::kKeys];
    }
    void list(std::uint32_t leg, std::size_t key, const Stream::Mark& mark, Nanos now);
    void unlist(std::uint32_t leg, std::size_t key);
    // Hands each candidate to `visit` until that says false. False: too many to look at them all.
    template <typename Visit>
    bool each_candidate(std::uint32_t leg, Joint wanted, const Visit& visit);
    template <typename Visit>
    bool each_neighbour(std::uint32_t leg, std::size_t key, bool newer, Joint wanted,
                        const Visit& visit);
    [[nodiscard]] bool crosses(const Leg& one, const Leg& other, Joint wanted) const;
    [[nodiscard]] Found search(std::uint32_t leg, Joint wanted);
    void mark_alike(std::uint32_t leg, Joint wanted);

    Nanos skew_;    // how far the taps' times may contradict each other
    Nanos window_;  // how long bytes may stay between the taps
    std::uint64_t seed_;
    std::uint64_t mask_;
    Pool<Leg> legs_;
    std::uint32_t legs_max_;
    LazyArray<std::uint32_t> heads_;  // node of the newest of a chain; 0 = none
};

// Which way the connection goes, if the two are one.
struct Direction {
    bool possible = false;
    bool first_is_client = false;  // the client is on the side of the first leg's tap
    bool known = false;            // else that is a guess
};
[[nodiscard]] Direction direction_of(const Leg& first, const Leg& second, Nanos skew, Nanos window);
// `client`: the leg on the client's side.
[[nodiscard]] Joint joint_of(const Leg& client, const Leg& server, Nanos skew);

// What the two legs of a terminated connection say together, into the record of either; addresses
// and first frames are the caller's.
void describe_terminated(const Leg& client, const Leg& server, Conversation& record);

}  // namespace tw::taps
