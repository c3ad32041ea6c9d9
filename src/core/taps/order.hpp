// SPDX-License-Identifier: BSD-3-Clause
// Packets that left after one that had entered later (RFC 4737): sorted as they left, compared as
// they entered. Two taps alone may be wrong about that; the receiver is the witness: it asks for
// the late one while it holds the later one, and then has it without any other copy having left.
#pragma once

#include <array>
#include <cstdint>

#include "base/pool.hpp"
#include "core/stats/counters.hpp"
#include "core/taps/health.hpp"
#include "core/taps/pair.hpp"
#include "core/taps/witness.hpp"

namespace tw::taps {

// What is kept of one way of a conversation. Zeroed = nothing yet.
struct OrderState {
    // Of all that have left, the one that entered last.
    Nanos entered = 0;
    Nanos left = 0;
    std::uint32_t entered_ordinal = 0;
    std::uint32_t left_ordinal = 0;
    std::uint32_t entered_frame = 0;  // for citations; 0 where it has no number or too large a one
    std::uint32_t left_frame = 0;
    // The receiver, at the tap where this way leaves.
    std::uint32_t last_ack = 0;
    std::uint16_t last_window = 0;
    bool any_left = false;
    bool any_ack = false;
    std::uint32_t waiting = 0;  // first of the late ones that wait; Pool::kNone = none
    // The last time it asked for something: what it had (a SACK block, or only that it repeated
    // its ACK).
    Nanos asked = 0;  // 0 = never
    std::uint32_t asked_ack = 0;
    std::uint32_t asked_frame = 0;
    tcp::SackBlock asked_has;  // left == right: it only repeated its ACK
    // What entered again, as one range of sequence numbers, and when it last did.
    Nanos repeated = 0;  // 0 = never
    std::uint32_t repeated_begin = 0;
    std::uint32_t repeated_end = 0;
    std::uint32_t entered_end = 0;  // one past the highest that entered
    // Of the one that entered last: its numbers as it left, and all that names it.
    std::uint32_t last_seq = 0;
    std::uint32_t last_end = 0;
    std::uint32_t last_face = 0;
    bool last_sure = false;  // and no equal packet may be it
    bool any_entered = false;
};
static_assert(sizeof(OrderState) <= 112);

class Order {
  public:
    // Late packets that wait for the receiver's word, in all and of one way of a conversation.
    static constexpr std::uint32_t kWaitingMax = 2048;
    static constexpr std::uint32_t kWaitingOfWayMax = 16;
    static constexpr Nanos kPatience = 3 * kSecond;

    Order(Backing backing, FactSink& sink, const TapHealth& health, stats::Counters& counters);

    // Every packet of the way at its entry tap: repeats are remembered.
    void entered(OrderState& state, const Packet& packet) {
        if (packet.space() != 0) {
            remember(state, packet);
        }
    }
    void passed(OrderState& state, const Pair& pair, const Witnessed& of);
    // A packet of the other way, where it entered: what the receiver of this way says.
    void heard(OrderState& state, const Packet& packet) {
        if (packet.has(decode::tcp_flag::kAck)) {
            listen(state, packet);
        }
    }
    void tick(Nanos now);           // patience ends
    void ended(OrderState& state);  // the conversation is forgotten
    void finish();
    [[nodiscard]] std::size_t memory_bytes() const;

  private:
    struct Late {
        Packet entered;
        Packet left;
        Witnessed of;
        OrderState* state;
        Nanos asked;          // by the receiver, after a later one had left; 0 = not yet
        std::uint32_t next;   // of the same way
        std::uint32_t older;  // in order of arrival; Pool::kNone at the ends
        std::uint32_t newer;
        std::uint32_t asked_frame;
        std::uint32_t overtaker_entered_frame;
        std::uint32_t overtaker_left_frame;
        Nanos overtaker_entered;
        Nanos overtaker_left;
        Way way;
        bool in_order;      // left in the order of its numbers
        bool another_left;  // another copy of its bytes
        bool covered;       // the receiver has it
        bool came_twice;    // the receiver said so: D-SACK
    };

    static void remember(OrderState& state, const Packet& packet);
    void listen(OrderState& state, const Packet& packet);
    void late(OrderState& state, const Pair& pair, const Witnessed& of);
    void another_copy(OrderState& state, const Packet& left);
    void conclude(std::uint32_t index);
    void tell(const Late& late);

    FactSink& sink_;
    const TapHealth& health_;
    stats::Counters& counters_;
    Pool<Late> late_;
    std::uint32_t oldest_ = Pool<Late>::kNone;
    std::uint32_t newest_ = Pool<Late>::kNone;
};

}  // namespace tw::taps
