// SPDX-License-Identifier: BSD-3-Clause
// IP fragments of TCP datagrams at two taps: lost ones, datagrams that enter in fragments and leave
// whole (virtual reassembly), and the other way round. A datagram is known by addresses and
// identification at one tap, by the conversation and sequence number of its first fragment at the
// other. Fragments of TCP are rare, so there is little room, and searching it is plain.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/pool.hpp"
#include "core/stats/counters.hpp"
#include "core/taps/packet.hpp"
#include "core/taps/witness.hpp"

namespace tw::taps {

// What IP says of a fragment.
struct FragmentIds {
    std::uint64_t addresses = 0;  // hash of source and destination as at its tap
    std::uint32_t datagram = 0;   // IP identification: 16 bits in IPv4, 32 in IPv6
    std::uint32_t bytes = 0;      // of the datagram's payload in this fragment
    std::uint32_t header = 0;     // TCP header, of a first fragment
};

// Of a first fragment, which has ports: whose it is.
struct FragmentOwner {
    const Witnessed& of;
    std::uint16_t& open;  // datagrams that wait, kept with the conversation; zero at first
    Way way = Way::inward;
    std::uint32_t seq_shift = 0;  // left.seq - entered.seq of this way
};

// A segment of which one tap has shown all fragments.
struct FragmentedSegment {
    Witnessed of;
    Packet packet;  // its first fragment, with the payload of all
};

class Fragments {
  public:
    static constexpr std::uint32_t kDatagramsMax = 512;
    static constexpr std::uint32_t kPiecesMax = 8;  // of a datagram; TCP segments have two or three
    static constexpr Nanos kPatience = 3 * kSecond;  // for a repeat or the receiver's word

    // `transit_max`: a fragment that has not left by then is not on its way any more.
    Fragments(Backing backing, Nanos transit_max, FactSink& sink, stats::Counters& counters);

    // `owner`: of the first fragment; nullptr for later ones. A value with the last one to come.
    std::optional<FragmentedSegment> add(const Packet& packet, const FragmentIds& ids,
                                         const FragmentOwner* owner);
    // The packet left whole, and nothing whole entered: did it enter in fragments?
    [[nodiscard]] bool joined(std::uint64_t conversation, Way way, const Packet& left);
    // The packet entered whole, and nothing whole left: did it leave in fragments?
    [[nodiscard]] bool split(std::uint64_t conversation, Way way, const Packet& entered);
    // Packets of the conversation while it has open datagrams, each where it entered: a repeat in
    // one piece, and what the receiver acknowledges.
    void repeat(std::uint64_t conversation, Way way, const Packet& packet);
    void acknowledged(std::uint64_t conversation, Way way, const Packet& packet);
    void tick(Nanos now);
    void ended(std::uint64_t conversation);
    void finish();
    [[nodiscard]] std::size_t memory_bytes() const;

  private:
    struct Piece {
        Nanos time;
        std::uint64_t frame;
        std::uint32_t offset;
        std::uint32_t bytes;
    };
    // A datagram at one tap.
    struct Datagram {
        FragmentIds ids;
        Packet first;  // with `owned`
        Witnessed of;
        std::uint16_t* open;
        Nanos began;
        std::uint32_t entered_seq;  // number of its first byte on either side
        std::uint32_t left_seq;
        std::uint32_t held;  // bytes of its pieces
        std::uint32_t ends;  // behind the last fragment; 0 = that one has not come
        std::uint32_t older;
        std::uint32_t newer;
        Side tap;
        Way way;
        bool owned;  // the first fragment has come
        bool left_whole;
        bool repeated;
        bool covered_first;  // the receiver had it before it was repeated
        bool covered_later;
        std::uint8_t pieces_count;
        std::array<Piece, kPiecesMax> pieces;
    };

    [[nodiscard]] Datagram* find(Side tap, const FragmentIds& ids);
    [[nodiscard]] Datagram* make(const Packet& packet, const FragmentIds& ids);
    void own(Datagram& datagram, const Packet& packet, const FragmentOwner& owner);
    [[nodiscard]] const Datagram* twin_of(const Datagram& datagram);
    void conclude(std::uint32_t index);
    void judge(const Datagram& datagram);
    void tell(const Datagram& datagram, const Piece& piece, const Datagram* twin);
    template <typename Visit>
    void each(Visit visit);

    FactSink& sink_;
    stats::Counters& counters_;
    Nanos wait_;
    Pool<Datagram> datagrams_;
    std::uint32_t oldest_ = Pool<Datagram>::kNone;
    std::uint32_t newest_ = Pool<Datagram>::kNone;
};

}  // namespace tw::taps
