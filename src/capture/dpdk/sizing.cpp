// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/sizing.hpp"

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <algorithm>
#include <bit>

#include "core/frame.hpp"

namespace tw::dpdk {

std::uint16_t descriptors_for(std::uint32_t wanted, const DescriptorLimits& limits,
                              bool has_descriptors) {
    constexpr std::uint32_t kVirtual = 512;
    // Drivers without a limit report 0 or 65535; more than this is megabytes of ring per queue.
    constexpr std::uint32_t kMost = 32768;
    const std::uint32_t most = limits.max == 0 ? kMost : std::min<std::uint32_t>(limits.max, kMost);
    std::uint32_t count = wanted;
    if (count == 0) {
        count = has_descriptors ? std::bit_floor(most) : kVirtual;
    }
    count = std::clamp<std::uint32_t>(count, std::min<std::uint32_t>(limits.min, most), most);
    const std::uint32_t align = std::max<std::uint32_t>(limits.align, 1);
    return static_cast<std::uint16_t>(count / align * align);
}

std::uint32_t pool_mbufs(const PoolNeed& need) {
    // A thread's cache may hold half as much again before it gives back (mempool flush threshold).
    const std::uint32_t cached = need.threads * (kPoolCache + kPoolCache / 2);
    constexpr std::uint32_t kInFlight = 4 * kBurstMax;
    // A frame of 64 KiB in a capture file takes 32 mbufs; a burst of such must fit while it is
    // read.
    constexpr std::uint32_t kScattered = kBurstMax * kBurstMax;
    const std::uint32_t count = need.descriptors + need.ring_frames + need.transmitting +
                                need.threads * kInFlight + cached + kScattered;
    return std::bit_ceil(count + 1) - 1;
}

std::uint64_t pool_bytes(std::uint32_t mbufs) {
    // Each object has a header and is padded to spread over memory channels; a pool also holds the
    // caches of RTE_MAX_LCORE threads.
    constexpr std::uint64_t kObject = sizeof(rte_mbuf) + RTE_MBUF_DEFAULT_BUF_SIZE + 256;
    constexpr std::uint64_t kCaches = RTE_MAX_LCORE * sizeof(rte_mempool_cache);
    return std::uint64_t{mbufs} * kObject + ring_bytes(mbufs) + kCaches + (std::uint64_t{1} << 20);
}

std::uint64_t ring_bytes(std::uint32_t frames) {
    return std::uint64_t{std::bit_ceil(frames + 1)} * sizeof(void*) + 4096;
}

}  // namespace tw::dpdk
