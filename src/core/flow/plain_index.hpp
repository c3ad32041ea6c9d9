// SPDX-License-Identifier: BSD-3-Clause
// FlowIndex without DPDK: open addressing over (hash, slot) pairs of 8 bytes, linear probing, load at
// most one half. Serves `read`, unit tests and fuzzing. Capacity is fixed within a burst; a driver
// that is not bound to allocate at start calls grow_for_burst() between bursts.
#pragma once

#include "base/lazy_array.hpp"
#include "core/flow/index.hpp"

namespace tw::flow {

class PlainIndex final : public FlowIndex {
  public:
    // Holds up to slots_max keys of key_bytes each. `initial_buckets` (0 = for slots_max at once) is
    // how large the bucket array starts.
    PlainIndex(std::uint32_t key_bytes, std::uint32_t slots_max, Backing backing,
               std::uint32_t initial_buckets = 0);

    void find_burst(const void* const* keys, const std::uint32_t* hashes, std::uint32_t count,
                    std::uint32_t* slots) override;
    [[nodiscard]] std::uint32_t insert(const void* key, std::uint32_t hash) override;
    void erase(const void* key, std::uint32_t hash, std::uint32_t slot) override;
    [[nodiscard]] std::uint32_t slots_max() const override { return slots_max_; }
    [[nodiscard]] std::size_t memory_bytes() const override;

    // Doubles the bucket array until a burst of new keys fits at half load. Not for packet code.
    void grow_for_burst();

  private:
    struct Bucket {
        std::uint32_t hash;
        std::uint32_t slot_plus_one;  // 0 = empty
    };

    [[nodiscard]] bool key_equals(std::uint32_t slot, const void* key) const;
    void place(std::uint32_t hash, std::uint32_t slot);

    std::uint32_t key_bytes_;
    std::uint32_t slots_max_;
    Backing backing_;
    std::uint32_t bucket_mask_;
    std::uint32_t used_ = 0;        // keys present
    std::uint32_t fresh_ = 0;       // slots never handed out begin here
    std::uint32_t free_head_ = 0;   // list of freed slots, threaded through free_next_; slot + 1
    LazyArray<Bucket> buckets_;
    LazyArray<unsigned char> keys_;
    LazyArray<std::uint32_t> free_next_;
};

}  // namespace tw::flow
