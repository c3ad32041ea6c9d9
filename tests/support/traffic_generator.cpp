// SPDX-License-Identifier: BSD-3-Clause
#include "support/traffic_generator.hpp"

#include <algorithm>

namespace tw::test {
namespace {

constexpr Nanos kStart = 1'700'000'000 * kSecond;
constexpr std::size_t kUsedMax = 256;

// Outer IP header of a tunnel, either version.
void add_outer_ip(PacketBuilder& builder, Random& random) {
    if (random.chance(75)) {
        builder.ipv4("192.0.2.1", "198.51.100.7");
    } else {
        builder.ipv6("2001:db8:1::1", "2001:db8:2::2");
    }
}

GreFields gre_with_key(std::uint32_t key) {
    GreFields fields;
    fields.key = key;
    return fields;
}

GreFields gre_with_sequence(std::uint32_t sequence) {
    GreFields fields;
    fields.sequence = sequence;
    return fields;
}

}  // namespace

void add_envelope(PacketBuilder& builder, Envelope envelope, Random& random) {
    builder.ethernet();
    if (envelope >= Envelope::gre) {
        add_outer_ip(builder, random);
    }
    switch (envelope) {
        case Envelope::plain:
            return;
        case Envelope::vlan:
            builder.vlan(static_cast<std::uint16_t>(random.between(1, 3)));
            return;
        case Envelope::two_vlans:
            builder.vlan(100, random.pick<std::uint16_t>({0x88A8, 0x8100})).vlan(7);
            return;
        case Envelope::snap:
            builder.llc_snap();
            return;
        case Envelope::mpls:
            builder.mpls(random.between(16, 1000)).mpls(17);
            return;
        case Envelope::pseudowire:
            // tshark tells a control word from a MAC address by its list of vendors: these
            // addresses are a known vendor's, and read four bytes off they are nobody's.
            builder.mpls(random.between(16, 1000));
            if (random.chance(50)) {
                builder.control_word();
            }
            builder.ethernet("00:1b:21:aa:bb:cc", "00:1b:21:aa:bb:cd");
            return;
        case Envelope::pppoe:
            builder.pppoe();
            return;
        case Envelope::gre:
            builder.gre(random.chance(50) ? GreFields{} : gre_with_key(random.below(4)));
            return;
        case Envelope::gre_ethernet:
            builder.gre().ethernet();
            return;
        case Envelope::erspan1:
            builder.gre().erspan1().ethernet();
            return;
        case Envelope::erspan2:
            builder.gre(gre_with_sequence(random.below(1000))).erspan2(5, 9).ethernet();
            return;
        case Envelope::erspan3:
            builder.gre(gre_with_sequence(random.below(1000)));
            builder.erspan3(5, 9, random.chance(50)).ethernet();
            return;
        case Envelope::ip_in_ip:
            return;
        case Envelope::vxlan:
            builder.vxlan(random.below(3)).ethernet();
            return;
        case Envelope::vxlan_gpe:
            builder.vxlan_gpe(random.below(3));
            if (random.chance(50)) {
                builder.ethernet();
            }
            return;
        case Envelope::geneve:
            builder.geneve(random.below(3), random.below(3)).ethernet();
            return;
        case Envelope::gtpu:
            builder.gtpu(random.below(3));
            return;
    }
}

HostileTraffic::HostileTraffic(const HostileOptions& options)
    : options_(options), random_(options.seed) {
    for (std::uint32_t i = 0; i < std::max(1U, options.connections); ++i) {
        connections_.push_back(std::make_unique<Connection>(new_connection()));
    }
    if (options.flood_segments > 0) {
        Connection& flood = *connections_.front();
        flood.script.begin_flood(options.flood_segments);
        flood.left = options.flood_segments + options.segments_per_connection;
    }
}

GeneratedFrame HostileTraffic::next() {
    if (random_.chance(1)) {
        return noise();
    }
    auto& slot = connections_[random_.below(static_cast<std::uint32_t>(connections_.size()))];
    // A flood in one frame out of `connections` would take for ever: it comes in runs.
    auto& chosen =
        connections_.front()->left > 4 * options_.segments_per_connection && random_.chance(80)
            ? connections_.front()
            : slot;
    if (chosen->left == 0) {
        chosen = std::make_unique<Connection>(new_connection());
    }
    Connection& connection = *chosen;
    --connection.left;
    const SegmentPlan plan = connection.script.next();
    const bool strays = options_.layers && random_.chance(5);
    PacketBuilder builder;
    add_envelope(builder,
                 static_cast<Envelope>(strays ? random_.below(kEnvelopes) : connection.envelope),
                 random_);
    add_ip(builder, connection, plan);
    add_tcp(builder, connection, plan);
    return whole(builder, plan);
}

HostileTraffic::Connection HostileTraffic::new_connection() {
    ++created_;
    Tuple tuple =
        !used_.empty() && random_.chance(8) ? random_.pick(std::span(used_)) : new_tuple();
    if (used_.size() < kUsedMax) {
        used_.push_back(tuple);
    } else {
        used_[random_.below(kUsedMax)] = tuple;
    }
    // A few start in 1970: tshark takes a SYN at time stamp 0 for no SYN.
    const Nanos start = random_.chance(4) ? 0 : kStart + created_ * kMillisecond;
    const bool multipath = options_.multipath && random_.chance(30);
    const std::uint32_t envelope =
        options_.layers && random_.chance(40) ? random_.below(kEnvelopes) : 0;
    const std::uint32_t left = 1 + random_.below(2 * options_.segments_per_connection);
    return {tuple, HostileConnection(random_, start, multipath), envelope, left};
}

HostileTraffic::Tuple HostileTraffic::new_tuple() {
    Tuple tuple;
    tuple.v6 = options_.layers && random_.chance(25);
    for (std::size_t side = 0; side < 2; ++side) {
        tuple.v4[side] = {10, static_cast<std::uint8_t>(random_.below(256)),
                          static_cast<std::uint8_t>(random_.below(256)),
                          static_cast<std::uint8_t>(random_.below(256))};
        tuple.ipv6[side] = {0x20, 0x01, 0x0D, 0xB8};
        for (std::size_t i = 12; i < 16; ++i) {
            tuple.ipv6[side][i] = static_cast<std::uint8_t>(random_.below(256));
        }
        tuple.port[side] = static_cast<std::uint16_t>(random_.between(20'000, 60'000));
    }
    if (random_.chance(5)) {  // talks to itself: only ports tell the sides apart
        tuple.v4[1] = tuple.v4[0];
        tuple.ipv6[1] = tuple.ipv6[0];
        if (random_.chance(20)) {  // and not even these
            tuple.port[1] = tuple.port[0];
        }
    }
    return tuple;
}

// Frames without a TCP segment: they count in frame numbers and in nothing else.
GeneratedFrame HostileTraffic::noise() {
    PacketBuilder builder;
    builder.ethernet();
    switch (random_.below(3)) {
        case 0:
            builder.ipv4("10.0.0.1", "10.0.0.2").udp(5000, 5001).payload(20);
            break;
        case 1:
            builder.ipv4("10.0.0.1", "10.0.0.2").next_protocol(6).fragment(1480, false).payload(80);
            break;
        default:
            builder.ipv6("2001:db8::1", "2001:db8::2").udp(5000, 5001).payload(20);
            break;
    }
    Bytes bytes = builder.build();
    const auto wire_bytes = static_cast<std::uint32_t>(bytes.size());
    return {kStart + created_ * kMillisecond, std::move(bytes), wire_bytes};
}

void HostileTraffic::add_ip(PacketBuilder& builder, const Connection& connection,
                            const SegmentPlan& plan) {
    const bool quoted = options_.layers && random_.chance(1);
    std::optional<std::size_t> quoted_bytes;
    if (random_.chance(60)) {
        quoted_bytes = random_.pick<std::size_t>({28, 35, 36, 40, 44, 60});
    }
    if (connection.tuple.v6) {
        if (quoted) {
            builder.ipv6("2001:db8:ffff::1", "2001:db8:ffff::2").icmpv6_error(1, 0, quoted_bytes);
        }
        add_ipv6(builder, connection.tuple, plan, quoted);
    } else {
        if (quoted) {
            const auto type = random_.pick<std::uint8_t>({3, 4, 11});
            builder.ipv4("192.0.2.99", "192.0.2.98").icmp_error(type, 1, quoted_bytes);
        }
        add_ipv4(builder, connection.tuple, plan, quoted);
    }
}

void HostileTraffic::add_ipv6(PacketBuilder& builder, const Tuple& tuple, const SegmentPlan& plan,
                              bool quoted) {
    builder.ipv6(tuple.ipv6[plan.side], tuple.ipv6[plan.side ^ 1U]);
    if (!quoted && options_.faults && random_.chance(1)) {
        add_length_fault(builder, true);
    }
    if (options_.layers && random_.chance(2)) {
        add_extensions(builder);
    }
    if (!quoted && options_.faults && random_.chance(1)) {
        builder.fragment_header(0, random_.chance(70));
    }
}

// One or two extension headers. Some of them change which addresses count.
void HostileTraffic::add_extensions(PacketBuilder& builder) {
    const auto segments_left = static_cast<std::uint8_t>(random_.below(2));
    switch (random_.below(6)) {
        case 0:
            builder.hop_by_hop();
            break;
        case 1:
            builder.hop_by_hop().destination_options();
            break;
        case 2:
            builder.home_address("2001:db8::77");
            break;
        case 3:
            builder.routing(0, segments_left, {"2001:db8::88"});
            break;
        case 4:
            builder.routing(4, segments_left, {"2001:db8::99", "2001:db8::9a"});
            break;
        default:
            builder.authentication();
            break;
    }
}

void HostileTraffic::add_ipv4(PacketBuilder& builder, const Tuple& tuple, const SegmentPlan& plan,
                              bool quoted) {
    builder.ipv4(tuple.v4[plan.side], tuple.v4[plan.side ^ 1U]);
    const bool extended = options_.layers && random_.chance(2);
    if (extended && random_.chance(50)) {
        builder.source_route({"10.200.0.1"}, random_.pick<std::uint8_t>({4, 8}));
    } else if (extended) {
        static constexpr std::array<std::uint8_t, 4> kNops{1, 1, 1, 1};
        builder.ip_options(kNops);
    }
    if (!quoted && options_.faults && random_.chance(1)) {
        builder.fragment(0, true);
    } else if (!quoted && options_.faults && random_.chance(1)) {
        add_length_fault(builder, false);
    }
    if (!extended && options_.layers && random_.chance(1)) {
        builder.authentication();
    }
}

void HostileTraffic::add_length_fault(PacketBuilder& builder, bool v6) {
    const std::uint16_t headers = v6 ? 20 : 40;
    switch (random_.below(5)) {
        case 0:
            builder.total_length(0);
            break;
        case 1:
            builder.total_length(static_cast<std::uint16_t>(random_.below(headers)));
            break;
        case 2:
            builder.total_length(headers);
            break;
        case 3:
            builder.total_length(static_cast<std::uint16_t>(headers + random_.between(1, 12)));
            break;
        default:
            builder.total_length(60'000);
            break;
    }
}

void HostileTraffic::add_tcp(PacketBuilder& builder, const Connection& connection,
                             const SegmentPlan& plan) {
    builder.tcp(connection.tuple.port[plan.side], connection.tuple.port[plan.side ^ 1U])
        .seq(plan.seq)
        .ack(plan.ack)
        .flag_bits(plan.flags)
        .window(plan.window);
    for (const std::uint8_t byte : plan.options) {
        builder.option_raw({byte});
    }
    if (options_.faults && plan.data_words) {
        builder.data_offset(*plan.data_words);
    }
    if (random_.chance(1)) {
        builder.set16(16, 0xDEAD);  // wrong checksum: no rule looks at it
    }
    builder.payload(plan.payload_bytes);
}

GeneratedFrame HostileTraffic::whole(PacketBuilder& builder, const SegmentPlan& plan) {
    if (random_.chance(3)) {
        builder.padding(random_.between(1, 20));
    }
    GeneratedFrame frame{plan.time, builder.build(), 0};
    frame.wire_bytes = static_cast<std::uint32_t>(frame.bytes.size());
    if (options_.faults && random_.chance(1)) {
        cut(frame, plan);
    } else if (plan.payload_bytes > 64 && frame.bytes.size() > plan.payload_bytes + 64 &&
               random_.chance(70)) {
        // Only headers are captured: lengths come from the IP header.
        frame.bytes.resize(frame.bytes.size() - plan.payload_bytes);
    }
    return frame;
}

// Somewhere in the last header bytes before the payload, or anywhere at all.
void HostileTraffic::cut(GeneratedFrame& frame, const SegmentPlan& plan) {
    const auto size = static_cast<std::uint32_t>(frame.bytes.size());
    const std::uint32_t headers = size - std::min(size, plan.payload_bytes);
    const std::uint32_t captured = random_.chance(80)
                                       ? headers - std::min(headers, random_.between(1, 40))
                                       : random_.below(size);
    frame.bytes.resize(captured);
}

}  // namespace tw::test
