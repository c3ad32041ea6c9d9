// SPDX-License-Identifier: BSD-3-Clause
// Link headers, tags, labels and sessions: the cases a sample does not show.
#include <gtest/gtest.h>

#include "samples.hpp"

namespace tw::decode {
namespace {

using stats::Counter;
using test::Bytes;
using test::PacketBuilder;

Counter outcome_of(PacketBuilder outer, LinkType link = LinkType::ethernet, bool v6 = false) {
    return decode_built(with_segment(outer, {.v6 = v6}), link)->out.outcome;
}

TEST(Ethernet, padding_is_not_payload) {
    auto builder = PacketBuilder().ethernet();
    builder.ipv4(kClient4, kServer4).tcp(1, 2).payload(5).padding(41);
    EXPECT_EQ(decode_built(builder)->out.segment.payload_bytes, 5U);
    EXPECT_EQ(decode_built(builder.payload(0))->out.segment.payload_bytes, 0U);
}

TEST(Ethernet, the_type_names_the_family_but_ipv4_may_turn_out_to_be_ipv6) {
    EXPECT_EQ(outcome_of(PacketBuilder().ethernet().set16(12, 0x0800), LinkType::ethernet, true),
              Counter::decoded_segments);
    EXPECT_EQ(outcome_of(PacketBuilder().ethernet().set16(12, 0x86DD), LinkType::ethernet, false),
              Counter::decode_bad_ip_header);
}

TEST(Llc, only_snap_and_ip_saps_lead_on) {
    const auto with_llc = [](Bytes header) {
        const auto length = static_cast<std::uint16_t>(header.size() + 160);
        return PacketBuilder().ethernet().set16(12, length).raw(header);
    };
    EXPECT_EQ(outcome_of(with_llc({0xAA, 0xAA, 0x03, 0, 0, 0, 0x08, 0x00})),
              Counter::decoded_segments);
    EXPECT_EQ(outcome_of(with_llc({0xAA, 0xAA, 0x03, 0, 0, 0xF8, 0x08, 0x00})),
              Counter::decoded_segments);
    EXPECT_EQ(outcome_of(with_llc({0x06, 0x06, 0x03})), Counter::decoded_segments);
    EXPECT_EQ(outcome_of(with_llc({0xAA, 0xAA, 0x03, 0, 0, 0x0C, 0x08, 0x00})),
              Counter::decode_not_ip);  // Cisco's own numbers
    EXPECT_EQ(outcome_of(with_llc({0xFF, 0xFF, 0x03})), Counter::decode_not_ip);  // raw IPX
}

TEST(Llc, a_bridged_frame_inside_snap_is_opened) {
    auto outer = PacketBuilder()
                     .ethernet()
                     .set16(12, 182)
                     .raw(Bytes{0xAA, 0xAA, 0x03, 0x00, 0x80, 0xC2, 0x00, 0x07})
                     .ethernet();
    EXPECT_EQ(outcome_of(outer), Counter::decoded_segments);
}

TEST(Llc, the_length_field_ends_the_packet) {
    auto builder = PacketBuilder().ethernet().llc_snap();
    builder.ipv4(kClient4, kServer4).total_length(0).tcp(1, 2).payload(10).padding(30);
    EXPECT_EQ(decode_built(builder)->out.segment.payload_bytes, 10U);
}

TEST(ServiceVlan, has_no_llc_after_it) {
    EXPECT_EQ(outcome_of(PacketBuilder().ethernet().vlan(1, 0x88A8).llc_snap()),
              Counter::decode_not_ip);
}

TEST(BsdNull, every_system_number_of_ipv6_is_known) {
    for (const std::uint32_t family : {24U, 28U, 30U}) {
        for (const std::uint32_t value : {family, family << 24}) {
            auto outer = PacketBuilder().bsd_null().set32(0, value);
            EXPECT_EQ(outcome_of(outer, LinkType::bsd_null, true), Counter::decoded_segments)
                << std::hex << value;
        }
        auto outer = PacketBuilder().bsd_loop().set32(0, family);
        EXPECT_EQ(outcome_of(outer, LinkType::bsd_loop, true), Counter::decoded_segments);
    }
}

TEST(BsdNull, sixteen_bit_families_and_ether_types_are_understood) {
    for (const std::uint32_t value : {0x0000'0200U, 0x0002'0000U, 0xABCD'0800U, 0x0008'0000U}) {
        auto outer = PacketBuilder().bsd_null().set32(0, value);
        EXPECT_EQ(outcome_of(outer, LinkType::bsd_null), Counter::decoded_segments)
            << std::hex << value;
    }
    for (const std::uint32_t value : {0x0000'86DDU, 0xABCD'86DDU, 0xDD86'0000U}) {
        auto outer = PacketBuilder().bsd_null().set32(0, value);
        EXPECT_EQ(outcome_of(outer, LinkType::bsd_null, true), Counter::decoded_segments)
            << std::hex << value;
    }
}

TEST(BsdNull, an_unknown_family_is_not_ip) {
    for (const std::uint32_t value : {0U, 7U, 0x0100'0002U, 0x001E'0000U, 0xFFFF'FFFFU}) {
        auto null = PacketBuilder().bsd_null().set32(0, value);
        EXPECT_EQ(outcome_of(null, LinkType::bsd_null), Counter::decode_not_ip) << value;
        auto loop = PacketBuilder().bsd_loop().set32(0, value);
        EXPECT_EQ(outcome_of(loop, LinkType::bsd_loop), Counter::decode_not_ip) << value;
    }
    // The loop header has one byte order.
    auto swapped = PacketBuilder().bsd_loop().set32(0, 0x0200'0000);
    EXPECT_EQ(outcome_of(swapped, LinkType::bsd_loop), Counter::decode_not_ip);
}

TEST(LinuxCooked, carries_llc_and_whole_ethernet_frames) {
    auto llc = PacketBuilder().linux_sll().llc_snap().set16(6, 0x0800);
    Bytes bytes = with_segment(llc, {}).build();
    bytes[14] = 0x00;
    bytes[15] = 0x04;  // ETH_P_802_2
    EXPECT_EQ(decode_bytes(bytes, LinkType::linux_sll)->out.outcome, Counter::decoded_segments);
    auto frame = PacketBuilder().linux_sll2().set16(0, 0x0003).ethernet();
    EXPECT_EQ(outcome_of(frame, LinkType::linux_sll2), Counter::decoded_segments);
}

TEST(RawIp, neither_version_4_nor_6_is_not_ip) {
    EXPECT_EQ(decode_bytes(Bytes(40, 0x50), LinkType::raw_ip)->out.outcome, Counter::decode_not_ip);
}

TEST(Mpls, the_nibble_after_the_bottom_tells_what_follows) {
    const auto after_label = [](std::uint8_t first) {
        return PacketBuilder().ethernet().mpls(100).raw(Bytes(60, first)).build();
    };
    EXPECT_EQ(decode_bytes(after_label(0x10))->out.outcome, Counter::decode_not_ip);  // channel
    EXPECT_EQ(decode_bytes(after_label(0x52))->out.outcome, Counter::decode_not_ip);
    EXPECT_EQ(decode_bytes(after_label(0xFF))->out.outcome, Counter::decode_not_ip);
}

TEST(Mpls, the_associated_channel_label_carries_no_user_packet) {
    EXPECT_EQ(outcome_of(PacketBuilder().ethernet().mpls(13)), Counter::decode_not_ip);
    EXPECT_EQ(outcome_of(PacketBuilder().ethernet().mpls(14)), Counter::decoded_segments);
}

TEST(Pseudowire, vendor_addresses_with_the_type_in_place_need_no_control_word) {
    const auto outer = [](std::string_view source, std::string_view destination) {
        return PacketBuilder().ethernet().mpls(100).ethernet(source, destination);
    };
    EXPECT_EQ(outcome_of(outer("00:1b:21:00:00:01", "00:0c:29:00:00:01")),
              Counter::decoded_segments);
    EXPECT_EQ(outcome_of(outer("52:54:00:00:00:01", "08:00:27:00:00:01")),
              Counter::decoded_segments);
    // Wireshark takes locally administered addresses for a control word, and so do we.
    EXPECT_EQ(outcome_of(outer("02:00:00:00:00:01", "02:00:00:00:00:02")), Counter::decode_not_ip);
}

TEST(Pseudowire, a_control_word_is_skipped_whatever_it_says) {
    for (const std::uint32_t word : {0U, 0x0000'1234U, 0x00C0'FFFFU}) {
        auto outer = PacketBuilder().ethernet().mpls(100).control_word(word).ethernet(
            "00:1b:21:00:00:01", "00:0c:29:00:00:01");
        EXPECT_EQ(outcome_of(outer.vlan(4)), Counter::decoded_segments) << word;
    }
}

TEST(Pppoe, the_length_field_ends_the_packet) {
    auto builder = PacketBuilder().ethernet().pppoe();
    builder.ipv4(kClient4, kServer4).total_length(0).tcp(1, 2).payload(10).padding(30);
    EXPECT_EQ(decode_built(builder)->out.segment.payload_bytes, 10U);
}

TEST(Pppoe, control_protocols_are_not_ip) {
    EXPECT_EQ(outcome_of(PacketBuilder().ethernet().pppoe().set16(6, 0xC021)),
              Counter::decode_not_ip);  // LCP
}

}  // namespace
}  // namespace tw::decode
