// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/filter.hpp"

#include <gmock/gmock.h>

#include "support/packet_builder.hpp"

namespace tw::pcap {
namespace {

using test::Bytes;
using test::frame_of;
using test::PacketBuilder;
using testing::HasSubstr;
using testing::Not;

PacketBuilder ethernet_tcp(std::uint16_t port) {
    return PacketBuilder().ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1234, port);
}

bool matches(const std::string& expression, const Bytes& bytes,
             LinkType link = LinkType::ethernet) {
    const auto filter = Filter::compile(expression);
    EXPECT_TRUE(filter) << expression;
    return filter->matches(frame_of(bytes, 0, 1, link));
}

TEST(FilterTest, selects_by_port) {
    EXPECT_TRUE(matches("tcp port 80", ethernet_tcp(80).build()));
    EXPECT_FALSE(matches("tcp port 80", ethernet_tcp(81).build()));
}

TEST(FilterTest, empty_expression_matches_everything) {
    EXPECT_TRUE(matches("", ethernet_tcp(80).build()));
    EXPECT_TRUE(matches("", Bytes{}));
}

TEST(FilterTest, is_compiled_for_every_link_type) {
    const auto ip_frames = [](PacketBuilder link) {
        return link.ipv4("10.0.0.1", "10.0.0.2").tcp(1234, 80).build();
    };
    for (const std::string expression : {"port 80", "host 10.0.0.2", "tcp[13] = 0x10"}) {
        EXPECT_TRUE(matches(expression, ip_frames(PacketBuilder()), LinkType::raw_ip));
        EXPECT_TRUE(
            matches(expression, ip_frames(PacketBuilder().linux_sll()), LinkType::linux_sll));
        EXPECT_TRUE(
            matches(expression, ip_frames(PacketBuilder().linux_sll2()), LinkType::linux_sll2));
        EXPECT_TRUE(matches(expression, ip_frames(PacketBuilder().bsd_null()), LinkType::bsd_null));
        EXPECT_TRUE(matches(expression, ip_frames(PacketBuilder().bsd_loop()), LinkType::bsd_loop));
    }
    EXPECT_FALSE(matches("port 81", ip_frames(PacketBuilder().linux_sll2()), LinkType::linux_sll2));
}

TEST(FilterTest, wire_length_counts_for_len) {
    const Bytes bytes = ethernet_tcp(80).build();
    const auto filter = Filter::compile("greater 1000");
    ASSERT_TRUE(filter);
    EXPECT_FALSE(filter->matches(frame_of(bytes)));
    EXPECT_TRUE(filter->matches(frame_of(bytes, 0, 1, LinkType::ethernet, 1500)));
}

TEST(FilterTest, cut_frame_does_not_match_what_it_lacks) {
    Bytes bytes = ethernet_tcp(80).build();
    bytes.resize(36);  // up to the source port
    EXPECT_FALSE(matches("tcp dst port 80", bytes));
    EXPECT_TRUE(matches("tcp", bytes));
}

TEST(FilterTest, unsupported_link_type_passes_so_that_decoding_counts_it) {
    EXPECT_TRUE(matches("tcp port 80", Bytes(20), LinkType::unsupported));
    EXPECT_TRUE(Filter::compile("tcp port 80")->check(LinkType::unsupported));
}

TEST(FilterTest, syntax_error_names_expression_and_reason) {
    for (const std::string expression : {"tcpp", "tcp and", "port 99999", "host 1.2.3.4.5"}) {
        const auto filter = Filter::compile(expression);
        ASSERT_FALSE(filter) << expression;
        EXPECT_THAT(filter.error().text, HasSubstr("filter \"" + expression + "\": "));
        EXPECT_THAT(filter.error().text,
                    HasSubstr("; expected an expression as in pcap-filter(7)"));
        EXPECT_THAT(filter.error().text, Not(HasSubstr("\n")));
        EXPECT_EQ(filter.error().code, ExitCode::operator_mistake);
    }
    EXPECT_THAT(Filter::compile("tcpp").error().text, HasSubstr("syntax error"));
}

TEST(FilterTest, expression_without_meaning_on_a_link_type_is_said_before_reading) {
    const auto filter = Filter::compile("ether host 02:00:00:00:00:01");
    ASSERT_TRUE(filter);
    EXPECT_TRUE(filter->check(LinkType::ethernet));
    const auto raw = filter->check(LinkType::raw_ip);
    ASSERT_FALSE(raw);
    EXPECT_THAT(
        raw.error().text,
        HasSubstr("filter \"ether host 02:00:00:00:00:01\" cannot be used on raw IP frames: "));
    const Bytes bytes = PacketBuilder().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).build();
    EXPECT_FALSE(filter->matches(frame_of(bytes, 0, 1, LinkType::raw_ip)));
}

