// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "support/random.hpp"
#include "support/realistic_traffic.hpp"
#include "support/traffic_generator.hpp"

namespace tw::test {
namespace {

// FNV-1a over times, lengths and bytes.
template <typename Source>
std::uint64_t digest(Source source, std::size_t frames) {
    std::uint64_t hash = 0xCBF2'9CE4'8422'2325ULL;
    const auto add = [&](std::uint64_t value) { hash = (hash ^ value) * 0x0000'0100'0000'01B3ULL; };
    for (std::size_t i = 0; i < frames; ++i) {
        const GeneratedFrame frame = source.next();
        add(static_cast<std::uint64_t>(frame.time));
        add(frame.wire_bytes);
        for (const std::uint8_t byte : frame.bytes) {
            add(byte);
        }
    }
    return hash;
}

TEST(Random, gives_the_numbers_of_splitmix64) {
    Random random(1'234'567);
    EXPECT_EQ(random.next(), 6'457'827'717'110'365'317ULL);
    EXPECT_EQ(random.next(), 3'203'168'211'198'807'973ULL);
}

TEST(Random, stays_within_its_limits) {
    Random random(3);
    std::set<std::uint32_t> seen;
    for (int i = 0; i < 1000; ++i) {
        seen.insert(random.between(4, 6));
    }
    EXPECT_EQ(seen, (std::set<std::uint32_t>{4, 5, 6}));
    EXPECT_EQ(random.below(1), 0U);
}

TEST(HostileTraffic, one_seed_gives_the_same_frames) {
    const auto of = [](std::uint64_t seed) { return digest(HostileTraffic({.seed = seed}), 5000); };
    EXPECT_EQ(of(1), of(1));
    EXPECT_NE(of(1), of(2));
}

TEST(HostileTraffic, frames_are_never_longer_than_on_the_wire) {
    HostileTraffic traffic({.seed = 9});
    for (int i = 0; i < 20'000; ++i) {
        const GeneratedFrame frame = traffic.next();
        ASSERT_LE(frame.bytes.size(), frame.wire_bytes);
        ASSERT_GE(frame.time, 0);
        ASSERT_LT(frame.wire_bytes, 2000U);
    }
}

TEST(HostileTraffic, a_flood_reaches_its_length) {
    HostileTraffic traffic(
        {.seed = 4, .connections = 2, .layers = false, .flood_segments = 10'100});
    std::size_t one_byte_segments = 0;
    for (int i = 0; i < 14'000; ++i) {
        one_byte_segments += traffic.next().wire_bytes == 14 + 20 + 20 + 1 ? 1U : 0U;
    }
    EXPECT_GT(one_byte_segments, 10'000U);
}

TEST(RealisticTraffic, one_seed_gives_the_same_frames_in_order_of_time) {
    EXPECT_EQ(digest(RealisticTraffic({.seed = 1, .connections = 100}), 5000),
              digest(RealisticTraffic({.seed = 1, .connections = 100}), 5000));
    RealisticTraffic traffic({.seed = 2, .connections = 100, .running = true, .snaplen = 96});
    Nanos last = 0;
    for (int i = 0; i < 5000; ++i) {
        const GeneratedFrame frame = traffic.next();
        ASSERT_GT(frame.time, last);
        ASSERT_LE(frame.bytes.size(), 96U);
        last = frame.time;
    }
}

TEST(RealisticTraffic, loss_makes_sack_blocks_and_none_makes_none) {
    const auto longest_small_header = [](std::uint32_t loss) {
        RealisticTraffic traffic({.seed = 5, .connections = 20, .loss_per_mille = loss});
        std::size_t most = 0;
        for (int i = 0; i < 20'000; ++i) {
            const GeneratedFrame frame = traffic.next();
            const bool syn = (frame.bytes[14 + 20 + 13] & 0x02) != 0;
            most = std::max<std::size_t>(most, syn ? 0 : frame.bytes[14 + 20 + 12] >> 4);
        }
        return most;
    };
    EXPECT_EQ(longest_small_header(0), 8U);     // 20 bytes and time stamps
    EXPECT_EQ(longest_small_header(500), 11U);  // and one block
}

TEST(SynFlood, sources_are_ever_new) {
    SynFlood flood(1, 0);
    std::set<Bytes> sources;
    for (int i = 0; i < 10'000; ++i) {
        const Bytes bytes = flood.next().bytes;
        sources.insert(Bytes(bytes.begin() + 26, bytes.begin() + 36));  // address, ports
    }
    EXPECT_GT(sources.size(), 9'990U);
}

}  // namespace
}  // namespace tw::test
