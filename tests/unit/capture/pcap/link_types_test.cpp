// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/link_types.hpp"

#include <gtest/gtest.h>

namespace tw::pcap {
namespace {

TEST(LinkTypesTest, supported_numbers) {
    EXPECT_EQ(link_type_of(0), LinkType::bsd_null);
    EXPECT_EQ(link_type_of(1), LinkType::ethernet);
    for (const std::uint32_t raw : {12U, 14U, 101U, 228U, 229U}) {
        EXPECT_EQ(link_type_of(raw), LinkType::raw_ip) << raw;
    }
    EXPECT_EQ(link_type_of(108), LinkType::bsd_loop);
    EXPECT_EQ(link_type_of(113), LinkType::linux_sll);
    EXPECT_EQ(link_type_of(276), LinkType::linux_sll2);
}

TEST(LinkTypesTest, no_other_number_is_supported) {
    int supported = 0;
    for (std::uint32_t number = 0; number < 0x1'0000; ++number) {
        supported += link_type_of(number) != LinkType::unsupported ? 1 : 0;
    }
    EXPECT_EQ(supported, 10);
}

TEST(LinkTypesTest, names) {
    EXPECT_EQ(link_type_name(1), "EN10MB");
    EXPECT_EQ(link_type_name(105), "IEEE802_11");
    EXPECT_EQ(link_type_name(299), "LINKTYPE 299");
    EXPECT_EQ(link_type_name(0xFFFF'FFFF), "LINKTYPE 4294967295");
}

}  // namespace
}  // namespace tw::pcap
