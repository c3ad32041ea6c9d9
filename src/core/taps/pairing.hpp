// SPDX-License-Identifier: BSD-3-Clause
// Which conversation at the other tap one with an unknown tuple is, where addresses are translated:
// by the operator's map, by what a SYN or another early packet shows that translation leaves alone,
// by its timestamp where sequence numbers are new as well. Where more than one could be it, none is
// taken: a wrong pair is worse than none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/lazy_array.hpp"
#include "core/taps/conversations.hpp"
#include "core/taps/engine.hpp"
#include "core/taps/packet.hpp"

namespace tw::taps {

class NatPairing {
  public:
    NatPairing(const EngineOptions& options, Conversations& conversations);

    struct Found {
        std::uint32_t slot = Conversations::kNone;
        Pairing how = Pairing::unpaired;
        std::uint8_t sender = 0;  // side of the key at the other tap that sent the packet
        bool ambiguous = false;
        // Of the packet at the other tap.
        std::uint32_t seq = 0;
        std::uint32_t ack = 0;
    };
    // Early packets of a conversation that only one tap has seen so far.
    static constexpr std::uint32_t kPacketsMost = 16;
    // Whose packet this may be as well, at the other tap; `slot`: its own conversation.
    [[nodiscard]] Found find(std::uint32_t slot, const Packet& packet) const;
    // For any packet of such a tuple: what the operator's map says.
    [[nodiscard]] Found find_by_hint(const decode::Decoded& found, Side tap);
    void remember(const Packet& packet, std::uint32_t slot);
    // A SYN that found nobody: does another of the same client or server, at the other tap alone,
    // stand beside it? Then one of the two may be the other, and both become doubtful: these.
    static constexpr std::size_t kInSet = 4;
    struct Doubted {
        std::array<std::uint32_t, 4 * kInSet> slots{};
        std::uint32_t count = 0;
    };
    Doubted doubt(std::uint32_t slot, const Packet& syn);

    [[nodiscard]] std::size_t memory_bytes() const { return sets_.bytes(); }

  private:
    enum class Kind : std::uint8_t { whole, number, times, shape, content, sender, receiver };
    static constexpr std::array kKinds{Kind::whole, Kind::number, Kind::times, Kind::shape,
                                       Kind::content};
    struct Row {
        std::uint64_t print;
        std::uint64_t conversation;  // its id
        Nanos time;
        std::uint32_t slot;
        std::uint32_t seq;
        std::uint32_t ack;
        Side tap;
        std::uint8_t sender;
    };
    struct Set {
        Row rows[kInSet];
    };

    [[nodiscard]] static bool tells(const Packet& syn, Kind kind);
    // How numbers differ that no SYN told is not handed over between workers.
    [[nodiscard]] bool usable(Kind kind) const {
        return kind != Kind::content || options_.hand_over == nullptr;
    }
    [[nodiscard]] std::uint64_t print_of(const Packet& syn, Kind kind) const;
    [[nodiscard]] std::uint64_t print_of(const flow::Endpoint& endpoint, Kind kind) const;
    void insert(std::uint64_t print, const Packet& packet, std::uint32_t slot);
    // How much of addresses and ports the candidate shares with the tuple.
    [[nodiscard]] int alike(const Row& row, std::uint32_t slot, const Packet& packet) const;
    [[nodiscard]] bool is_candidate(const Row& row, std::uint64_t print,
                                    const Packet& packet) const;
    [[nodiscard]] Found best(std::uint32_t slot, const Packet& packet, Kind kind) const;

    const EngineOptions& options_;
    Conversations& conversations_;
    std::uint64_t mask_;
    LazyArray<Set> sets_;
};

}  // namespace tw::taps
