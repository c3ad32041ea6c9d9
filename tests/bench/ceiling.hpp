// SPDX-License-Identifier: BSD-3-Clause
// What the pipeline is measured against: the same connections in the same order, but parse-free.
// Keys and hashes are given, so that only the index look-up of a burst and one cache line per
// connection remain. rte_hash in bulk is the ceiling proper; the plain index is shown beside it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/lazy_array.hpp"
#include "bench/traffic.hpp"
#include "core/flow/index.hpp"
#include "core/flow/key.hpp"

namespace tw::bench {

// One packet's look-up, laid down in the order of the batch.
struct Lookups {
    std::vector<flow::KeyV4> keys;
    std::vector<std::uint32_t> hashes;
};

// A connection's record as far as the ceiling is concerned: one line, read and written.
struct alignas(64) Line {
    std::uint64_t packets;
    std::uint64_t rest[7];
};
static_assert(sizeof(Line) == 64);

class Ceiling {
  public:
    virtual ~Ceiling() = default;
    [[nodiscard]] virtual std::string name() const = 0;
    // Looks every packet up in bursts of kBurstMax and touches its line.
    virtual void run(const Lookups& lookups) = 0;
    // Sum of Line::packets: proof that each look-up hit.
    [[nodiscard]] virtual std::uint64_t packets() const = 0;
};

// The table holds connections 0 .. flows_count-1, at a load of at most 0.66.
[[nodiscard]] std::unique_ptr<Ceiling> make_plain_ceiling(std::uint32_t flows_count);

inline constexpr std::uint64_t kHashSeed = 0x0123'4567'89AB'CDEFULL;

// The parts that need DPDK; without it (-Dlive=disabled) live_none.cpp says there are none.
namespace live {
// Starts EAL once. False: this program was built without DPDK, or EAL refused.
[[nodiscard]] bool start();
[[nodiscard]] std::unique_ptr<Ceiling> make_ceiling(std::uint32_t flows_count);
// The product's own rte_hash index.
[[nodiscard]] std::unique_ptr<flow::FlowIndex> make_index(std::uint32_t key_bytes,
                                                          std::uint32_t keys_max);
}  // namespace live

}  // namespace tw::bench
