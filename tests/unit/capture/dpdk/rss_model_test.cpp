// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/rss_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "capture/dpdk/rss_check.hpp"
#include "support/packet_builder.hpp"

namespace tw::dpdk {
namespace {

// Bits of RTE_ETH_RSS_* as DPDK numbers them; this file does not see its headers.
constexpr std::uint64_t kIpv4 = 1U << 2;
constexpr std::uint64_t kIpv4Tcp = 1U << 4;
constexpr std::uint64_t kIpv6 = 1U << 8;
constexpr std::uint64_t kIpv6Tcp = 1U << 10;
constexpr std::uint64_t kAddresses = kIpv4 | kIpv6;
constexpr std::uint64_t kAll = kAddresses | kIpv4Tcp | kIpv6Tcp;

using Bytes = std::vector<std::uint8_t>;

// The key and the results of Microsoft's "Verifying the RSS Hash Calculation", which every NIC's
// data sheet refers to.
const Bytes kMicrosoftKey{0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                          0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                          0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                          0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

[[nodiscard]] RssInput input_of(const Bytes& bytes, std::uint8_t address_bytes) {
    RssInput input;
    std::copy(bytes.begin(), bytes.end(), input.bytes.begin());
    input.count = static_cast<std::uint8_t>(bytes.size());
    input.address_bytes = address_bytes;
    return input;
}

[[nodiscard]] RssModel model_of(const Bytes& key, RssHash hash = RssHash::toeplitz,
                                std::uint16_t queues = 4, std::uint64_t types = kAll) {
    std::vector<std::uint16_t> table(128);
    for (std::size_t i = 0; i < table.size(); ++i) {
        table[i] = static_cast<std::uint16_t>(i % queues);
    }
    return RssModel(hash, types, key, table);
}

[[nodiscard]] Frame frame_of(const Bytes& bytes) {
    Frame frame;
    frame.data = bytes.data();
    frame.captured_bytes = frame.wire_bytes = static_cast<std::uint32_t>(bytes.size());
    return frame;
}

[[nodiscard]] Bytes random_key(std::uint32_t seed) {
    std::mt19937 random(seed);
    Bytes key(52);
    std::generate(key.begin(), key.end(), [&] { return static_cast<std::uint8_t>(random()); });
    return key;
}

TEST(Toeplitz, gives_the_published_results) {
    const Bytes v4{66, 9, 149, 187, 161, 142, 100, 80, 0x0a, 0xea, 0x06, 0xe6};
    EXPECT_EQ(toeplitz_hash(kMicrosoftKey, std::span(v4).first(8)), 0x323e8fc2U);
    EXPECT_EQ(toeplitz_hash(kMicrosoftKey, v4), 0x51ccc178U);
    const Bytes other{199, 92, 111, 2, 65, 69, 140, 83, 0x37, 0x96, 0x12, 0x83};
    EXPECT_EQ(toeplitz_hash(kMicrosoftKey, std::span(other).first(8)), 0xd718262aU);
    EXPECT_EQ(toeplitz_hash(kMicrosoftKey, other), 0xc626b0eaU);
    const Bytes v6{0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x1f, 0xff, 0,    0,    0,    0,
                   0,    0,    0,    7,    0x3f, 0xfe, 0x25, 0x01, 0x02, 0x00, 0x00, 0x03,
                   0,    0,    0,    0,    0,    0,    0,    1,    0x0a, 0xea, 0x06, 0xe6};
    EXPECT_EQ(toeplitz_hash(kMicrosoftKey, std::span(v6).first(32)), 0x2cc18cd5U);
    EXPECT_EQ(toeplitz_hash(kMicrosoftKey, v6), 0x40207d3dU);
}

TEST(RssInput, reversed_swaps_addresses_and_ports) {
    const RssInput input = input_of({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 4);
    const RssInput other = reversed(input);
    EXPECT_EQ(Bytes(other.used().begin(), other.used().end()),
              (Bytes{5, 6, 7, 8, 1, 2, 3, 4, 11, 12, 9, 10}));
    const RssInput addresses = reversed(input_of({1, 2, 3, 4, 5, 6, 7, 8}, 4));
    EXPECT_EQ(Bytes(addresses.used().begin(), addresses.used().end()),
              (Bytes{5, 6, 7, 8, 1, 2, 3, 4}));
}

TEST(RssModel, periodic_key_brings_both_directions_together) {
    EXPECT_EQ(model_of(symmetric_key(40)).samples_that_meet(), RssModel::kSamples);
    EXPECT_EQ(model_of(symmetric_key(52)).samples_that_meet(), RssModel::kSamples);
    EXPECT_EQ(model_of(symmetric_key(40), RssHash::toeplitz, 4, kAddresses).samples_that_meet(),
              RssModel::kSamples);
}

TEST(RssModel, other_keys_part_the_directions_and_are_told) {
    // Four queues: by chance a quarter meets.
    EXPECT_LT(model_of(kMicrosoftKey).samples_that_meet(), RssModel::kSamples / 2);
    Bytes almost = symmetric_key(40);
    almost[5] ^= 1;
    EXPECT_LT(model_of(almost).samples_that_meet(), RssModel::kSamples);
}

TEST(RssModel, symmetric_function_needs_no_special_key) {
    for (std::uint32_t seed = 1; seed < 20; ++seed) {
        const RssModel model = model_of(random_key(seed), RssHash::symmetric_toeplitz);
        EXPECT_EQ(model.samples_that_meet(), RssModel::kSamples) << "seed " << seed;
        const RssInput one = input_of({10, 0, 0, 1, 10, 0, 0, 2, 1, 2, 3, 4}, 4);
        const RssInput two = input_of({10, 0, 0, 1, 10, 0, 0, 2, 1, 2, 3, 5}, 4);
        EXPECT_NE(model.hash_of(one), model.hash_of(two)) << "it still spreads, seed " << seed;
    }
}

TEST(RssInputOf, takes_what_the_hashed_types_name) {
    const Bytes v4 =
        test::PacketBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(0x1234, 80).build();
    const auto full = rss_input_of(frame_of(v4), kAll);
    ASSERT_TRUE(full);
    EXPECT_EQ(Bytes(full->used().begin(), full->used().end()),
              (Bytes{10, 0, 0, 1, 10, 0, 0, 2, 0x12, 0x34, 0, 80}));
    const auto addresses = rss_input_of(frame_of(v4), kAddresses);
    ASSERT_TRUE(addresses);
    EXPECT_EQ(addresses->count, 8);
    EXPECT_FALSE(rss_input_of(frame_of(v4), kIpv6 | kIpv6Tcp));
    const Bytes v6 =
        test::PacketBuilder().ethernet().ipv6("2001:db8::1", "2001:db8::2").tcp(1, 2).build();
    const auto six = rss_input_of(frame_of(v6), kAll);
    ASSERT_TRUE(six);
    EXPECT_EQ(six->count, 36);
    EXPECT_EQ(six->bytes[35], 2);
    EXPECT_EQ(rss_input_of(frame_of(v6), kAddresses)->count, 32);
    EXPECT_FALSE(rss_input_of(frame_of(v6), kIpv4 | kIpv4Tcp));
}

TEST(RssInputOf, looks_behind_one_vlan_tag_as_nics_do) {
    const Bytes tagged =
        test::PacketBuilder().ethernet().vlan(7).ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).build();
    EXPECT_TRUE(rss_input_of(frame_of(tagged), kAll));
    const Bytes twice = test::PacketBuilder()
                            .ethernet()
                            .vlan(7)
                            .vlan(8)
                            .ipv4("10.0.0.1", "10.0.0.2")
                            .tcp(1, 2)
                            .build();
    EXPECT_FALSE(rss_input_of(frame_of(twice), kAll)) << "here they differ";
}

TEST(RssInputOf, leaves_alone_what_nics_hash_in_different_ways) {
    const Bytes udp =
        test::PacketBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).build();
    EXPECT_FALSE(rss_input_of(frame_of(udp), kAll));
    Bytes fragment =
        test::PacketBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).build();
    fragment[20] |= 0x20;  // more fragments
    EXPECT_FALSE(rss_input_of(frame_of(fragment), kAll));
}

TEST(RssInputOf, reads_no_byte_past_the_frame) {
    for (const Bytes& whole :
         {test::PacketBuilder().ethernet().vlan(7).ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).build(),
          test::PacketBuilder()
              .ethernet()
              .vlan(7)
              .ipv6("2001:db8::1", "2001:db8::2")
              .tcp(1, 2)
              .build()}) {
        bool complete = false;
        for (std::size_t bytes = 0; bytes <= whole.size(); ++bytes) {
            // Its own allocation, so that sanitizers see a read past the end.
            const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(bytes));
            const bool found = rss_input_of(frame_of(cut), kAll).has_value();
            EXPECT_TRUE(found || !complete) << bytes;
            complete = found;
        }
        EXPECT_TRUE(complete);
    }
}

