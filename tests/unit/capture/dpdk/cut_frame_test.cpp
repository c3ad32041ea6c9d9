// SPDX-License-Identifier: BSD-3-Clause
#include "capture/dpdk/cut_frame.hpp"

#include <gtest/gtest.h>

#include "support/packet_builder.hpp"

namespace tw::dpdk {
namespace {

using tw::test::Bytes;
using tw::test::frame_of;
using tw::test::PacketBuilder;

[[nodiscard]] std::uint32_t length_of(const Bytes& whole, std::size_t kept_bytes,
                                      LinkType link = LinkType::ethernet) {
    const Bytes kept(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept_bytes));
    return wire_bytes_of_cut(frame_of(kept, 0, 0, link));
}

[[nodiscard]] PacketBuilder tcp_over(PacketBuilder builder, bool v6) {
    if (v6) {
        builder.ipv6("2001:db8::1", "2001:db8::2");
    } else {
        builder.ipv4("10.0.0.1", "10.0.0.2");
    }
    return builder.tcp(1000, 80).payload(1000);
}

TEST(CutFrame, ip_header_tells_the_length_behind_every_link_type) {
    for (const bool v6 : {false, true}) {
        const Bytes ethernet = tcp_over(PacketBuilder().ethernet(), v6).build();
        EXPECT_EQ(length_of(ethernet, 60), ethernet.size());
        const Bytes tagged = tcp_over(PacketBuilder().ethernet().vlan(5).vlan(6), v6).build();
        EXPECT_EQ(length_of(tagged, 70), tagged.size());
        const Bytes cooked = tcp_over(PacketBuilder().linux_sll(), v6).build();
        EXPECT_EQ(length_of(cooked, 60, LinkType::linux_sll), cooked.size());
        const Bytes cooked2 = tcp_over(PacketBuilder().linux_sll2(), v6).build();
        EXPECT_EQ(length_of(cooked2, 60, LinkType::linux_sll2), cooked2.size());
        const Bytes bsd = tcp_over(PacketBuilder().bsd_null(), v6).build();
        EXPECT_EQ(length_of(bsd, 60, LinkType::bsd_null), bsd.size());
        const Bytes raw = tcp_over(PacketBuilder(), v6).build();
        EXPECT_EQ(length_of(raw, 60, LinkType::raw_ip), raw.size());
    }
}

TEST(CutFrame, whole_frames_keep_their_padding) {
    const Bytes padded =
        PacketBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).padding(6).build();
    EXPECT_EQ(length_of(padded, padded.size()), padded.size());
}

TEST(CutFrame, what_is_not_ip_stays_as_captured) {
    // Spanning tree over 802.3: the first byte behind the length would pass for IP version 4.
    const Bytes stp{1, 0x80, 0xC2, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 39, 0x42, 0x42, 3, 0, 0, 0, 0};
    EXPECT_EQ(length_of(stp, stp.size()), stp.size());
    EXPECT_EQ(length_of(stp, stp.size(), LinkType::unsupported), stp.size());
}

TEST(CutFrame, any_cut_is_read_without_harm) {
    for (const bool v6 : {false, true}) {
        const Bytes tagged = tcp_over(PacketBuilder().ethernet().vlan(5), v6).build();
        for (std::size_t kept = 0; kept <= tagged.size(); ++kept) {
            const std::uint32_t length = length_of(tagged, kept);
            EXPECT_GE(length, kept);
            EXPECT_LE(length, tagged.size());
        }
    }
}

}  // namespace
}  // namespace tw::dpdk
