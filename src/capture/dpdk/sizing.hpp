// SPDX-License-Identifier: BSD-3-Clause
// How many descriptors, mbufs and bytes a run takes. Plain arithmetic, so that `check`, the EAL's
// memory argument and the ports agree.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tw::dpdk {

// Of a bridged port's transmit queue: 0.8 ms of full frames at 10 Gbit/s. Deeper queues only make a
// congested line slower.
inline constexpr std::uint32_t kTransmitDescriptors = 512;

struct DescriptorLimits {
    std::uint16_t min = 0;
    std::uint16_t max = 0;
    std::uint16_t align = 1;
};
// `wanted` 0 = auto: the greatest power of two the device takes, because a ring's depth is the time
// a worker may be away. Virtual devices ignore the number, so they get few.
[[nodiscard]] std::uint16_t descriptors_for(std::uint32_t wanted, const DescriptorLimits& limits,
                                            bool has_descriptors);

struct PoolNeed {
    std::uint32_t descriptors = 0;
    std::uint32_t ring_frames = 0;   // all workers' rings behind a dispatcher
    std::uint32_t threads = 1;       // that free into the pool
    std::uint32_t transmitting = 0;  // in the transmit queue of a bridge
};
// One pool per port and queue: 2^n - 1, which the ring inside a mempool holds without waste.
[[nodiscard]] std::uint32_t pool_mbufs(const PoolNeed& need);
inline constexpr std::uint32_t kPoolCache = 256;

// Of EAL's memory, with what alignment and headers add.
[[nodiscard]] std::uint64_t pool_bytes(std::uint32_t mbufs);
[[nodiscard]] std::uint64_t ring_bytes(std::uint32_t frames);

}  // namespace tw::dpdk