class RssSample : public ::testing::Test {
  protected:
    // What one worker counts who polls `queue` of a port that was set up as `told` and where the
    // NIC does as `does`.
    void frames_arrive(const RssModel& told, const RssModel& does, std::uint16_t queue) {
        RxQueue polled;
        polled.port_id = 3;
        polled.queue = queue;
        polled.rss = &told;
        for (std::uint16_t port = 1; port <= 200; ++port) {
            for (const Bytes& bytes : {test::PacketBuilder()
                                           .ethernet()
                                           .ipv4("10.0.0.1", "10.9.8.7")
                                           .tcp(port, 80)
                                           .build(),
                                       test::PacketBuilder()
                                           .ethernet()
                                           .ipv4("10.9.8.7", "10.0.0.1")
                                           .tcp(80, port)
                                           .build()}) {
                const Frame frame = frame_of(bytes);
                const std::uint32_t hash = does.hash_of(*rss_input_of(frame, kAll));
                if (does.queue_of_hash(hash) == queue) {
                    RssCheck::sample(polled, frame, hash, counts_);
                }
            }
        }
    }
    [[nodiscard]] std::uint64_t checked() const { return counts_.rss_checked[3].get(); }
    [[nodiscard]] std::uint64_t elsewhere() const { return counts_.rss_elsewhere[3].get(); }

