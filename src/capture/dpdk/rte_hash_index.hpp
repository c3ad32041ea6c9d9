// SPDX-License-Identifier: BSD-3-Clause
// FlowIndex over rte_hash, for live workers: bulk look-up with the table's own hashes, our slot
// number as the value beside the key. One per worker and IP version; no locks, one thread at a
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "core/flow/index.hpp"

namespace tw::dpdk {

struct RteHashIndexOptions {
    std::string name;  // unique in the process, at most 31 bytes
    std::uint32_t key_bytes = 0;
    std::uint32_t keys_max = 0;
    int numa_node = -1;  // -1: any
};

class RteHashIndex final : public flow::FlowIndex {
  public:
    // Fails if EAL's memory does not suffice. The EAL must live longer than the index.
    [[nodiscard]] static std::expected<std::unique_ptr<RteHashIndex>, Error> create(
        const RteHashIndexOptions& options);
    ~RteHashIndex() override;
    RteHashIndex(const RteHashIndex&) = delete;
    RteHashIndex& operator=(const RteHashIndex&) = delete;

    void find_burst(const void* const* keys, const std::uint32_t* hashes, std::uint32_t count,
                    std::uint32_t* slots) override;
    [[nodiscard]] bool insert(const void* key, std::uint32_t hash, std::uint32_t slot) override;
    void erase(const void* key, std::uint32_t hash, std::uint32_t slot) override;
    [[nodiscard]] std::size_t memory_bytes() const override { return memory_bytes_; }

    // What an index takes of EAL's memory, before it is made.
    [[nodiscard]] static std::size_t memory_bytes(std::uint32_t key_bytes, std::uint32_t keys_max);

  private:
    struct Table;
    RteHashIndex(std::unique_ptr<Table> table, std::size_t memory_bytes);

    std::unique_ptr<Table> table_;
    std::size_t memory_bytes_;
};

}  // namespace tw::dpdk
