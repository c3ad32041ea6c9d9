// SPDX-License-Identifier: BSD-3-Clause
// The conversations of one worker: bounded, found by the addresses and ports that either tap sees.
// A conversation whose tuple is the same at both taps is one entry; where addresses are translated
// it has two tuples. Holds what every packet needs (Live), and the record that is handed out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/lazy_array.hpp"
#include "base/time.hpp"
#include "core/decode/decoded.hpp"
#include "core/flow/plain_index.hpp"
#include "core/frame.hpp"
#include "core/taps/conversation.hpp"
#include "core/taps/packet.hpp"
#include "core/taps/side.hpp"

namespace tw::taps {

inline constexpr std::size_t kParties = 2;
inline constexpr std::uint8_t kClient = 0;
inline constexpr std::uint8_t kServer = 1;

enum class Stage : std::uint8_t {
    unused,
    held,      // which way its packets go is not told yet: they wait
    open,      // orientation told or decided
    detached,  // its tuple has gone to another connection; its last packets are still judged
    away,      // another worker's: its packets are handed over (hand_over.hpp)
};

// How many pairs had the same identification and timestamps at both taps, and how many not, as far
// as both had some.
struct Likeness {
    std::uint16_t same_id;
    std::uint16_t other_id;
    std::uint16_t same_times;
    std::uint16_t other_times;
};

// What every packet of a conversation needs.
struct Live {
    std::uint64_t id;
    Nanos first;
    Nanos last;                                 // packet at any tap
    Nanos last_left;                            // packet that left, either way; 0 = none
    std::array<std::uint32_t, kSides> tuple;    // slot + 1 of its tuple at this tap; 0 = none
    std::array<std::uint32_t, kParties> shift;  // inside number - outside number of the party
    // Another one, before or behind a place where a payload's length was changed on the way.
    std::array<std::uint32_t, kParties> other_shift;
    std::array<std::array<std::uint32_t, kParties>, kSides> next;  // highest end, by [tap][party]
    std::array<std::array<std::uint32_t, kParties>, kSides> isn;
    std::uint32_t packets;
    std::uint32_t waiting;  // of its packets for a twin
    std::uint32_t holding;  // index of its held packets, 0 = none
    std::uint32_t logged;   // number of its latest packet in the log, 0 = none
    std::uint32_t leg;      // of Legs, while one tap alone has seen it; 0 = none
    std::array<Likeness, kWays> likeness;
    std::array<std::uint8_t, kSides> client_sender;  // side of the tuple's key that is the client
    Stage stage;
    Side client_side;
    bool client_known : 1;
    bool side_known : 1;
    bool v6 : 1;
    bool opening : 1;  // SYN or SYN/ACK only so far
    bool reset : 1;
    bool paired_once : 1;
    bool doubtful : 1;             // at one tap only, and another at the other tap may be the same
    bool joint : 1;                // what the other tap sees of it comes from another worker
    bool introduced : 1;           // to the other workers, as seen at one tap alone
    bool told : 1;                 // its record is part of another one that was handed out
    std::uint8_t spoke : 2;        // by party: a packet other than a RST
    std::uint8_t fins : 2;         // by party
    std::uint8_t shift_known : 2;  // by party
    std::uint8_t isn_known : 4;    // bit tap * 2 + party
    std::uint8_t next_known : 4;
    std::uint8_t other_known : 2;  // by party: other_shift
    std::uint8_t stepped : 2;      // idem: it held for a packet

    [[nodiscard]] std::uint8_t party_of(Side tap, std::uint8_t sender) const {
        return sender == client_sender[index(tap)] ? kClient : kServer;
    }
    [[nodiscard]] Way way_of(std::uint8_t party) const {
        const Way clients = way_into(client_side);
        return party == kClient ? clients : back(clients);
    }
    [[nodiscard]] bool at(Side tap) const { return tuple[index(tap)] != 0; }
    [[nodiscard]] bool at_both() const { return at(Side::outside) && at(Side::inside); }
    // One tap alone has shown both ends of it speaking.
    [[nodiscard]] bool talks_at_one() const { return !at_both() && spoke == 3; }
    [[nodiscard]] bool closed() const { return reset || fins == 3; }
    [[nodiscard]] bool has_isn(Side tap, std::uint8_t party) const {
        return (unsigned{isn_known} >> bit(tap, party) & 1U) != 0;
    }
    [[nodiscard]] bool has_next(Side tap, std::uint8_t party) const {
        return (unsigned{next_known} >> bit(tap, party) & 1U) != 0;
    }
    [[nodiscard]] bool knows_shift(std::uint8_t party) const {
        return (unsigned{shift_known} >> party & 1U) != 0;
    }
    void set_isn(Side tap, std::uint8_t party, std::uint32_t number) {
        isn[index(tap)][party] = number;
        isn_known = (isn_known | 1U << bit(tap, party)) & 15U;
    }
    void set_next(Side tap, std::uint8_t party, std::uint32_t number) {
        next[index(tap)][party] = number;
        next_known = (next_known | 1U << bit(tap, party)) & 15U;
    }
    [[nodiscard]] bool has_other_shift(std::uint8_t party) const {
        return (unsigned{other_known} >> party & 1U) != 0;
    }
    [[nodiscard]] bool has_stepped(std::uint8_t party) const {
        return (unsigned{stepped} >> party & 1U) != 0;
    }
    void set_other_shift(std::uint8_t party, std::uint32_t inside_less_outside) {
        other_shift[party] = inside_less_outside;
        other_known = (other_known | 1U << party) & 3U;
    }
    void exchange_shifts(std::uint8_t party) { std::swap(shift[party], other_shift[party]); }
    void set_stepped(std::uint8_t party) { stepped = (stepped | 1U << party) & 3U; }
    void set_shift(std::uint8_t party, std::uint32_t inside_less_outside) {
        shift[party] = inside_less_outside;
        shift_known = (shift_known | 1U << party) & 3U;
    }

