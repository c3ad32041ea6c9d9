// SPDX-License-Identifier: BSD-3-Clause
#include "bench/decode_frames.hpp"

#include <utility>

#include "base/check.hpp"
#include "core/decode/decode.hpp"

namespace tw::bench {

using test::PacketBuilder;

DecodeFrames::DecodeFrames(std::string name, PacketBuilder (*build)()) : name_(std::move(name)) {
    for (std::uint32_t i = 0; i < kFrames; ++i) {
        bytes_.push_back(build()
                             .tcp(static_cast<std::uint16_t>(1024 + i), 443)
                             .seq(i * 1000)
                             .ack(i)
                             .payload(6)
                             .build());
    }
    for (const test::Bytes& bytes : bytes_) {
        Frame frame;
        frame.data = bytes.data();
        frame.captured_bytes = frame.wire_bytes = static_cast<std::uint32_t>(bytes.size());
        frames_.push_back(frame);
    }
}

void DecodeFrames::run(std::uint32_t rounds) const {
    stats::Counters counters;
    decode::Decoded decoded;
    std::uint32_t segments = 0;
    for (std::uint32_t round = 0; round < rounds; ++round) {
        for (const Frame& frame : frames_) {
            decode::decode(frame, options_, counters, decoded);
            segments += decoded.outcome == stats::Counter::decoded_segments ? 1 : 0;
        }
    }
    TW_CHECK(segments == rounds * kFrames);
}

std::vector<DecodeFrames> decode_variants() {
    std::vector<DecodeFrames> variants;
    variants.emplace_back("Ethernet/IPv4/TCP", []() -> PacketBuilder {
        return PacketBuilder().ethernet().ipv4("10.0.0.1", "192.0.2.1");
    });
    variants.emplace_back("VLAN/IPv4/TCP", []() -> PacketBuilder {
        return PacketBuilder().ethernet().vlan(5).ipv4("10.0.0.1", "192.0.2.1");
    });
    variants.emplace_back("IPv6/TCP", []() -> PacketBuilder {
        return PacketBuilder().ethernet().ipv6("2001:db8::1", "2001:db8::2");
    });
    variants.emplace_back("IPv4/VXLAN/Ethernet/IPv4/TCP", []() -> PacketBuilder {
        return PacketBuilder()
            .ethernet()
            .ipv4("172.16.0.1", "172.16.0.2")
            .vxlan(7)
            .ethernet()
            .ipv4("10.0.0.1", "192.0.2.1");
    });
    return variants;
}

}  // namespace tw::bench
