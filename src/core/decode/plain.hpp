// SPDX-License-Identifier: BSD-3-Clause
// Ethernet, IPv4 without options, TCP, whole: what most frames are, read at fixed places. The walk
// from header to header (core/decode/walk) finds the same in them; plain_test holds the two against
// each other.
#pragma once

#include "core/decode/walk.hpp"

namespace tw::decode {

// False, and nothing said, of any other frame.
//  0         6       12     14         34
//  | dst MAC | src MAC | 0800 | 45 … 06 … | TCP header | payload | padding
[[nodiscard]] inline bool decode_plain(const Frame& frame, stats::Counters& counters,
                                       Decoded& out) {
    constexpr std::uint32_t kIp = 14;
    constexpr std::uint32_t kTcp = kIp + 20;
    constexpr std::uint32_t kHeaders = kTcp + 20;
    constexpr std::uint16_t kIpv4 = 0x0800;
    constexpr std::uint8_t kVersionAndLength = 0x45;
    constexpr std::uint8_t kTcpProtocol = 6;
    constexpr std::uint16_t kFragmented =
        fragment_word::kMoreFragments | fragment_word::kOffsetMask;
    const ByteReader reader(frame.data, frame.captured_bytes, frame.wire_bytes);
    if (!reader.has(kHeaders) || reader.be16(12) != kIpv4 || reader.u8(kIp) != kVersionAndLength ||
        reader.u8(kIp + 9) != kTcpProtocol) {
        return false;
    }
    const std::uint32_t total_bytes = reader.be16(kIp + 2);
    const std::uint16_t fragment = reader.be16(kIp + 6);
    const std::uint32_t data_words = reader.u8(kTcp + 12) >> 4;
    const std::uint32_t headers = 20 + 4 * data_words;
    if ((fragment & kFragmented) != 0 || data_words < 5 || headers > total_bytes ||
        total_bytes - headers > kWirePayloadMax || kIp + total_bytes > reader.wire_bytes() ||
        !reader.has(kIp + headers)) {
        return false;
    }
    out.outcome = Counter::decoded_segments;
    out.v6 = false;
    out.ttl = reader.u8(kIp + 8);
    out.tos = reader.u8(kIp + 1);
    out.layers = 2;
    out.ip_id = reader.be16(kIp + 4);
    out.ip_bytes = static_cast<std::uint16_t>(total_bytes);
    out.fragment = fragment;
    const std::uint32_t options_bytes = headers - 40;
    out.segment = {
        .seq = reader.be32(kTcp + 4),
        .ack = reader.be32(kTcp + 8),
        .payload_bytes = total_bytes - headers,
        .window = reader.be16(kTcp + 14),
        .checksum = reader.be16(kTcp + 16),
        .flags = reader.u8(kTcp + 13),
        .data_words = static_cast<std::uint8_t>(data_words),
        .payload_known = true,
        .header_complete = true,
        .options_bytes = static_cast<std::uint8_t>(options_bytes),
        .options = options_bytes != 0 ? reader.bytes(kHeaders, options_bytes) : nullptr,
        .header = reader.bytes(kTcp, 20),
    };
    flow::AddressV4 source;
    flow::AddressV4 destination;
    std::memcpy(source.data(), reader.bytes(kIp + 12, 4), 4);
    std::memcpy(destination.data(), reader.bytes(kIp + 16, 4), 4);
    // Without a tag or tunnel the tap's options add nothing to the key.
    out.sender = flow::canonical_key(source, reader.be16(kTcp), destination, reader.be16(kTcp + 2),
                                     0, out.key.v4);
    counters.add(Counter::decoded_segments);
    if (frame.captured_bytes < frame.wire_bytes) [[unlikely]] {
        counters.add(Counter::sliced_frames);
    }
    return true;
}

}  // namespace tw::decode
