// SPDX-License-Identifier: BSD-3-Clause
// The builder against bytes written down by hand, so that decoder and builder cannot be wrong in
// the same way.
#include "support/packet_builder.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace tw::test {
namespace {

Bytes from_hex(std::string_view text) {
    Bytes bytes;
    unsigned digits = 0;
    unsigned value = 0;
    for (const char c : text) {
        if (c == ' ' || c == '\n') {
            continue;
        }
        value = value << 4 | static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
        if (++digits % 2 == 0) {
            bytes.push_back(static_cast<std::uint8_t>(value));
            value = 0;
        }
    }
    return bytes;
}

std::span<const std::uint8_t> part(const Bytes& bytes, std::size_t offset, std::size_t count) {
    return std::span(bytes).subspan(offset, count);
}

TEST(PacketBuilder, a_syn_in_a_vlan_is_these_bytes) {
    // Checksums worked out by hand: IPv4 sums to 0xeb69, TCP with pseudo header to 0x7bef.
    const Bytes expected = from_hex(R"(
        020000000002 020000000001 8100 2005 0800
        4500 002c 1234 4000 40 06 1496 0a000001 0a000002
        04d2 0050 00000001 00000000 60 02 faf0 8410 0000 020405b4)");
    const Bytes built = PacketBuilder()
                            .ethernet()
                            .vlan(5, 0x8100, 1)
                            .ipv4("10.0.0.1", "10.0.0.2")
                            .ip_id(0x1234)
                            .tcp(1234, 80)
                            .seq(1)
                            .flags("S")
                            .window(64240)
                            .option_mss(1460)
                            .build();
    EXPECT_EQ(built, expected);
}

TEST(PacketBuilder, every_internet_checksum_verifies) {
    const Bytes v4 =
        PacketBuilder().ethernet().ipv4("192.0.2.1", "192.0.2.2").tcp(1, 2).payload(33).build();
    EXPECT_EQ(internet_checksum(part(v4, 14, 20)), 0);
    // Pseudo header: addresses, protocol, length of TCP.
    EXPECT_EQ(
        internet_checksum(part(v4, 34, 53), static_cast<std::uint32_t>(static_cast<std::uint16_t>(
                                                ~internet_checksum(part(v4, 26, 8)))) +
                                                6 + 53),
        0);
    const Bytes v6 =
        PacketBuilder().ethernet().ipv6("2001:db8::1", "2001:db8::2").udp(1, 2).payload(20).build();
    EXPECT_EQ(
        internet_checksum(part(v6, 54, 28), static_cast<std::uint32_t>(static_cast<std::uint16_t>(
                                                ~internet_checksum(part(v6, 22, 32)))) +
                                                17 + 28),
        0);
    const Bytes icmp =
        PacketBuilder().ethernet().ipv4("192.0.2.1", "192.0.2.2").icmp_error().payload(9).build();
    EXPECT_EQ(internet_checksum(part(icmp, 34, 17)), 0);
}

TEST(PacketBuilder, an_odd_length_is_summed_with_a_zero_byte) {
    EXPECT_EQ(internet_checksum(Bytes{0x01, 0x02, 0x03}), static_cast<std::uint16_t>(~0x0402));
    EXPECT_EQ(internet_checksum(Bytes{0xFF, 0xFF, 0x00, 0x01}),
              static_cast<std::uint16_t>(~0x0001));
    EXPECT_EQ(internet_checksum(Bytes{}), 0xFFFF);
}

TEST(PacketBuilder, lengths_of_outer_headers_cover_the_inner_ones) {
    const Bytes bytes = PacketBuilder()
                            .ethernet()
                            .ipv4("192.0.2.1", "192.0.2.2")
                            .vxlan(0xABCDEF)
                            .ethernet()
                            .ipv6("2001:db8::1", "2001:db8::2")
                            .tcp(1, 2)
                            .payload(100)
                            .padding(3)
                            .build();
    const std::size_t inner_ip = 40 + 20 + 100;
    EXPECT_EQ(bytes.size(), 14 + 20 + 8 + 8 + 14 + inner_ip + 3);
    EXPECT_EQ(bytes[16] << 8 | bytes[17], static_cast<int>(20 + 8 + 8 + 14 + inner_ip));  // IPv4
    EXPECT_EQ(bytes[38] << 8 | bytes[39], static_cast<int>(8 + 8 + 14 + inner_ip));       // UDP
    EXPECT_EQ(bytes[68] << 8 | bytes[69], 20 + 100);                                      // IPv6
    EXPECT_EQ(Bytes(bytes.begin() + 42, bytes.begin() + 50),
              (Bytes{0x08, 0, 0, 0, 0xAB, 0xCD, 0xEF, 0}));
}

TEST(PacketBuilder, overrides_win_over_what_is_computed_and_are_summed) {
    const Bytes bytes = PacketBuilder()
                            .ethernet()
                            .set16(12, 0x1234)
                            .ipv4("192.0.2.1", "192.0.2.2")
                            .total_length(7)
                            .next_protocol(99)
                            .tcp(1, 2)
                            .set16(16, 0xBEEF)
                            .data_offset(15)
                            .build();
    EXPECT_EQ(bytes[12] << 8 | bytes[13], 0x1234);
    EXPECT_EQ(bytes[16] << 8 | bytes[17], 7);
    EXPECT_EQ(bytes[23], 99);
    EXPECT_EQ(internet_checksum(part(bytes, 14, 20)), 0);
    EXPECT_EQ(bytes[34 + 12], 0xF0);
    EXPECT_EQ(bytes[34 + 16] << 8 | bytes[34 + 17], 0xBEEF);
    EXPECT_THROW(static_cast<void>(PacketBuilder().ethernet().set32(12, 0).build()),
                 std::logic_error);
}

TEST(PacketBuilder, a_quote_is_cut_after_its_own_lengths_are_known) {
    const Bytes bytes = PacketBuilder()
                            .ethernet()
                            .ipv4("192.0.2.1", "192.0.2.2")
                            .icmp_error(3, 1, 28)
                            .ipv4("10.0.0.1", "10.0.0.2")
                            .tcp(1, 2)
                            .payload(1000)
                            .build();
    EXPECT_EQ(bytes.size(), 14U + 20 + 8 + 28);
    EXPECT_EQ(bytes[16] << 8 | bytes[17], 20 + 8 + 28);     // the outer packet
    EXPECT_EQ(bytes[44] << 8 | bytes[45], 20 + 20 + 1000);  // the quoted one
}

TEST(PacketBuilder, options_are_padded_to_words) {
    const Bytes bytes = PacketBuilder().tcp(1, 2).option_wscale(7).payload("x").build();
    EXPECT_EQ(bytes.size(), 25U);
    EXPECT_EQ(bytes[12], 0x60);
    EXPECT_EQ(bytes[23], 0);
    EXPECT_EQ(bytes[24], 'x');
    const Bytes sack = PacketBuilder().tcp(1, 2).option_sack({{1, 2}, {3, 4}}).build();
    EXPECT_EQ(Bytes(sack.begin() + 20, sack.end()),
              (Bytes{5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0}));
}

TEST(PacketBuilder, building_twice_gives_the_same_bytes) {
    auto builder = PacketBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).payload(5);
    EXPECT_EQ(builder.build(), builder.build());
}

TEST(PacketBuilder, text_that_is_no_address_or_flag_is_refused) {
    EXPECT_THROW(static_cast<void>(ipv4_bytes("10.0.0")), std::invalid_argument);
    EXPECT_THROW(static_cast<void>(ipv6_bytes("10.0.0.1")), std::invalid_argument);
    EXPECT_THROW(PacketBuilder().ethernet("here"), std::invalid_argument);
    EXPECT_THROW(PacketBuilder().tcp(1, 2).flags("SX"), std::invalid_argument);
}

TEST(FrameOf, points_at_the_bytes_and_may_claim_more_on_the_wire) {
    const Bytes bytes(60, 0);
    const Frame frame = frame_of(bytes, 7, 3, LinkType::raw_ip, 1500);
    EXPECT_EQ(frame.data, bytes.data());
    EXPECT_EQ(frame.captured_bytes, 60U);
    EXPECT_EQ(frame.wire_bytes, 1500U);
    EXPECT_EQ(frame.time, 7);
    EXPECT_EQ(frame.number, 3U);
    EXPECT_EQ(frame_of(bytes).wire_bytes, 60U);
}

}  // namespace
}  // namespace tw::test
