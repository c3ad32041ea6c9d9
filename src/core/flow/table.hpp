// SPDX-License-Identifier: BSD-3-Clause
// The connections of one worker and IP version: records by slot, the index that finds them, the
// limit and what happens at it. Order of eviction when full: a closed connection, else an
// unfinished handshake, else, if the newcomer is more than a bare SYN, the longest idle of those
// looked at; a bare SYN is refused instead, so that a SYN flood cannot push out established
// connections.
#pragma once

#include <cstdint>

#include "base/lazy_array.hpp"
#include "core/flow/flow.hpp"
#include "core/flow/index.hpp"
#include "core/options.hpp"

namespace tw::flow {

enum class Age : std::uint8_t { embryonic, established, closing };

// Embryonic: only SYN or SYN/ACK so far, or fewer than four packets that all came from one side.
[[nodiscard]] Age age_of(const Flow& flow);

class FlowTable {
  public:
    static constexpr std::uint32_t kNoSlot = FlowIndex::kNoSlot;
    // Records looked at for a victim: bounds the cost of a new connection on a full table.
    static constexpr std::uint32_t kVictimsMax = 32;

    FlowTable(FlowIndex& index, std::uint32_t flows_max, bool v6, Backing backing);

    [[nodiscard]] FlowIndex& index() { return *index_; }
    [[nodiscard]] Flow& flow(std::uint32_t slot) { return flows_[slot]; }
    [[nodiscard]] ColdFlow& cold(std::uint32_t slot) { return cold_[slot]; }
    // The key bytes of a slot, as the index wants them.
    [[nodiscard]] const void* key(std::uint32_t slot) const;
    [[nodiscard]] const KeyV4& key_v4(std::uint32_t slot) const { return flows_[slot].key_v4; }
    [[nodiscard]] const KeyV6& key_v6(std::uint32_t slot) const { return keys_v6_[slot]; }

    // A zeroed, occupied record for an absent key, or kNoSlot when full: then ask victim(),
    // remove() it and try again.
    [[nodiscard]] std::uint32_t add(const void* key, std::uint32_t hash);
    // Which connection should give way to a newcomer; kNoSlot = the newcomer must.
    [[nodiscard]] std::uint32_t victim(bool newcomer_is_bare_syn);
    void remove(std::uint32_t slot, std::uint64_t hash_seed);

    [[nodiscard]] std::uint32_t live() const { return live_; }
    // Slots at or above this were never used.
    [[nodiscard]] std::uint32_t slots_used() const { return fresh_; }
    [[nodiscard]] std::uint32_t flows_max() const { return flows_max_; }
    [[nodiscard]] bool v6() const { return v6_; }

    [[nodiscard]] static std::size_t bytes_per_flow(bool v6);

  private:
    FlowIndex* index_;
    std::uint32_t flows_max_;
    bool v6_;
    std::uint32_t live_ = 0;
    std::uint32_t fresh_ = 0;
    std::uint32_t free_head_ = kNoSlot;  // freed slots, threaded through ColdFlow::stream
    std::uint32_t hand_ = 0;             // where the search for victims goes on
    LazyArray<Flow> flows_;
    LazyArray<ColdFlow> cold_;
    LazyArray<KeyV6> keys_v6_;
};

}  // namespace tw::flow
