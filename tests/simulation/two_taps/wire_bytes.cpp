// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/wire_bytes.hpp"

#include <algorithm>

#include "simulation/frame_bytes.hpp"
#include "support/packet_builder.hpp"

namespace tw::sim::two_taps {
namespace {

using test::Bytes;
using test::PacketBuilder;

constexpr std::size_t kFrameBytesMin = 60;
constexpr std::size_t kQuotedBytesV4 = 20 + 8;  // RFC 792: header and 64 bits

struct IpFields {
    std::uint8_t ttl = 64;
    std::uint8_t tos = 0;
    std::uint16_t id = 0;
    bool dont_fragment = false;
};

void put_ip(PacketBuilder& out, const flow::Endpoint& source, const flow::Endpoint& destination,
            const IpFields& fields) {
    if (source.v6) {
        out.ipv6(source.address, destination.address).ttl(fields.ttl);
        out.set16(0, 0x6000U | static_cast<std::uint16_t>(fields.tos << 4));
        return;
    }
    test::Ipv4Bytes from{};
    test::Ipv4Bytes to{};
    std::copy_n(source.address.begin(), from.size(), from.begin());
    std::copy_n(destination.address.begin(), to.size(), to.begin());
    out.ipv4(from, to).ttl(fields.ttl).ip_id(fields.id).set8(1, fields.tos);
    out.set16(6, fields.dont_fragment ? 0x4000 : 0);
}

void put_tcp_options(PacketBuilder& out, const Wire& wire) {
    const WireOptions& options = wire.options;
    if (options.mss != 0) {
        out.option_mss(options.mss);
    }
    if (options.sack_permitted) {
        out.option_sack_permitted();
    }
    if (options.scale >= 0) {
        out.option_wscale(static_cast<std::uint8_t>(options.scale));
    }
    if (options.timestamps) {
        if (!wire.syn()) {
            out.option_nop().option_nop();
        }
        out.option_timestamps(options.ts_value, options.ts_echo);
    }
    if (options.sack_count != 0) {
        Bytes blocks;
        for (std::size_t i = 0; i < options.sack_count; ++i) {
            for (const std::uint32_t edge : options.sack[i]) {
                for (int shift = 24; shift >= 0; shift -= 8) {
                    blocks.push_back(static_cast<std::uint8_t>(edge >> shift));
                }
            }
        }
        out.option_nop().option_nop().option(5, blocks);
    }
    for (std::uint8_t i = 0; i < options.nops; ++i) {
        out.option_nop();
    }
}

Bytes payload_of(const Wire& wire) {
    Bytes bytes;
    const Position begin = wire.span.begin + (wire.syn() ? 1 : 0);
    append_stream(bytes, wire.connection, wire.from, {begin, begin + wire.stream_bytes()});
    if (wire.inserted != 0) {
        bytes.insert(bytes.begin() + 1, wire.inserted, std::uint8_t{'+'});
    }
    if (wire.flip != 0) {
        bytes[wire.flip_at % bytes.size()] ^= wire.flip;
    }
    return bytes;
}

void put_tcp(PacketBuilder& out, const Wire& wire, const Bytes& payload) {
    put_ip(
        out, wire.source, wire.destination,
        {.ttl = wire.ttl, .tos = wire.tos, .id = wire.ip_id, .dont_fragment = wire.dont_fragment});
    out.tcp(wire.source.port, wire.destination.port)
        .seq(wire.seq)
        .ack(wire.ack)
        .flag_bits(wire.flags)
        .window(wire.window);
    put_tcp_options(out, wire);
    if (!payload.empty()) {
        out.payload(payload);
    }
}

// The checksum of the segment before its payload was altered.
void break_checksum(Bytes& frame, const Wire& wire, const FrameStyle& style) {
    Wire whole = wire;
    whole.bad_checksum = false;
    whole.flip = 0;
    const Bytes good = wire_bytes(whole, style);
    const std::size_t at = 14U + (style.vlan != 0 ? 4U : 0U) + (wire.source.v6 ? 40U : 20U) + 16U;
    frame[at] = good[at];
    frame[at + 1] = good[at + 1];
}

}  // namespace

std::vector<std::uint8_t> wire_bytes(const Wire& wire, const FrameStyle& style) {
    PacketBuilder out;
    out.ethernet();
    if (style.vlan != 0) {
        out.vlan(style.vlan);
    }
    Wire shown = wire;
    shown.ttl = static_cast<std::uint8_t>(wire.ttl - (style.ttl_less ? 1 : 0));
    if (wire.kind == WireKind::icmp_error) {
        put_ip(out, wire.icmp_source, wire.source, {.ttl = 64});
        if (wire.source.v6) {
            out.icmpv6_error(wire.icmp_type, wire.icmp_code);
        } else {
            out.icmp_error(wire.icmp_type, wire.icmp_code, kQuotedBytesV4);
        }
        if (wire.icmp_mtu != 0) {
            out.set16(6, wire.icmp_mtu);
        }
    }
    put_tcp(out, shown, payload_of(wire));
    Bytes frame = out.build();
    if (frame.size() < kFrameBytesMin) {
        frame.resize(kFrameBytesMin);
    }
    if (wire.bad_checksum && wire.kind == WireKind::segment) {
        break_checksum(frame, wire, style);
    }
    return frame;
}

}  // namespace tw::sim::two_taps
