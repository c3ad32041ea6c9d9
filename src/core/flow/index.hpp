// SPDX-License-Identifier: BSD-3-Clause
// Key -> slot of the table's own numbering. Two implementations: rte_hash (capture/dpdk) for live,
// PlainIndex for read, tests and fuzzing; both run the same captures in tests and must give the
// same output. One virtual call per burst, so its cost is lost in noise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tw::flow {

class FlowIndex {
  public:
    static constexpr std::uint32_t kNoSlot = UINT32_MAX;

    virtual ~FlowIndex() = default;

    // slots[i] = slot of keys[i] or kNoSlot, for i < count <= kBurstMax. hashes[i] is the table's
    // seeded hash of keys[i].
    virtual void find_burst(const void* const* keys, const std::uint32_t* hashes,
                            std::uint32_t count, std::uint32_t* slots) = 0;
    // The caller knows the key is absent and has chosen `slot` for it. False when there is no room.
    [[nodiscard]] virtual bool insert(const void* key, std::uint32_t hash, std::uint32_t slot) = 0;
    // The caller knows that `slot` holds `key`.
    virtual void erase(const void* key, std::uint32_t hash, std::uint32_t slot) = 0;
    // Bytes reserved, for `check` and the memory budget.
    [[nodiscard]] virtual std::size_t memory_bytes() const = 0;
};

}  // namespace tw::flow
