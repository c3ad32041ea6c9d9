// SPDX-License-Identifier: BSD-3-Clause
// Packets that were seen at one tap and wait for their twin at the other: one bounded hash table
// for all conversations. Equal keys queue in order of arrival; among them the strongest rung of the
// ladder wins, then the most usual transit: a repeat alike in everything is not its lost original.
// Time runs by the taps' own clocks only. No operation takes longer because of what traffic puts in
// here.
//
//   buckets_  key -> first of a group --next_group--> first of another group of this bucket
//                          | next_equal
//                     later packet with the same key
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/lazy_array.hpp"
#include "base/time.hpp"
#include "core/taps/packet.hpp"
#include "core/taps/side.hpp"
#include "core/taps/witness.hpp"

namespace tw::taps {

// Packets that could be twins have equal keys, as far as the numbers are known.
struct TwinKey {
    std::uint64_t conversation = 0;
    std::uint8_t party = 0;  // 0 = client, 1 = server
    std::uint8_t flags = 0;  // SYN, FIN, RST
    std::uint32_t seq = 0;   // as the outside counts; 0 for a SYN, whose number may be changed
    bool payload = false;
    std::uint32_t ack = 0;  // as the outside counts; for packets without sequence space
};

// What a firewall is known to leave alone: two packets that differ in it are two transmissions.
struct Kept {
    bool ip_id = false;
    bool timestamps = false;
    bool isn = false;  // sequence numbers, of a SYN
};

struct Waiting {
    Packet packet;
    std::uint64_t key;
    std::uint64_t serial;
    std::uint64_t conversation;  // its id: the slot may have been given to another since
    std::uint32_t slot;
    std::uint32_t next_group;
    std::uint32_t next_equal;
    std::uint32_t last_equal;  // of the first of a group
    std::uint32_t older;       // in its queue, for ageing
    std::uint32_t newer;
    std::uint8_t queue;
    bool copy;
    bool out_of_order;
    bool contested;  // another was paired with a packet that could have been its twin
    Nanos idle;
};
static_assert(sizeof(Waiting) <= 192, "three cache lines");

class InFlight {
  public:
    static constexpr std::uint32_t kNone = 0;
    // Packets of one key that are compared, in order of arrival: the bound of a search.
    static constexpr std::uint32_t kLooksMax = 16;

    // A bucket is four bytes; the record of a stranger in it is a miss of the cache.
    static constexpr std::uint64_t kBucketsPerPacket = 2;

    InFlight(std::uint32_t packets_max, Backing backing, std::uint64_t seed);

    // Tap where it waits is part of the key: `tap` of the twin, or of the packet itself.
    [[nodiscard]] std::uint64_t key_of(const TwinKey& key, Side tap) const;
    void prefetch_bucket(std::uint64_t key) const { __builtin_prefetch(&buckets_[bucket(key)], 1); }
    void prefetch_group(std::uint64_t key) const;

    struct Query {
        std::uint64_t key = 0;
        // The packet with its numbers as the other tap would count them.
        const Packet* expected = nullptr;
        Nanos earliest = 0;  // time of the twin
        Nanos latest = 0;
        // When it was there if it took the usual time; among equals the nearest is taken.
        Nanos likely = 0;
        Kept kept;
        bool copy = false;  // a copy is another copy's twin, as long as there is one
    };
    struct Answer {
        std::uint32_t index = kNone;
        KeyLevel level = KeyLevel::whole;
        bool alone = true;         // no other packet with this key could have been it
        bool others_wait = false;  // one that could be as well waits on
        // Without a twin: surely the same packet, but of another length.
        std::uint32_t of_other_length = kNone;
    };
    [[nodiscard]] Answer find(const Query& query) const;

    // What waits with this key may have lost its twin to another of them.
    void contest(std::uint64_t key);

    // Index of a record to fill in (packet … idle), already queued; kNone when full: evict first.
    [[nodiscard]] std::uint32_t add(std::uint64_t key, std::uint8_t queue);
    void remove(std::uint32_t index);

    // Queues age apart: one for each tap and role. The oldest of one, kNone if empty.
    static constexpr std::size_t kQueues = 4;
    [[nodiscard]] std::uint32_t oldest(std::uint8_t queue) const { return queues_[queue].oldest; }
    [[nodiscard]] std::uint32_t oldest() const;  // of all
    [[nodiscard]] const Waiting& operator[](std::uint32_t index) const { return records_[index]; }
    [[nodiscard]] Waiting& operator[](std::uint32_t index) { return records_[index]; }
    [[nodiscard]] std::uint32_t count() const { return count_; }

    [[nodiscard]] std::size_t memory_bytes() const { return buckets_.bytes() + records_.bytes(); }
    [[nodiscard]] static constexpr std::size_t bytes_per_packet() {
        return sizeof(Waiting) + 2 * kBucketsPerPacket * sizeof(std::uint32_t);
    }

  private:
    struct Queue {
        std::uint32_t oldest = kNone;
        std::uint32_t newest = kNone;
    };

    [[nodiscard]] std::size_t bucket(std::uint64_t key) const { return key & mask_; }
    // The first of the key's group.
    [[nodiscard]] std::uint32_t group_of(std::uint64_t key) const;
    void unchain(std::uint32_t index);

    std::uint64_t mask_;
    std::uint64_t seed_;
    LazyArray<std::uint32_t> buckets_;
    LazyArray<Waiting> records_;  // element 0 is never used
    std::array<Queue, kQueues> queues_{};
    std::uint32_t free_head_ = kNone;  // threaded through next_group
    std::uint32_t fresh_ = 0;
    std::uint32_t count_ = 0;
};

}  // namespace tw::taps
