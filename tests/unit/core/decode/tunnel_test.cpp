// SPDX-License-Identifier: BSD-3-Clause
// Tunnels: ports, optional fields, and what an impossible header gives.
#include <gtest/gtest.h>

#include "samples.hpp"

namespace tw::decode {
namespace {

using stats::Counter;
using test::Bytes;
using test::PacketBuilder;

Counter outcome_of(PacketBuilder outer, bool v6 = false) {
    return decode_built(with_segment(outer, {.v6 = v6}))->out.outcome;
}

TEST(Udp, either_port_opens_a_tunnel_and_the_lower_one_is_asked_first) {
    const Bytes vxlan{0x08, 0, 0, 0, 0, 0, 1, 0};
    EXPECT_EQ(outcome_of(outer_ipv4().udp(4789, 50000).raw(vxlan).ethernet()),
              Counter::decoded_segments);
    EXPECT_EQ(outcome_of(outer_ipv4().udp(50000, 4789).raw(vxlan).ethernet()),
              Counter::decoded_segments);
    EXPECT_EQ(outcome_of(outer_ipv4().udp(53, 4789).raw(vxlan).ethernet()),
              Counter::decoded_segments);
    EXPECT_EQ(outcome_of(outer_ipv4().udp(50000, 4788).raw(vxlan).ethernet()),
              Counter::decode_not_tcp);
    // 4789 < 6081: VXLAN.
    EXPECT_EQ(outcome_of(outer_ipv4().udp(6081, 4789).raw(vxlan).ethernet()),
              Counter::decoded_segments);
}

TEST(Udp, its_length_ends_the_inner_packet) {
    auto builder = outer_ipv4().udp(50000, 4754);  // GRE in UDP
    builder.raw(Bytes{0, 0, 0x08, 0x00}).ipv4(kClient4, kServer4).total_length(0);
    builder.tcp(1, 2).payload(10).padding(30);
    EXPECT_EQ(decode_built(builder)->out.segment.payload_bytes, 10U);
}

TEST(Udp, a_length_below_its_header_is_impossible_but_zero_under_ipv6) {
    for (const std::uint16_t length : {std::uint16_t{0}, std::uint16_t{7}}) {
        EXPECT_EQ(outcome_of(outer_ipv4().udp(50000, 6635).set16(4, length).mpls(16)),
                  Counter::decode_bad_tunnel_header);
    }
    EXPECT_EQ(outcome_of(outer_ipv6().udp(50000, 6635).set16(4, 7).mpls(16)),
              Counter::decode_bad_tunnel_header);
    EXPECT_EQ(outcome_of(outer_ipv6().udp(50000, 6635).set16(4, 0).mpls(16)),
              Counter::decoded_segments);
}

TEST(Gre, every_combination_of_optional_fields_is_stepped_over) {
    for (unsigned bits = 0; bits < 8; ++bits) {
        test::GreFields fields;
        if ((bits & 1) != 0) {
            fields.key = 0xAABBCCDD;
        }
        if ((bits & 2) != 0) {
            fields.sequence = 0x11223344;
        }
        fields.checksum = (bits & 4) != 0;
        EXPECT_EQ(outcome_of(outer_ipv4().gre(fields)), Counter::decoded_segments) << bits;
    }
}

TEST(Gre, the_acknowledgment_belongs_to_pptp_only) {
    auto pptp = outer_ipv4().gre({.key = 1, .ack = 2, .version = 1}).set16(2, 0x880B);
    EXPECT_EQ(outcome_of(pptp.raw(Bytes{0xFF, 0x03, 0x00, 0x21})), Counter::decoded_segments);
    // With any other protocol the flag adds no field.
    EXPECT_EQ(outcome_of(outer_ipv4().gre().set16(0, 0x0081)), Counter::decoded_segments);
}

TEST(Gre, source_routes_are_stepped_over_up_to_their_end) {
    const auto routed = [](Bytes routes) {
        return outer_ipv4().gre({.checksum = true}).set16(0, 0xC000).set16(2, 0x0800).raw(routes);
    };
    EXPECT_EQ(outcome_of(routed({0, 0, 0, 0})), Counter::decoded_segments);
    EXPECT_EQ(outcome_of(routed({8, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0})), Counter::decoded_segments);
    EXPECT_EQ(outcome_of(routed({8, 0, 0, 255})), Counter::decode_bad_tunnel_header);
    EXPECT_EQ(outcome_of(routed(Bytes(400, 8))), Counter::decode_bad_tunnel_header);
}

TEST(Gre, an_unknown_protocol_is_not_tcp) {
    EXPECT_EQ(outcome_of(outer_ipv4().gre().set16(2, 0x9999)), Counter::decode_not_tcp);
}

TEST(Wccp, the_redirect_header_is_optional) {
    EXPECT_EQ(outcome_of(outer_ipv4().gre().set16(2, 0x883E)), Counter::decoded_segments);
}

TEST(Erspan, an_unknown_version_is_a_bad_header) {
    EXPECT_EQ(outcome_of(outer_ipv4().gre({.sequence = 1}).erspan2(5, 6).set8(0, 0x30).ethernet()),
              Counter::decode_bad_tunnel_header);
}

TEST(Erspan, type_iii_needs_no_sequence_number) {
    EXPECT_EQ(outcome_of(outer_ipv4().gre().erspan3(5, 6).ethernet()), Counter::decoded_segments);
}

TEST(Erspan, a_frame_type_other_than_ethernet_is_not_opened) {
    EXPECT_EQ(
        outcome_of(outer_ipv4().gre({.sequence = 1}).erspan3(5, 6).set16(10, 2 << 10).ethernet()),
        Counter::decode_not_tcp);
}

TEST(Geneve, the_longest_options_are_stepped_over) {
    EXPECT_EQ(outcome_of(outer_ipv4().geneve(1, 63)), Counter::decoded_segments);
}

TEST(VxlanGpe, mpls_and_unknown_protocols) {
    EXPECT_EQ(outcome_of(outer_ipv4().vxlan_gpe(1).set8(3, 5).mpls(16)), Counter::decoded_segments);
    EXPECT_EQ(outcome_of(outer_ipv4().vxlan_gpe(1).set8(3, 4)), Counter::decode_not_tcp);  // NSH
}

TEST(Gtpu, only_user_data_is_opened) {
    EXPECT_EQ(outcome_of(outer_ipv4().gtpu(1).set8(1, 0x01)), Counter::decode_not_tcp);  // echo
    EXPECT_EQ(outcome_of(outer_ipv4().gtpu(1).set8(0, 0x20)), Counter::decode_not_tcp);  // GTP'
    EXPECT_EQ(outcome_of(outer_ipv4().gtpu(1).set8(0, 0x50)), Counter::decode_not_tcp);  // v2
}

TEST(Gtpu, version_0_has_one_header_of_20_bytes) {
    Bytes header(20, 0);
    header[0] = 0x1E;
    header[1] = 0xFF;
    EXPECT_EQ(outcome_of(outer_ipv4().udp(2152, 2152).raw(header)), Counter::decoded_segments);
}

TEST(Gtpu, a_chain_of_extension_headers_that_does_not_advance_is_a_bad_header) {
    EXPECT_EQ(outcome_of(outer_ipv4().gtpu(1, {{0x85, 2}}).set8(12, 0)),
              Counter::decode_bad_tunnel_header);
    Bytes endless{0x34, 0xFF, 0x01, 0x00, 0, 0, 0, 1, 0, 0, 0, 0x85};
    for (int i = 0; i < 40; ++i) {
        endless.insert(endless.end(), {1, 0, 0, 0x85});
    }
    EXPECT_EQ(outcome_of(outer_ipv4().udp(2152, 2152).raw(endless)),
              Counter::decode_bad_tunnel_header);
}

TEST(Gtpu, what_is_no_ip_is_not_opened) {
    for (const std::uint8_t first : Bytes{0x00, 0x44, 0x4F, 0x50, 0xFF}) {
        const auto bytes = outer_ipv4().gtpu(1).raw(Bytes(60, first)).build();
        EXPECT_EQ(decode_bytes(bytes)->out.outcome, Counter::decode_not_tcp) << int{first};
    }
}

TEST(L2tp, control_messages_and_other_versions_are_not_opened) {
    for (const std::uint16_t flags : {std::uint16_t{0xC802}, std::uint16_t{0x0003}}) {
        const Bytes header{static_cast<std::uint8_t>(flags >> 8),
                           static_cast<std::uint8_t>(flags),
                           0,
                           1,
                           0,
                           2,
                           0x00,
                           0x21};
        EXPECT_EQ(outcome_of(outer_ipv4().udp(1701, 1701).raw(header)), Counter::decode_not_tcp);
    }
}

TEST(L2tp, offset_padding_is_stepped_over) {
    const Bytes header{0x02, 0x02, 0, 1, 0, 2, 0, 3, 9, 9, 9, 0x00, 0x21};
    EXPECT_EQ(outcome_of(outer_ipv4().udp(1701, 1701).raw(header)), Counter::decoded_segments);
    const Bytes beyond{0x02, 0x02, 0, 1, 0, 2, 0xFF, 0xFF, 0x00, 0x21};
    EXPECT_EQ(outcome_of(outer_ipv4().udp(1701, 1701).raw(beyond)), Counter::decode_truncated);
}

TEST(Teredo, authentication_before_the_packet_is_stepped_over) {
    Bytes header{0, 1, 2, 3};
    header.resize(4 + 2 + 3 + 9, 0);
    header.insert(header.end(), {0, 0, 1, 2, 3, 4, 5, 6});  // and the origin indication
    EXPECT_EQ(outcome_of(outer_ipv4().udp(3544, 50000).raw(header), true),
              Counter::decoded_segments);
}

TEST(Ppp, protocol_and_framing_may_be_compressed) {
    for (const Bytes& header :
         {Bytes{0x00, 0x21}, Bytes{0x21}, Bytes{0xFF, 0x03, 0x00, 0x21}, Bytes{0xFF, 0x03, 0x21}}) {
        EXPECT_EQ(outcome_of(outer_ipv4().gre().set16(2, 0x880B).raw(header)),
                  Counter::decoded_segments)
            << header.size();
    }
}

}  // namespace
}  // namespace tw::decode
