// SPDX-License-Identifier: BSD-3-Clause
// What an engine is made of, for its own three sources: engine.cpp takes frames to their
// conversations, engine_conversations.cpp begins, opens and ends these, engine_hand_over.cpp shares
// them with the engines of other workers.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/spsc_ring.hpp"
#include "core/taps/clocks.hpp"
#include "core/taps/conversations.hpp"
#include "core/taps/copies.hpp"
#include "core/taps/desk.hpp"
#include "core/taps/engine.hpp"
#include "core/taps/hand_over.hpp"
#include "core/taps/legs.hpp"
#include "core/taps/matcher.hpp"
#include "core/taps/orientation.hpp"
#include "core/taps/pairing.hpp"

namespace tw::taps {

struct Engine::State {
    static constexpr std::uint32_t kNone = Conversations::kNone;
    // Packets held back until their conversation's orientation is told.
    static constexpr std::uint32_t kHeldMax = 1U << 16;

    State(const EngineOptions& options_in, stats::Counters& counters_in);

    const EngineOptions options;
    stats::Counters& counters;
    Conversations conversations;
    Copies copies;
    Orientation orientation;
    NatPairing pairing;
    Legs legs;
    Matcher matcher;
    Clocks clocks;
    std::array<std::uint32_t, kSides> ordinals{};
    // Conversations that hold packets back, in the order in which they began to.
    struct Holder {
        std::uint32_t slot;
        std::uint64_t id;
    };
    SpscRing<Holder> holders{kHeldMax};
    std::optional<Holder> next_holder;
    // Detached ones whose last packets still wait.
    SpscRing<Holder> leaving{kHeldMax};
    std::optional<Holder> next_leaving;
    // With other workers, where addresses may be translated.
    struct Shared {
        Shared(const EngineOptions& options, stats::Counters& counters);
        [[nodiscard]] std::size_t memory_bytes() const;

        HandOver& hand_over;
        // By slot of a conversation that is joint or away: the other half of it.
        struct Partner {
            Place place;
            Pairing how;
            bool aligned;
        };
        LazyArray<Partner> partners;
        std::unique_ptr<PairingDesk> desk;  // worker 0
        // Packets of joint conversations that came here.
        struct Own {
            Packet packet;
            std::uint64_t id;
            std::uint32_t slot;
            bool copy;
        };
        static constexpr std::size_t kOwnMax = 4096;
        SpscRing<Own> own{kOwnMax};
        SpscRing<Holder> lonely{kHeldMax};  // seen at one tap alone, by a single packet
        std::uint32_t joint = 0;            // conversations
        bool asks_at_once;                  // something is translated
        Nanos published = INT64_MIN;
    };
    std::unique_ptr<Shared> shared;  // may be absent
    std::uint32_t sweep_at = 0;
    Nanos swept = INT64_MIN;
    bool finishing = false;

    // One burst.
    std::array<decode::Decoded, kBurstMax> decoded;
    std::array<Packet, kBurstMax> packets;
    std::array<std::uint64_t, kBurstMax> identities;
    std::array<std::uint32_t, kBurstMax> hashes;
    std::array<std::uint32_t, kBurstMax> tuples;
    std::array<const decode::Decoded*, kBurstMax> wanted;
    HeldPackets taken;     // of a conversation that joins another
    HeldPackets released;  // of one that opens
    HeldPackets kept;      // of that other one
    bool changed = false;  // tuples[] may be stale

    void read(const Frame& frame, std::uint32_t i);
    void find_tuples(std::uint32_t count);
    void look_ahead(std::uint32_t i, std::uint32_t count);
    void take(std::uint32_t i);
    void take_segment(std::uint32_t i);
    void take_other(std::uint32_t i);
    [[nodiscard]] std::uint32_t known(std::uint32_t i);
    [[nodiscard]] std::uint32_t conversation_of(std::uint32_t i);
    [[nodiscard]] std::uint32_t begin(std::uint32_t i, Nanos since_previous);
    [[nodiscard]] std::uint32_t join(std::uint32_t i, const NatPairing::Found& found);
    [[nodiscard]] bool begins_anew(const Live& live, const Packet& packet) const;
    void name(std::uint32_t slot, Side tap, std::uint64_t frame);
    void pass_on(std::uint32_t slot, const Packet& packet, bool copy);
    void follow(std::uint32_t slot, const Packet& packet, bool copy);
    void hand_on(std::uint32_t slot, const Packet& packet, bool copy);
    [[nodiscard]] std::uint32_t pair_translated(std::uint32_t slot, const Packet& packet);
    void withdraw_both(std::uint32_t one, Side tap, std::uint32_t other_slot);
    void become_one(std::uint32_t from, std::uint32_t into, Side tap, Pairing how);
    bool pair_forwarded(std::uint32_t slot);
    void learn_numbers(Live& live, const Leg& one, const Leg& other);
    void join_proxied(std::uint32_t slot);
    void describe_proxied(std::uint32_t slot, std::uint32_t other);
    void drop_leg(Live& live);
    void open_at_last(std::uint32_t slot);
    [[nodiscard]] std::optional<Oriented> told_now(const Live& live) const;
    void update(Live& live, const Packet& packet);
    void hold(std::uint32_t slot, const Packet& packet, bool copy);
    void open(std::uint32_t slot, const Oriented& oriented);
    void release(std::uint32_t slot, const HeldPacket& held);
    void open_overdue(Nanos reach);
    void leave(std::uint32_t slot);
    void end_leaving();
    void end(std::uint32_t slot, bool ended);
    void sweep(Nanos now);
    void advance(bool publish);

    // --- engine_hand_over.cpp
    [[nodiscard]] bool alone(const Live& live) const;
    [[nodiscard]] Place place(std::uint32_t slot) const;
    void send(std::uint32_t worker, const HandedOver& message);
    void introduce(std::uint32_t slot, const Packet& packet);
    void introduce_held(std::uint32_t slot);
    void withdraw(std::uint32_t slot, Side tap);
    void introduce_early(std::uint32_t slot, const Packet& packet);
    void introduce_lonely(Nanos now);
    bool keep_desk(std::uint32_t most);
    void move_away(std::uint32_t slot, const HandedOver& move);
    void give(std::uint32_t slot, const Packet& packet, bool copy);
    void part(std::uint32_t slot);
    [[nodiscard]] bool join_given(const HandedOver& given);
    void take_given(const HandedOver& given);
    void take_word(const HandedOver& word);
    void keep_in_order(std::uint32_t slot, const Packet& packet, bool copy);
    bool take_shared(Nanos reach);
    [[nodiscard]] Nanos meet_others(bool publish);
};

// Who opened the connection, as far as one packet tells: else the higher port, which clients draw.
[[nodiscard]] inline std::uint8_t client_sender_of(const decode::Decoded& found,
                                                   const Packet& packet) {
    namespace flag = decode::tcp_flag;
    if (packet.has(flag::kSyn)) {
        return packet.has(flag::kAck) ? packet.sender ^ 1 : packet.sender;
    }
    const std::uint16_t* const ports = found.v6 ? found.key.v6_key.port : found.key.v4.port;
    return ports[0] == ports[1] ? packet.sender : static_cast<std::uint8_t>(ports[1] > ports[0]);
}

[[nodiscard]] inline bool is_bare_syn(const Packet& packet) {
    namespace flag = decode::tcp_flag;
    return (packet.flags & (flag::kSyn | flag::kAck)) == flag::kSyn;
}

}  // namespace tw::taps