TEST(FilterTest, can_be_moved) {
    Filter filter = Filter::compile("tcp port 80").value();
    filter = Filter::compile("tcp port 81").value();
    EXPECT_TRUE(filter.matches(frame_of(ethernet_tcp(81).build())));
    EXPECT_EQ(filter.expression(), "tcp port 81");
}

struct Encapsulated {
    const char* description;
    std::string expression;
    std::string missed;  // as the warning lists them; empty = none
};

class FilterEncapsulation : public testing::TestWithParam<Encapsulated> {};

TEST_P(FilterEncapsulation, is_recognised_from_the_compiled_program) {
    const Encapsulated& row = GetParam();
    EXPECT_EQ(misses_encapsulated(row.expression), !row.missed.empty());
    const std::string warning = encapsulation_warning(row.expression);
    if (row.missed.empty()) {
        EXPECT_EQ(warning, "");
    } else {
        EXPECT_THAT(warning, testing::StartsWith("filter \"" + row.expression +
                                                 "\" loses what is encapsulated in " + row.missed));
    }
}

constexpr const char* kAll = "VLAN, MPLS, PPPoE, GRE, IP-in-IP, VXLAN, GENEVE, GTP-U; ";
constexpr const char* kTunnels = "GRE, IP-in-IP, VXLAN, GENEVE, GTP-U";

INSTANTIATE_TEST_SUITE_P(
    all, FilterEncapsulation,
    testing::Values(Encapsulated{"tcp", "tcp", kAll}, Encapsulated{"port", "tcp port 80", kAll},
                    Encapsulated{"host", "host 10.0.0.1", kAll},
                    Encapsulated{"net", "net 10.0.0.0/8", kAll},
                    Encapsulated{"ipv6_only", "ip6 and tcp", kAll},
                    Encapsulated{"flags", "tcp[tcpflags] & tcp-syn != 0", kAll},
                    Encapsulated{"ip", "ip", "VLAN, MPLS, PPPoE; "},
                    Encapsulated{"ip_or_ip6", "ip or ip6", "VLAN, MPLS, PPPoE; "},
                    Encapsulated{"gre_named", "port 80 or proto 47",
                                 "VLAN, MPLS, PPPoE, IP-in-IP, VXLAN, GENEVE, GTP-U; "},
                    Encapsulated{"vlan_too", "tcp or (vlan and tcp)",
                                 "MPLS, PPPoE, GRE, IP-in-IP, VXLAN, GENEVE, GTP-U; "},
                    Encapsulated{"only_tagged", "vlan and tcp", kTunnels},
                    Encapsulated{"everything", "", ""}, Encapsulated{"not_port", "not port 22", ""},
                    Encapsulated{"not_host", "not host 10.0.0.1", ""},
                    Encapsulated{"not_tcp_at_all", "udp", ""}, Encapsulated{"arp", "arp", ""},
                    Encapsulated{"mac", "ether host 02:00:00:00:00:01", ""},
                    Encapsulated{"length", "greater 100", ""}, Encapsulated{"vlan", "vlan", ""},
                    Encapsulated{"not_an_expression", "tcpp", ""}),
    [](const auto& row) { return row.param.description; });

TEST(FilterTest, what_the_warning_says_to_write_works) {
    const std::string warning = encapsulation_warning("tcp port 80");
    const std::size_t begin = warning.find("write \"") + 7;
    const std::string wider = warning.substr(begin, warning.size() - 1 - begin);
    EXPECT_FALSE(misses_encapsulated(wider)) << wider;
    const auto inner = [](PacketBuilder outer) {
        return outer.ipv4("10.0.0.1", "10.0.0.2").tcp(1234, 80).build();
    };
    EXPECT_TRUE(matches(wider, ethernet_tcp(80).build()));
    EXPECT_FALSE(matches(wider, ethernet_tcp(81).build()));
    EXPECT_TRUE(matches(wider, inner(PacketBuilder().ethernet().vlan(5))));
    const auto outer = PacketBuilder().ethernet().ipv4("192.0.2.1", "192.0.2.2");
    EXPECT_TRUE(matches(wider, inner(PacketBuilder(outer).vxlan(7).ethernet())));
    EXPECT_TRUE(matches(wider, inner(PacketBuilder(outer).gre())));
}

TEST(FilterTest, advice_that_would_not_work_is_not_given) {
    EXPECT_THAT(encapsulation_warning("vlan and tcp"), Not(HasSubstr("write")));
}

}  // namespace
}  // namespace tw::pcap
