// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/rss.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tw::dpdk {
namespace {

using ::testing::HasSubstr;

// Bits of RTE_ETH_RSS_* as DPDK numbers them; this file does not see its headers.
constexpr std::uint64_t kIpv4 = 1U << 2;
constexpr std::uint64_t kIpv4Tcp = 1U << 4;
constexpr std::uint64_t kIpv4Udp = 1U << 5;
constexpr std::uint64_t kIpv6 = 1U << 8;
constexpr std::uint64_t kIpv6Tcp = 1U << 10;
constexpr std::uint64_t kUsual = kIpv4 | kIpv4Tcp | kIpv4Udp | kIpv6 | kIpv6Tcp;

[[nodiscard]] RssAbility nic(std::uint16_t table_entries, std::uint64_t types = kUsual) {
    return {.port = "span",
            .hashes = true,
            .types = types,
            .table_entries = table_entries,
            .queues_max = 16};
}

[[nodiscard]] RssAbility memif(std::uint16_t queues_max) {
    return {.port = "memif", .queues_max = queues_max, .peer_spreads = true};
}

TEST(PlanPeers, ports_whose_peers_choose_the_queue_need_no_program) {
    const std::vector<RssAbility> ports{memif(255), memif(4)};
    const auto plan = plan_peers(ports, 4);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->queues, 4);
    EXPECT_TRUE(plan->by_peers);
    EXPECT_FALSE(plan_peers(ports, 5)) << "a port has 4 queues";
}

TEST(PlanPeers, one_port_without_such_a_peer_is_enough_to_refuse) {
    const std::vector<RssAbility> ports{memif(255), nic(128)};
    EXPECT_FALSE(plan_peers(ports, 2));
}

TEST(PlanRss, a_peer_is_not_believed_unasked) {
    const std::vector<RssAbility> ports{memif(255)};
    const auto plan = plan_rss(ports, 2);
    ASSERT_FALSE(plan);
    EXPECT_THAT(plan.error().text, HasSubstr("spreads nothing over queues"));
}

TEST(PlanRss, udp_ports_are_never_hashed) {
    const std::vector<RssAbility> ports{nic(128)};
    const auto plan = plan_rss(ports, 4);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->types, kIpv4 | kIpv4Tcp | kIpv6 | kIpv6Tcp);
}

TEST(PlanRss, ports_of_a_run_hash_the_same_fields) {
    const std::vector<RssAbility> ports{nic(128, kUsual), nic(128, kIpv4 | kIpv6 | kIpv6Tcp)};
    const auto plan = plan_rss(ports, 4);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->types, kIpv4 | kIpv6 | kIpv6Tcp);
}

TEST(PlanRss, tables_of_different_length_send_a_hash_to_the_same_queue) {
    const std::vector<RssAbility> ports{nic(512), nic(128)};
    for (std::uint16_t queues = 2; queues <= 9; ++queues) {
        const auto plan = plan_rss(ports, queues);
        ASSERT_TRUE(plan);
        std::vector<bool> used(queues);
        for (std::uint32_t hash = 0; hash < 100'000; hash += 13) {
            const auto long_table = queue_of_entry(*plan, static_cast<std::uint16_t>(hash % 512));
            const auto short_table = queue_of_entry(*plan, static_cast<std::uint16_t>(hash % 128));
            ASSERT_EQ(long_table, short_table) << hash;
            ASSERT_LT(long_table, queues);
            used[long_table] = true;
        }
        EXPECT_THAT(used, ::testing::Each(true));
    }
}

TEST(PlanRss, says_why_it_takes_a_dispatcher) {
    RssAbility virtual_device = nic(128);
    virtual_device.hashes = false;
    RssAbility odd_table = nic(96);
    RssAbility few_queues = nic(128);
    few_queues.queues_max = 2;
    const struct {
        RssAbility port;
        const char* reason;
    } rows[] = {
        {virtual_device, "spreads nothing over queues"},
        {nic(0), "tells of no redirection table"},
        {nic(128, 0), "hashes nothing"},
        {odd_table, "redirection table of 96 entries"},
        {few_queues, "2 receive queues for 4 workers"},
        {nic(128, kIpv4Udp), "no common hash"},
        {nic(128, kIpv4 | kIpv4Tcp), "no common hash"},
        {nic(2), "too short for 4 workers"},
    };
    for (const auto& row : rows) {
        const std::vector<RssAbility> ports{nic(128), row.port};
        const auto plan = plan_rss(ports, 4);
        ASSERT_FALSE(plan) << row.reason;
        EXPECT_THAT(plan.error().text, HasSubstr(row.reason));
    }
}

TEST(PlanSymmetric, needs_the_function_on_every_port) {
    std::vector<RssAbility> ports{nic(128), nic(512)};
    const auto plan = plan_rss(ports, 4);
    ASSERT_TRUE(plan);
    const std::vector<std::uint8_t> random(64, 0xA5);
    EXPECT_FALSE(plan_symmetric(*plan, ports, random));
    ports[0].symmetric_function = true;
    EXPECT_FALSE(plan_symmetric(*plan, ports, random)) << "the second port lacks it";
    ports[1].symmetric_function = true;
    const auto symmetric = plan_symmetric(*plan, ports, random);
    ASSERT_TRUE(symmetric);
    EXPECT_EQ(symmetric->hash, RssHash::symmetric_toeplitz);
    EXPECT_EQ(symmetric->period, 128);
    EXPECT_EQ(symmetric->queues, 4);
    EXPECT_EQ(key_of(*symmetric, 52), std::vector<std::uint8_t>(52, 0xA5));
    EXPECT_EQ(key_of(*plan, 52), symmetric_key(52));
}

TEST(PlanSymmetric, asks_for_special_cases_only_where_plain_addresses_are_not_hashed) {
    constexpr std::uint64_t kFragment = 1U << 3;
    constexpr std::uint64_t kOther = 1U << 7;
    constexpr std::uint64_t kFragment6 = 1U << 9;
    constexpr std::uint64_t kOther6 = 1U << 13;
    constexpr std::uint64_t kSpecial = kFragment | kOther | kFragment6 | kOther6;
    constexpr std::uint64_t kTcp = kIpv4Tcp | kIpv6Tcp;
    for (const bool plain : {false, true}) {
        std::vector<RssAbility> ports{
            nic(128, kSpecial | kTcp | (plain ? kIpv4 | kIpv6 : std::uint64_t{0}))};
        ports[0].symmetric_function = true;
        const auto plan = plan_rss(ports, 2);
        ASSERT_TRUE(plan);
        EXPECT_EQ(plan->types & kSpecial, kSpecial);
        const auto symmetric = plan_symmetric(*plan, ports, {});
        ASSERT_TRUE(symmetric);
        EXPECT_EQ(symmetric->types, kTcp | (plain ? kIpv4 | kIpv6 : kSpecial));
    }
}

TEST(SymmetricKey, fills_any_length) {
    EXPECT_EQ(symmetric_key(40).size(), 40U);
    const auto key = symmetric_key(52);
    ASSERT_EQ(key.size(), 52U);
    EXPECT_EQ(key[50], 0x6D);
    EXPECT_EQ(key[51], 0x5A);
    EXPECT_TRUE(symmetric_key(0).empty());
}

TEST(RssTypesText, names_what_is_known) {
    EXPECT_EQ(rss_types_text(kIpv4 | kIpv4Tcp), "ipv4 ipv4-tcp");
    EXPECT_EQ(rss_types_text(0), "nothing");
    EXPECT_EQ(rss_types_text(kIpv4Udp), "others 0x20");
}

}  // namespace
}  // namespace tw::dpdk
