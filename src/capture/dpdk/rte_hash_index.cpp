// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/rte_hash_index.hpp"

#include <fmt/format.h>
#include <rte_errno.h>
#include <rte_hash.h>

#include <algorithm>
#include <bit>

#include "base/check.hpp"
#include "core/frame.hpp"

namespace tw::dpdk {
namespace {

// Cuckoo insertion fails beyond about 95 % and slows down well before. With buckets rounded up to a
// power of two, 1.4 entries a key mean a load of 36 to 71 %, and a connection stays in its 256
// bytes.
[[nodiscard]] std::uint32_t entries_for(std::uint32_t keys_max) {
    constexpr std::uint32_t kEntriesMin = 64;
    return std::max(kEntriesMin, keys_max + keys_max / 5 * 2);
}

// rte_hash never calls it: every call here brings its hash. It wants one all the same.
std::uint32_t unused_hash(const void*, std::uint32_t, std::uint32_t) {
    return 0;
}

// The slot travels as the value pointer itself; nothing is pointed at.
[[nodiscard]] void* value_of(std::uint32_t slot) {
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(slot));
}
[[nodiscard]] std::uint32_t slot_of(void* value) {
    return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(value));
}

}  // namespace

struct RteHashIndex::Table {
    explicit Table(rte_hash* created) : hash(created) {}
    ~Table() { rte_hash_free(hash); }
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    rte_hash* const hash;
};

std::size_t RteHashIndex::memory_bytes(std::uint32_t key_bytes, std::uint32_t keys_max) {
    // As 22.11 allocates them: buckets of 8 entries in 64 bytes, key records of 8 + key bytes
    // rounded up to 16, and a ring of 4-byte indices; two of these are rounded up to powers of two.
    const std::size_t entries = entries_for(keys_max);
    const std::size_t buckets = std::bit_ceil(entries) / 8;
    const std::size_t key_record = (8 + std::size_t{key_bytes} + 15) / 16 * 16;
    const std::size_t ring = std::bit_ceil(entries + 2) * sizeof(std::uint32_t);
    constexpr std::size_t kHeaders = 64 * 1024;
    return buckets * 64 + (entries + 1) * key_record + ring + kHeaders;
}

std::expected<std::unique_ptr<RteHashIndex>, Error> RteHashIndex::create(
    const RteHashIndexOptions& options) {
    rte_hash_parameters parameters{};
    parameters.name = options.name.c_str();
    parameters.entries = entries_for(options.keys_max);
    parameters.key_len = options.key_bytes;
    parameters.hash_func = unused_hash;
    parameters.socket_id = options.numa_node;
    rte_hash* hash = rte_hash_create(&parameters);
    const std::size_t bytes = memory_bytes(options.key_bytes, options.keys_max);
    if (hash == nullptr) {
        return std::unexpected(
            Error{fmt::format("flows.max_per_worker: no index for {} connections ({} MiB): {}",
                              options.keys_max, bytes >> 20, rte_strerror(rte_errno)),
                  ExitCode::environment_failed});
    }
    return std::unique_ptr<RteHashIndex>(new RteHashIndex(std::make_unique<Table>(hash), bytes));
}

RteHashIndex::RteHashIndex(std::unique_ptr<Table> table, std::size_t memory_bytes)
    : table_(std::move(table)), memory_bytes_(memory_bytes) {}

RteHashIndex::~RteHashIndex() = default;

void RteHashIndex::find_burst(const void* const* keys, const std::uint32_t* hashes,
                              std::uint32_t count, std::uint32_t* slots) {
    static_assert(kBurstMax <= RTE_HASH_LOOKUP_BULK_MAX);
    TW_DCHECK(count <= kBurstMax);
    if (count == 0) {
        return;
    }
    void* values[kBurstMax];
    std::uint64_t hits = 0;
    // DPDK's prototype lacks the const of the pointer array; it only reads.
    const int found = rte_hash_lookup_with_hash_bulk_data(
        table_->hash, const_cast<const void**>(keys), const_cast<std::uint32_t*>(hashes), count,
        &hits, values);
    TW_DCHECK(found >= 0);
    static_cast<void>(found);
    for (std::uint32_t i = 0; i < count; ++i) {
        slots[i] = (hits >> i & 1) != 0 ? slot_of(values[i]) : kNoSlot;
    }
}

bool RteHashIndex::insert(const void* key, std::uint32_t hash, std::uint32_t slot) {
    return rte_hash_add_key_with_hash_data(table_->hash, key, hash, value_of(slot)) == 0;
}

void RteHashIndex::erase(const void* key, std::uint32_t hash, std::uint32_t slot) {
    static_cast<void>(slot);
    const int position = rte_hash_del_key_with_hash(table_->hash, key, hash);
    TW_DCHECK(position >= 0);
    static_cast<void>(position);
}

}  // namespace tw::dpdk