  private:
    [[nodiscard]] static unsigned bit(Side tap, std::uint8_t party) {
        return static_cast<unsigned>(index(tap)) * 2U + party;
    }
};

// Addresses and ports as one tap sees them.
struct Tuple {
    union {
        flow::KeyV4 v4;
        flow::KeyV6 v6_key;
    };
    std::uint32_t hash;
    std::uint32_t conversation;  // slot; next free tuple while unused
    bool v6;
};

class Conversations {
  public:
    static constexpr std::uint32_t kNone = flow::FlowIndex::kNoSlot;
    // Records looked at for a victim: bounds the cost of a new conversation in a full table.
    static constexpr std::uint32_t kVictimsMax = 32;

    struct Options {
        std::uint32_t conversations_max = 0;
        Backing backing = Backing::populated;
        std::uint64_t hash_seed = 0;
        std::uint64_t first_id = 1;
        std::uint64_t id_step = 1;
    };
    explicit Conversations(const Options& options);

    // --- tuples
    [[nodiscard]] std::uint32_t hash_of(const decode::Decoded& found) const;
    // tuples[i] of the wanted ones; kNone = not known.
    void find_burst(const decode::Decoded* const* found, const std::uint32_t* hashes,
                    std::uint32_t count, std::uint32_t* tuples);
    [[nodiscard]] std::uint32_t find(const void* key, std::uint32_t hash, bool v6);
    // The conversation between two endpoints, the first with another port; kNone = there is none.
    [[nodiscard]] std::uint32_t find_endpoints(const flow::Endpoint& one, std::uint16_t port,
                                               const flow::Endpoint& other);
    [[nodiscard]] const Tuple& tuple(std::uint32_t slot) const { return tuples_[slot]; }
    void prefetch_tuple(std::uint32_t slot) const { __builtin_prefetch(&tuples_[slot]); }

    // --- conversations
    // A zeroed one with a tuple at this tap; kNone when full: victim() tells who gives way.
    [[nodiscard]] std::uint32_t add(const decode::Decoded& found, std::uint32_t hash, Side tap);
    // The tuple of this tap as well. False when the tuples are used up.
    [[nodiscard]] bool attach(std::uint32_t slot, const decode::Decoded& found, std::uint32_t hash,
                              Side tap);
    // The same tuple, seen at the other tap too.
    void share(std::uint32_t slot, Side tap);
    // Gives the tuple of the only tap that `from` was seen at to `into`, which has none there, and
    // removes `from`.
    void merge(std::uint32_t from, std::uint32_t into, Side tap);
    // No packet finds it any more.
    void detach(std::uint32_t slot);
    void remove(std::uint32_t slot);  // detached first, if it was not
    // Which conversation should give way; kNone = the newcomer must.
    [[nodiscard]] std::uint32_t victim(bool newcomer_is_bare_syn);

    [[nodiscard]] Live& live(std::uint32_t slot) { return live_[slot]; }
    [[nodiscard]] const Live& live(std::uint32_t slot) const { return live_[slot]; }
    [[nodiscard]] Conversation& record(std::uint32_t slot) { return records_[slot]; }
    [[nodiscard]] const Conversation& record(std::uint32_t slot) const { return records_[slot]; }
    void prefetch(std::uint32_t slot) const;
    // Endpoint of a tuple, by side of the key.
    [[nodiscard]] flow::Endpoint endpoint(std::uint32_t tuple, std::uint8_t side) const;

    [[nodiscard]] std::uint32_t slots_used() const { return fresh_; }
    [[nodiscard]] std::uint32_t count() const { return count_; }
    [[nodiscard]] std::size_t memory_bytes() const;

  private:
    [[nodiscard]] std::uint32_t new_tuple(const decode::Decoded& found, std::uint32_t hash,
                                          std::uint32_t conversation);
    void free_tuple(std::uint32_t tuple);

    Options options_;
    flow::PlainIndex index_v4_;
    flow::PlainIndex index_v6_;
    LazyArray<Tuple> tuples_;
    LazyArray<Live> live_;
    LazyArray<Conversation> records_;
    std::uint32_t tuples_fresh_ = 0;
    std::uint32_t tuples_free_ = kNone;
    std::uint32_t fresh_ = 0;
    std::uint32_t free_ = kNone;  // threaded through Live::packets
    std::uint32_t count_ = 0;
    std::uint32_t hand_ = 0;
    std::uint64_t next_id_;
};

}  // namespace tw::taps
