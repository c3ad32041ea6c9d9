// SPDX-License-Identifier: BSD-3-Clause
// One way into TCP for every kind of header: outer headers to which a test adds the same inner
// segment. A test checks that every row of layers.def has a sample, so a new layer joins all tests
// over samples (cut at every byte, same key, decap switched off) by adding its line here.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "decoding.hpp"

namespace tw::decode {

struct Sample {
    std::string layer;  // row of layers.def this is about
    std::string what;
    LinkType link;
    std::function<test::PacketBuilder()> outer;
    bool carries_v4 = true;  // what may follow `outer`
    bool carries_v6 = true;
    std::string decap{};  // entry of analysis.decap without which it is not opened
};

[[nodiscard]] inline test::PacketBuilder outer_ipv4() {
    return test::PacketBuilder().ethernet().ipv4("192.0.2.1", "192.0.2.2");
}
[[nodiscard]] inline test::PacketBuilder outer_ipv6() {
    return test::PacketBuilder().ethernet().ipv6("2001:db8:1::1", "2001:db8:1::2");
}

[[nodiscard]] inline std::vector<Sample> link_samples() {
    using test::Bytes;
    using test::PacketBuilder;
    const auto ethernet = LinkType::ethernet;
    return {
        {"ethernet", "Ethernet II", ethernet, [] { return PacketBuilder().ethernet(); }},
        {"llc", "SNAP", ethernet, [] { return PacketBuilder().ethernet().llc_snap(); }},
        {"llc", "SNAP in a VLAN", ethernet,
         [] { return PacketBuilder().ethernet().vlan(9).llc_snap(); }, true, true, "vlan"},
        {"linux_sll", "cooked v1", LinkType::linux_sll, [] { return PacketBuilder().linux_sll(); }},
        {"linux_sll2", "cooked v2", LinkType::linux_sll2,
         [] { return PacketBuilder().linux_sll2(); }},
        {"bsd_null", "little endian", LinkType::bsd_null,
         [] { return PacketBuilder().bsd_null(); }},
        {"bsd_null", "big endian", LinkType::bsd_null,
         [] { return PacketBuilder().bsd_null(true); }},
        {"bsd_loop", "network order", LinkType::bsd_loop,
         [] { return PacketBuilder().bsd_loop(); }},
        {"raw_ip", "no link header", LinkType::raw_ip, [] { return PacketBuilder(); }},
        {"vlan", "one tag", ethernet, [] { return PacketBuilder().ethernet().vlan(5); }, true, true,
         "vlan"},
        {"vlan", "four tags", ethernet,
         [] {
             return PacketBuilder().ethernet().vlan(1, 0x9300).vlan(2, 0x9200).vlan(3, 0x9100).vlan(
                 4);
         },
         true, true, "vlan"},
        {"service_vlan", "802.1ad", ethernet,
         [] { return PacketBuilder().ethernet().vlan(5, 0x88A8).vlan(6); }, true, true, "vlan"},
        {"backbone", "802.1ah", ethernet,
         [] {
             Bytes tag(18, 0x02);
             tag[16] = 0x08;
             tag[17] = 0x00;
             return PacketBuilder().ethernet().set16(12, 0x88E7).raw(tag);
         },
         true, false, "vlan"},
        {"cisco_metadata", "TrustSec", ethernet,
         [] {
             return PacketBuilder()
                 .ethernet()
                 .set16(12, 0x8909)
                 .raw(Bytes{1, 1, 0, 1, 0, 7, 0x08, 0x00});
         },
         true, false, "vlan"},
        {"vn_tag", "802.1Qbh", ethernet,
         [] {
             return PacketBuilder().ethernet().set16(12, 0x8926).raw(Bytes{0, 0, 0, 0, 0x08, 0x00});
         },
         true, false, "vlan"},
        {"mpls", "one label", ethernet, [] { return PacketBuilder().ethernet().mpls(100); }, true,
         true, "mpls"},
        {"mpls", "three labels", ethernet,
         [] { return PacketBuilder().ethernet().mpls(100).mpls(200).mpls(16); }, true, true,
         "mpls"},
        {"mpls", "pseudowire with control word", ethernet,
         [] { return PacketBuilder().ethernet().mpls(100).control_word(7).ethernet(); }, true, true,
         "mpls"},
        {"mpls", "pseudowire without control word", ethernet,
         [] {
             return PacketBuilder().ethernet().mpls(100).ethernet("00:1b:21:00:00:01",
                                                                  "00:0c:29:11:22:33");
         },
         true, true, "mpls"},
        {"pppoe", "session", ethernet, [] { return PacketBuilder().ethernet().pppoe(7); }, true,
         true, "pppoe"},
    };
}

[[nodiscard]] inline std::vector<Sample> ip_samples() {
    using test::Bytes;
    using test::PacketBuilder;
    const auto ethernet = LinkType::ethernet;
    return {
        {"ip4_in_ip", "in IPv4", ethernet, outer_ipv4, true, false, "ipip"},
        {"ip4_in_ip", "in IPv6", ethernet, outer_ipv6, true, false, "ipip"},
        {"ip6_in_ip", "in IPv4", ethernet, outer_ipv4, false, true, "ipip"},
        {"ip6_in_ip", "in IPv6", ethernet, outer_ipv6, false, true, "ipip"},
        {"ipv4", "outer options", ethernet,
         [] {
             return outer_ipv4().ip_options(Bytes{1, 1, 0x94, 4, 0, 0});
         },
         true, true, "ipip"},
        {"ipv6", "under IPv6", ethernet, outer_ipv6, true, true, "ipip"},
        {"ipv6_options", "hop-by-hop and destination", ethernet,
         [] { return outer_ipv6().hop_by_hop().destination_options(Bytes(20, 0)); }, true, true,
         "ipip"},
        {"ipv6_routing", "used up", ethernet,
         [] { return outer_ipv6().routing(0, 0, {"2001:db8::9"}); }, true, true, "ipip"},
        {"ipv6_fragment", "atomic", ethernet, [] { return outer_ipv6().fragment_header(0, false); },
         true, true, "ipip"},
        {"authentication", "in IPv4", ethernet, [] { return outer_ipv4().authentication(); }, true,
         true, "ipip"},
        {"authentication", "in IPv6", ethernet, [] { return outer_ipv6().authentication(20); },
         true, true, "ipip"},
        {"icmp", "quotes all", ethernet, [] { return outer_ipv4().icmp_error(); }},
        {"icmpv6", "quotes all", ethernet, [] { return outer_ipv6().icmpv6_error(); }, false, true},
    };
}

[[nodiscard]] inline std::vector<Sample> gre_samples() {
    using test::Bytes;
    using test::PacketBuilder;
    const auto ethernet = LinkType::ethernet;
    return {
        {"gre", "plain", ethernet, [] { return outer_ipv4().gre(); }, true, true, "gre"},
        {"gre", "all fields, in IPv6", ethernet,
         [] { return outer_ipv6().gre({.key = 5, .sequence = 6, .checksum = true}); }, true, true,
         "gre"},
        {"gre", "NVGRE", ethernet,
         [] { return outer_ipv4().gre({.key = 0x12345600}).ethernet().vlan(8); }, true, true,
         "gre"},
        {"gre", "MPLS inside", ethernet, [] { return outer_ipv4().gre().mpls(16); }, true, true,
         "gre"},
        {"ppp", "PPTP", ethernet,
         [] {
             return outer_ipv4()
                 .gre({.key = 0x00100001, .sequence = 1, .ack = 2, .version = 1})
                 .set16(2, 0x880B)
                 .raw(Bytes{0xFF, 0x03, 0x00, 0x21});
         },
         true, false, "gre"},
        {"ppp", "compressed protocol", ethernet,
         [] { return outer_ipv4().gre().set16(2, 0x880B).raw(Bytes{0x57}); }, false, true, "gre"},
        {"wccp", "redirect header", ethernet,
         [] {
             return outer_ipv4().gre().set16(2, 0x883E).raw(Bytes{5, 0x59, 0, 0x48});
         },
         true, false, "gre"},
        {"erspan", "type I", ethernet, [] { return outer_ipv4().gre().erspan1().ethernet(); }, true,
         true, "erspan"},
        {"erspan", "type II", ethernet,
         [] { return outer_ipv4().gre({.sequence = 1}).erspan2(5, 6).ethernet().vlan(7); }, true,
         true, "erspan"},
        {"erspan", "type III", ethernet,
         [] { return outer_ipv4().gre({.sequence = 1}).erspan3(5, 6).ethernet(); }, true, true,
         "erspan"},
        {"erspan", "type III with subheader", ethernet,
         [] { return outer_ipv4().gre({.sequence = 1}).erspan3(5, 6, true).ethernet(); }, true,
         true, "erspan"},
    };
}

[[nodiscard]] inline std::vector<Sample> udp_samples() {
    using test::Bytes;
    using test::PacketBuilder;
    const auto ethernet = LinkType::ethernet;
    return {
        {"udp", "MPLS in UDP", ethernet, [] { return outer_ipv4().udp(50000, 6635).mpls(16); },
         true, true, "mpls"},
        {"vxlan", "in IPv4", ethernet, [] { return outer_ipv4().vxlan(77).ethernet(); }, true, true,
         "vxlan"},
        {"vxlan", "in IPv6, VLAN inside", ethernet,
         [] { return outer_ipv6().vxlan(77).ethernet().vlan(3); }, true, true, "vxlan"},
        {"vxlan_gpe", "IP inside", ethernet, [] { return outer_ipv4().vxlan_gpe(77); }, true, true,
         "vxlan"},
        {"vxlan_gpe", "Ethernet inside", ethernet,
         [] { return outer_ipv4().vxlan_gpe(77).ethernet(); }, true, true, "vxlan"},
        {"geneve", "Ethernet inside", ethernet, [] { return outer_ipv4().geneve(9).ethernet(); },
         true, true, "geneve"},
        {"geneve", "options, IP inside", ethernet, [] { return outer_ipv6().geneve(9, 3); }, true,
         true, "geneve"},
        {"gtpu", "short header", ethernet, [] { return outer_ipv4().gtpu(99); }, true, true,
         "gtpu"},
        {"gtpu", "sequence", ethernet, [] { return outer_ipv4().gtpu(99, {}, 4); }, true, true,
         "gtpu"},
        {"gtpu", "two extension headers", ethernet,
         [] {
             return outer_ipv6().gtpu(99, {{0x85, 2}, {0x40, 5}}, 4);
         },
         true, true, "gtpu"},
        {"l2tp", "length and sequence", ethernet,
         [] {
             return outer_ipv4()
                 .udp(1701, 1701)
                 .raw(Bytes{0x48, 0x02, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0xFF, 0x03, 0x00, 0x21});
         },
         true, false, "pppoe"},
        {"teredo", "plain", ethernet, [] { return outer_ipv4().udp(50000, 3544); }, false, true,
         "ipip"},
        {"teredo", "origin indication", ethernet,
         [] {
             return outer_ipv4().udp(50000, 3544).raw(Bytes{0, 0, 1, 2, 3, 4, 5, 6});
         },
         false, true, "ipip"},
    };
}

[[nodiscard]] inline std::vector<Sample> all_samples() {
    std::vector<Sample> samples;
    for (auto more : {link_samples(), ip_samples(), gre_samples(), udp_samples()}) {
        samples.insert(samples.end(), more.begin(), more.end());
    }
    return samples;
}

struct Ends {
    bool v6 = false;
    bool from_server = false;
};

inline constexpr std::size_t kTcpBytes = 20;
inline constexpr std::size_t kPayloadBytes = 100;

// The inner packet of every sample: 20 bytes of TCP and 100 of payload.
inline test::PacketBuilder& with_segment(test::PacketBuilder& outer, Ends ends) {
    const auto source6 = ends.from_server ? kServer6 : kClient6;
    const auto destination6 = ends.from_server ? kClient6 : kServer6;
    const auto source4 = ends.from_server ? kServer4 : kClient4;
    const auto destination4 = ends.from_server ? kClient4 : kServer4;
    if (ends.v6) {
        outer.ipv6(source6, destination6);
    } else {
        outer.ipv4(source4, destination4);
    }
    return outer
        .tcp(ends.from_server ? kServerPort : kClientPort,
             ends.from_server ? kClientPort : kServerPort)
        .seq(1000)
        .ack(2000)
        .flags("PA")
        .window(512)
        .payload(kPayloadBytes);
}

struct SampleFrame {
    Sample sample;
    Ends ends;
    test::Bytes bytes;

    [[nodiscard]] std::string name() const {
        return sample.layer + ", " + sample.what + (ends.v6 ? ", inner IPv6" : ", inner IPv4");
    }
};

// Every sample with every inner packet it carries.
[[nodiscard]] inline std::vector<SampleFrame> sample_frames(bool from_server = false) {
    std::vector<SampleFrame> frames;
    for (const Sample& sample : all_samples()) {
        for (const bool v6 : {false, true}) {
            if (v6 ? sample.carries_v6 : sample.carries_v4) {
                const Ends ends{.v6 = v6, .from_server = from_server};
                auto builder = sample.outer();
                frames.push_back({sample, ends, with_segment(builder, ends).build()});
            }
        }
    }
    return frames;
}

}  // namespace tw::decode
