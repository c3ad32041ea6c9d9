// SPDX-License-Identifier: BSD-3-Clause
#include "base/byte_reader.hpp"

#include <gtest/gtest.h>

#include <array>

namespace tw {
namespace {

constexpr std::array<std::uint8_t, 8> kBytes{0x01, 0x02, 0x03, 0x04, 0x85, 0x86, 0x87, 0x88};

TEST(ByteReader, reads_network_order_at_any_offset) {
    const ByteReader reader(kBytes.data(), 8, 8);
    EXPECT_EQ(reader.u8(4), 0x85);
    EXPECT_EQ(reader.be16(0), 0x0102);
    EXPECT_EQ(reader.be16(3), 0x0485);
    EXPECT_EQ(reader.be32(0), 0x01020304U);
    EXPECT_EQ(reader.be32(4), 0x85868788U);
    EXPECT_EQ(reader.bytes(2, 6), kBytes.data() + 2);
}

TEST(ByteReader, has_counts_captured_bytes_only) {
    const ByteReader reader(kBytes.data(), 8, 1500);
    EXPECT_TRUE(reader.has(0));
    EXPECT_TRUE(reader.has(8));
    EXPECT_FALSE(reader.has(9));
    EXPECT_FALSE(reader.has(UINT32_MAX));
}

TEST(ByteReader, skip_moves_both_ends) {
    ByteReader reader(kBytes.data(), 8, 100);
    reader.skip(3);
    EXPECT_EQ(reader.u8(0), 0x04);
    EXPECT_EQ(reader.captured_bytes(), 5U);
    EXPECT_EQ(reader.wire_bytes(), 97U);
    reader.skip(5);
    EXPECT_FALSE(reader.has(1));
    EXPECT_EQ(reader.wire_bytes(), 92U);
}

TEST(ByteReader, limit_narrows_and_never_widens) {
    ByteReader reader(kBytes.data(), 8, 100);
    reader.limit(200);
    EXPECT_EQ(reader.captured_bytes(), 8U);
    EXPECT_EQ(reader.wire_bytes(), 100U);
    reader.limit(50);
    EXPECT_EQ(reader.captured_bytes(), 8U);
    EXPECT_EQ(reader.wire_bytes(), 50U);
    reader.limit(4);
    EXPECT_EQ(reader.captured_bytes(), 4U);
    EXPECT_EQ(reader.wire_bytes(), 4U);
    reader.limit(0);
    EXPECT_FALSE(reader.has(1));
}

TEST(ByteReader, impossible_wire_lengths_are_corrected) {
    EXPECT_EQ(ByteReader(kBytes.data(), 8, 3).wire_bytes(), 8U);
    EXPECT_EQ(ByteReader(kBytes.data(), 8, 0).wire_bytes(), 8U);
    EXPECT_EQ(ByteReader(kBytes.data(), 8, 0x7FFF'FFFF).wire_bytes(), 0x7FFF'FFFFU);
    EXPECT_EQ(ByteReader(kBytes.data(), 8, 0x8000'0000).wire_bytes(), 0x7FFF'FFFFU);
    EXPECT_EQ(ByteReader(kBytes.data(), 8, UINT32_MAX).wire_bytes(), 0x7FFF'FFFFU);
}

#ifndef NDEBUG
TEST(ByteReaderDeathTest, a_read_past_the_captured_bytes_is_a_broken_invariant) {
    const ByteReader reader(kBytes.data(), 4, 8);
    EXPECT_DEATH(static_cast<void>(reader.u8(4)), "broken invariant");
    EXPECT_DEATH(static_cast<void>(reader.be16(3)), "broken invariant");
    EXPECT_DEATH(static_cast<void>(reader.be32(1)), "broken invariant");
    EXPECT_DEATH(static_cast<void>(reader.bytes(2, 3)), "broken invariant");
}
#endif

}  // namespace
}  // namespace tw
