// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/format/human.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace {

using namespace tw;
using namespace tw::sinks::format;

flow::Endpoint v6(const char* text, std::uint16_t port = 80) {
    flow::Endpoint endpoint;
    EXPECT_EQ(inet_pton(AF_INET6, text, endpoint.address.data()), 1) << text;
    endpoint.port = port;
    endpoint.v6 = true;
    return endpoint;
}

std::string address(const flow::Endpoint& endpoint) {
    std::string out;
    append_address(out, endpoint);
    return out;
}

TEST(Address, ipv4_endpoints_have_a_colon_before_the_port) {
    flow::Endpoint endpoint;
    endpoint.address = {10, 0, 255, 1};
    endpoint.port = 65535;
    EXPECT_EQ(endpoint_text(endpoint), "10.0.255.1:65535");
}

TEST(Address, ipv6_follows_rfc_5952) {
    EXPECT_EQ(endpoint_text(v6("::1")), "[::1]:80");
    EXPECT_EQ(address(v6("::")), "::");
    EXPECT_EQ(address(v6("2001:DB8::1")), "2001:db8::1");
    EXPECT_EQ(address(v6("2001:db8:0:1:1:1:1:1")), "2001:db8:0:1:1:1:1:1");  // 4.2.2: one group
    EXPECT_EQ(address(v6("2001:0:0:1:0:0:0:1")), "2001:0:0:1::1");           // 4.2.3: the longest
    EXPECT_EQ(address(v6("2001:db8:0:0:1:0:0:1")), "2001:db8::1:0:0:1");     // 4.2.3: the first
    EXPECT_EQ(address(v6("1::")), "1::");
    EXPECT_EQ(address(v6("::ffff:192.0.2.1")), "::ffff:192.0.2.1");  // 5: known prefix
    EXPECT_EQ(address(v6("1:2:3:4:5:6:7:8")), "1:2:3:4:5:6:7:8");
}

TEST(Address, random_ipv6_addresses_survive_the_round_trip) {
    std::mt19937 random(5952);
    for (int round = 0; round < 20'000; ++round) {
        flow::Endpoint endpoint;
        endpoint.v6 = true;
        for (auto& byte : endpoint.address) {
            // Mostly zeros, so that runs occur.
            byte = random() % 3 == 0 ? static_cast<std::uint8_t>(random()) : std::uint8_t{0};
        }
        flow::AddressV6 back{};
        const std::string text = address(endpoint);
        ASSERT_EQ(inet_pton(AF_INET6, text.c_str(), back.data()), 1) << text;
        ASSERT_EQ(back, endpoint.address) << text;
    }
}

TEST(Numbers, counts_are_grouped_by_thousands) {
    EXPECT_EQ(count_text(0), "0");
    EXPECT_EQ(count_text(999), "999");
    EXPECT_EQ(count_text(1000), "1,000");
    EXPECT_EQ(count_text(123'456), "123,456");
    EXPECT_EQ(count_text(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(Numbers, nouns_follow_the_count) {
    EXPECT_EQ(count_of(0, "hole"), "0 holes");
    EXPECT_EQ(count_of(1, "hole"), "1 hole");
    EXPECT_EQ(count_of(1000, "hole"), "1,000 holes");
    EXPECT_EQ(count_of(2, "entry", "entries"), "2 entries");
}

TEST(Numbers, bytes_are_exact_while_short) {
    EXPECT_EQ(bytes_text(1), "1 byte");
    EXPECT_EQ(bytes_text(1010), "1,010 bytes");
    EXPECT_EQ(bytes_text(99'999), "99,999 bytes");
    EXPECT_EQ(bytes_text(100'000), "100 kB");
    EXPECT_EQ(bytes_text(999'600), "1.00 MB");
    EXPECT_EQ(bytes_text(1'234'567), "1.23 MB");
    EXPECT_EQ(bytes_text(UINT64_MAX), "18.4 EB");
}

TEST(Durations, unit_fits_the_size) {
    EXPECT_EQ(duration_text(0), "0 ns");
    EXPECT_EQ(duration_text(999), "999 ns");
    EXPECT_EQ(duration_text(1'500), "1.50 us");
    EXPECT_EQ(duration_text(999'499), "999 us");
    EXPECT_EQ(duration_text(999'500), "1.00 ms");
    EXPECT_EQ(duration_text(20'100 * kMillisecond), "20.1 s");
    EXPECT_EQ(duration_text(200 * kSecond), "3 min 20 s");
    EXPECT_EQ(duration_text(7'500 * kSecond), "2 h 5 min");
    EXPECT_EQ(duration_text(100 * 3600 * kSecond), "4 d 4 h");
    EXPECT_EQ(duration_text(-1'500), "-1.50 us");
    EXPECT_FALSE(duration_text(INT64_MIN).empty());
    EXPECT_EQ(offset_text(0), "+0.000 s");
    EXPECT_EQ(offset_text(-2 * kSecond), "-2.000 s");
    EXPECT_EQ(offset_text(102'300 * kMillisecond), "+102.300 s");
}

TEST(Durations, elapsed_never_overflows) {
    EXPECT_EQ(elapsed(1, 3), 2);
    EXPECT_EQ(elapsed(3, 1), -2);
    EXPECT_EQ(elapsed(INT64_MIN, INT64_MAX), INT64_MAX);
    EXPECT_EQ(elapsed(INT64_MAX, INT64_MIN), INT64_MIN);
}

TEST(Percent, something_is_never_nothing_and_a_part_never_all) {
    EXPECT_EQ(percent_text(0, 0), "0 %");
    EXPECT_EQ(percent_text(0, 5), "0 %");
    EXPECT_EQ(percent_text(5, 5), "100 %");
    EXPECT_EQ(percent_text(1, 1'000'000), "<0.01 %");
    EXPECT_EQ(percent_text(999'999, 1'000'000), ">99.99 %");
    EXPECT_EQ(percent_text(1, 8), "12.5 %");
    EXPECT_EQ(percent_text(1, 400), "0.25 %");
}

TEST(Date, is_utc_also_before_1970) {
    EXPECT_EQ(date_text(1'712'345'678 * kSecond), "2024-04-05 19:34:38 UTC");
    EXPECT_EQ(date_text(-1), "1969-12-31 23:59:59 UTC");
    EXPECT_FALSE(date_text(INT64_MIN).empty());
}

}  // namespace
