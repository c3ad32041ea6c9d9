// SPDX-License-Identifier: BSD-3-Clause
#include "core/flow/plain_index.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "core/flow/key.hpp"
#include "core/frame.hpp"

namespace tw::flow {
namespace {

// Buckets for `keys` at a load of at most one half, and never fewer than a burst needs.
std::uint32_t buckets_for(std::uint32_t keys) {
    const std::uint64_t wanted = std::max<std::uint64_t>(keys, kBurstMax) * 2;
    return static_cast<std::uint32_t>(std::bit_ceil(std::min(wanted, std::uint64_t{1} << 31)));
}

}  // namespace

PlainIndex::PlainIndex(std::uint32_t key_bytes, std::uint32_t keys_max, Backing backing,
                       std::uint32_t initial_keys)
    : key_bytes_(key_bytes),
      keys_max_(keys_max),
      backing_(backing),
      mask_(buckets_for(initial_keys == 0 ? keys_max : std::min(initial_keys, keys_max)) - 1),
      buckets_(std::size_t{mask_} + 1, backing),
      keys_(std::size_t{key_bytes} * keys_max, backing) {}

bool PlainIndex::holds(std::uint32_t slot, const void* key) const {
    const unsigned char* const held = &keys_[std::size_t{slot} * key_bytes_];
    if (key_bytes_ == sizeof(KeyV4)) {  // nearly always: spares the call
        return std::memcmp(held, key, sizeof(KeyV4)) == 0;
    }
    return std::memcmp(held, key, key_bytes_) == 0;
}

std::uint32_t PlainIndex::find_from(std::uint32_t bucket, const void* key,
                                    std::uint32_t hash) const {
    for (;; bucket = (bucket + 1) & mask_) {  // ends: at least half of the buckets are empty
        const Bucket& candidate = buckets_[bucket];
        if (candidate.slot_plus_one == 0) {
            return kNoSlot;
        }
        if (candidate.hash == hash && holds(candidate.slot_plus_one - 1, key)) {
            return candidate.slot_plus_one - 1;
        }
    }
}

void PlainIndex::find_burst(const void* const* keys, const std::uint32_t* hashes,
                            std::uint32_t count, std::uint32_t* slots) {
    for (std::uint32_t i = 0; i < count; ++i) {
        __builtin_prefetch(&buckets_[hashes[i] & mask_]);
    }
    std::array<std::uint32_t, kBurstMax> start;
    for (std::uint32_t i = 0; i < count; ++i) {
        std::uint32_t bucket = hashes[i] & mask_;
        while (buckets_[bucket].slot_plus_one != 0 && buckets_[bucket].hash != hashes[i]) {
            bucket = (bucket + 1) & mask_;
        }
        start[i] = bucket;
        if (buckets_[bucket].slot_plus_one != 0) {
            __builtin_prefetch(
                &keys_[std::size_t{buckets_[bucket].slot_plus_one - 1} * key_bytes_]);
        }
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        slots[i] = find_from(start[i], keys[i], hashes[i]);
    }
}

void PlainIndex::place(std::uint32_t hash, std::uint32_t slot_plus_one) {
    std::uint32_t bucket = hash & mask_;
    while (buckets_[bucket].slot_plus_one != 0) {
        bucket = (bucket + 1) & mask_;
    }
    buckets_[bucket] = {hash, slot_plus_one};
}

bool PlainIndex::insert(const void* key, std::uint32_t hash, std::uint32_t slot) {
    if (slot >= keys_max_ || used_ > mask_ / 2) {
        return false;
    }
    ++used_;
    std::memcpy(&keys_[std::size_t{slot} * key_bytes_], key, key_bytes_);
    place(hash, slot + 1);
    return true;
}

void PlainIndex::erase(const void*, std::uint32_t hash, std::uint32_t slot) {
    std::uint32_t hole = hash & mask_;
    while (buckets_[hole].slot_plus_one != slot + 1) {
        TW_DCHECK(buckets_[hole].slot_plus_one != 0);
        hole = (hole + 1) & mask_;
    }
    --used_;
    // Close the gap: move back each later entry of the run whose home is not between gap and entry.
    for (std::uint32_t next = (hole + 1) & mask_; buckets_[next].slot_plus_one != 0;
         next = (next + 1) & mask_) {
        const std::uint32_t home = buckets_[next].hash & mask_;
        if (((next - home) & mask_) >= ((next - hole) & mask_)) {
            buckets_[hole] = buckets_[next];
            hole = next;
        }
    }
    buckets_[hole] = {0, 0};
}

void PlainIndex::grow_for_burst() {
    if (std::uint64_t{used_} + kBurstMax <= mask_ / 2 ||
        std::uint64_t{mask_} + 1 >= buckets_for(keys_max_)) {
        return;
    }
    LazyArray<Bucket> old = std::move(buckets_);
    const std::size_t old_count = old.size();
    mask_ = mask_ * 2 + 1;
    buckets_ = LazyArray<Bucket>(std::size_t{mask_} + 1, backing_);
    for (std::size_t i = 0; i < old_count; ++i) {
        if (old[i].slot_plus_one != 0) {
            place(old[i].hash, old[i].slot_plus_one);
        }
    }
}

std::size_t PlainIndex::memory_bytes() const {
    return buckets_.bytes() + keys_.bytes();
}

}  // namespace tw::flow
