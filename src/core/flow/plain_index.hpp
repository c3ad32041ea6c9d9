// SPDX-License-Identifier: BSD-3-Clause
// FlowIndex without DPDK: open addressing over (hash, slot) pairs of 8 bytes, linear probing, load
// at most one half. Serves `read`, unit tests and fuzzing. Capacity is fixed within a burst; a
// driver that is not bound to allocate at start calls grow_for_burst() between bursts.
#pragma once

#include "base/lazy_array.hpp"
#include "core/flow/index.hpp"

namespace tw::flow {

class PlainIndex final : public FlowIndex {
  public:
    // Holds up to keys_max keys of key_bytes each, for slots below keys_max. `initial_keys` (0 =
    // keys_max) is how many fit before grow_for_burst() must have been called.
    PlainIndex(std::uint32_t key_bytes, std::uint32_t keys_max, Backing backing,
               std::uint32_t initial_keys = 0);

    void find_burst(const void* const* keys, const std::uint32_t* hashes, std::uint32_t count,
                    std::uint32_t* slots) override;
    [[nodiscard]] bool insert(const void* key, std::uint32_t hash, std::uint32_t slot) override;
    void erase(const void* key, std::uint32_t hash, std::uint32_t slot) override;
    [[nodiscard]] std::size_t memory_bytes() const override;

    // Doubles the bucket array until a burst of new keys fits at half load. Not for packet code.
    void grow_for_burst();

  private:
    struct Bucket {
        std::uint32_t hash;
        std::uint32_t slot_plus_one;  // 0 = empty
    };

    [[nodiscard]] bool holds(std::uint32_t slot, const void* key) const;
    [[nodiscard]] std::uint32_t find_from(std::uint32_t bucket, const void* key,
                                          std::uint32_t hash) const;
    void place(std::uint32_t hash, std::uint32_t slot_plus_one);

    std::uint32_t key_bytes_;
    std::uint32_t keys_max_;
    Backing backing_;
    std::uint32_t used_ = 0;
    std::uint32_t mask_;  // buckets - 1, a power of two minus one
    LazyArray<Bucket> buckets_;
    LazyArray<unsigned char> keys_;  // by slot
};

}  // namespace tw::flow