    PollerCounts counts_;
};

TEST_F(RssSample, a_nic_that_does_as_told_raises_nothing) {
    const RssModel model = model_of(symmetric_key(40));
    for (std::uint16_t queue = 0; queue < 4; ++queue) {
        frames_arrive(model, model, queue);
    }
    EXPECT_EQ(checked(), 400U);
    EXPECT_EQ(elsewhere(), 0U);
}

TEST_F(RssSample, another_key_than_the_one_told_is_noticed) {
    frames_arrive(model_of(symmetric_key(40)), model_of(kMicrosoftKey), 0);
    EXPECT_GT(checked(), 50U);
    EXPECT_GT(elsewhere(), checked() / 2) << "of four queues three are wrong";
}

TEST_F(RssSample, a_nic_that_puts_all_into_one_queue_is_noticed) {
    const RssModel everything_first = model_of(symmetric_key(40), RssHash::toeplitz, 1);
    frames_arrive(model_of(symmetric_key(40)), everything_first, 0);
    EXPECT_EQ(checked(), 400U);
    EXPECT_GT(elsewhere(), 200U);
}

TEST_F(RssSample, of_the_symmetric_function_only_the_way_through_the_table_is_checked) {
    const RssModel told = model_of(random_key(1), RssHash::symmetric_toeplitz);
    frames_arrive(told, told, 2);
    EXPECT_EQ(elsewhere(), 0U);
    const std::uint64_t before = checked();
    const Bytes bytes =
        test::PacketBuilder().ethernet().ipv4("10.0.0.1", "10.9.8.7").tcp(1, 80).build();
    RxQueue polled;
    polled.port_id = 3;
    polled.rss = &told;
    RssCheck::sample(polled, frame_of(bytes), {}, counts_);
    EXPECT_EQ(checked(), before) << "without the NIC's hash nothing is known";
    RssCheck::sample(polled, frame_of(bytes), 1, counts_);
    EXPECT_EQ(elsewhere(), 1U) << "entry 1 serves queue 1";
}

TEST_F(RssSample, ports_without_rss_are_not_judged) {
    const Bytes bytes =
        test::PacketBuilder().ethernet().ipv4("10.0.0.1", "10.9.8.7").tcp(1, 80).build();
    RssCheck::sample(RxQueue{}, frame_of(bytes), 7, counts_);
    EXPECT_EQ(counts_.rss_checked[0].get(), 0U);
}

TEST(RssCheckDue, first_burst_and_every_64th) {
    RssCheck check;
    EXPECT_TRUE(check.due());
    for (int round = 0; round < 3; ++round) {
        for (std::uint32_t i = 1; i < RssCheck::kBurstsPerSample; ++i) {
            ASSERT_FALSE(check.due());
        }
        ASSERT_TRUE(check.due());
    }
}

}  // namespace
}  // namespace tw::dpdk
