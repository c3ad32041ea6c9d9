// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/sizing.hpp"

#include <gtest/gtest.h>

#include <bit>

#include "core/frame.hpp"

namespace tw::dpdk {
namespace {

TEST(Descriptors, automatic_is_the_greatest_power_of_two) {
    EXPECT_EQ(descriptors_for(0, {64, 4096, 32}, true), 4096);
    EXPECT_EQ(descriptors_for(0, {64, 8160, 32}, true), 4096);
    EXPECT_EQ(descriptors_for(0, {0, 0, 1}, true), 32768) << "a driver without a limit";
    EXPECT_EQ(descriptors_for(0, {0, 65535, 1}, true), 32768);
}

TEST(Descriptors, virtual_devices_ignore_them_and_get_few) {
    EXPECT_EQ(descriptors_for(0, {0, 65535, 1}, false), 512);
    EXPECT_EQ(descriptors_for(0, {0, 256, 1}, false), 256);
}

TEST(Descriptors, a_wish_is_kept_within_the_limits_and_aligned) {
    EXPECT_EQ(descriptors_for(1000, {64, 4096, 32}, true), 992);
    EXPECT_EQ(descriptors_for(1, {64, 4096, 32}, true), 64);
    EXPECT_EQ(descriptors_for(60'000, {64, 4096, 32}, true), 4096);
    EXPECT_EQ(descriptors_for(1024, {0, 0, 0}, true), 1024) << "no alignment told";
}

TEST(PoolMbufs, suffices_for_descriptors_rings_and_caches) {
    for (const std::uint32_t descriptors : {512U, 4096U, 32768U}) {
        for (const std::uint32_t threads : {1U, 4U, 9U}) {
            const PoolNeed need{descriptors, (threads - 1) * 4096, threads};
            const std::uint32_t mbufs = pool_mbufs(need);
            EXPECT_TRUE(std::has_single_bit(mbufs + 1)) << "2^n - 1";
            EXPECT_GE(mbufs, need.descriptors + need.ring_frames +
                                 threads * (kPoolCache * 3 / 2 + kBurstMax));
        }
    }
}

TEST(PoolBytes, grow_with_the_mbufs) {
    EXPECT_GT(pool_bytes(8191), std::uint64_t{8191} * (2176 + 128));
    EXPECT_LT(pool_bytes(8191), std::uint64_t{32} << 20);
    EXPECT_GT(ring_bytes(4096), std::uint64_t{4096} * 8);
}

}  // namespace
}  // namespace tw::dpdk
