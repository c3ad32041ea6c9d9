// SPDX-License-Identifier: BSD-3-Clause
#include "app/explain_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace tw;
using app::FlowChoice;
using app::parse_flow;
using testing::HasSubstr;

[[nodiscard]] flow::Endpoint v4(std::uint8_t last, std::uint16_t port) {
    flow::Endpoint endpoint;
    endpoint.address = {10, 0, 0, last};
    endpoint.port = port;
    return endpoint;
}

[[nodiscard]] flow::Endpoint v6(std::uint8_t last, std::uint16_t port) {
    flow::Endpoint endpoint;
    endpoint.v6 = true;
    endpoint.address = {0x20, 0x01, 0x0d, 0xb8};
    endpoint.address[15] = last;
    endpoint.port = port;
    return endpoint;
}

TEST(ExplainChoice, both_orders_of_the_ends_match) {
    for (const char* text : {"10.0.0.5:51000-10.0.0.9:80", "10.0.0.9:80-10.0.0.5:51000",
                             "10.0.0.5:51000 -> 10.0.0.9:80", " 10.0.0.5:51000 -- 10.0.0.9:80 "}) {
        const auto choice = parse_flow(text);
        ASSERT_TRUE(choice) << text;
        EXPECT_TRUE(choice->matches(v4(5, 51000), v4(9, 80)));
        EXPECT_TRUE(choice->matches(v4(9, 80), v4(5, 51000)));
        EXPECT_FALSE(choice->matches(v4(5, 80), v4(9, 51000)));
    }
}

TEST(ExplainChoice, ports_are_optional_on_each_side) {
    EXPECT_TRUE(parse_flow("10.0.0.5-10.0.0.9")->matches(v4(9, 1), v4(5, 2)));
    EXPECT_TRUE(parse_flow("10.0.0.5-10.0.0.9:80")->matches(v4(9, 80), v4(5, 2)));
    EXPECT_FALSE(parse_flow("10.0.0.5-10.0.0.9:80")->matches(v4(9, 81), v4(5, 2)));
}

TEST(ExplainChoice, ipv6_with_and_without_brackets) {
    for (const char* text : {"[2001:db8::1]:1-[2001:db8::2]:2", "2001:db8::1-2001:db8::2",
                             "[2001:db8::2]-[2001:DB8::1]"}) {
        const auto choice = parse_flow(text);
        ASSERT_TRUE(choice) << text;
        EXPECT_TRUE(choice->matches(v6(1, 1), v6(2, 2))) << text;
        EXPECT_FALSE(choice->matches(v6(1, 1), v6(3, 2))) << text;
    }
}

TEST(ExplainChoice, a_near_miss_is_nearer_than_a_far_one) {
    const FlowChoice choice = *parse_flow("10.0.0.5:51000-10.0.0.9:80");
    const int port_off = choice.agreement(v4(5, 51001), v4(9, 80));
    const int host_off = choice.agreement(v4(6, 51000), v4(9, 80));
    const int one_host = choice.agreement(v4(9, 443), v4(7, 1));
    EXPECT_GT(port_off, host_off);
    EXPECT_GT(host_off, one_host);
    EXPECT_GT(one_host, 0);
    EXPECT_EQ(choice.agreement(v4(1, 1), v4(2, 2)), 0);
}

TEST(ExplainChoice, what_is_no_pair_of_ends_is_refused_with_what_is_allowed) {
    for (const char* text :
         {"", "-", "10.0.0.5", "10.0.0.5-", "-10.0.0.5", "10.0.0.5:-10.0.0.9:80",
          "10.0.0.5:65536-10.0.0.9:80", "10.0.0.5:80-[2001:db8::1]:80", "[10.0.0.5]:1-[10.0.0.6]:1",
          "[2001:db8::1:1-[2001:db8::2]:1", "[2001:db8::1]1-[2001:db8::2]:1", "host:1-host:2",
          "10.0.0.5:1-10.0.0.9:2-10.0.0.7:3", "10.0.0.5:1--->10.0.0.9:2"}) {
        const auto choice = parse_flow(text);
        ASSERT_FALSE(choice) << text;
        EXPECT_THAT(choice.error().text, HasSubstr("allowed: A:port-B:port"));
        EXPECT_EQ(choice.error().code, ExitCode::operator_mistake);
    }
}

}  // namespace
