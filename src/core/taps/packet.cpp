// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/packet.hpp"

#include <algorithm>
#include <cstring>

#include "core/taps/digest.hpp"

namespace tw::taps {
namespace {

constexpr std::uint8_t kEnd = 0;
constexpr std::uint8_t kNop = 1;

std::uint32_t be32(const std::uint8_t* at) {
    std::uint32_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return __builtin_bswap32(value);
}

constexpr std::uint16_t with_kind(std::uint16_t order, std::uint8_t kind) {
    return static_cast<std::uint16_t>((order + 1U) * 31U + kind);
}

void read_sack(const std::uint8_t* option, Packet& out) {
    constexpr std::uint8_t kBlockBytes = 8;
    for (std::uint8_t at = 2; at + kBlockBytes <= option[1]; at += kBlockBytes) {
        if (out.sack_count < out.sack.size()) {
            out.sack[out.sack_count] = {be32(option + at), be32(option + at + 4)};
        }
        ++out.sack_count;
    }
}

// `option` is whole.
std::uint16_t read_option(const std::uint8_t* option, Packet& out) {
    const std::uint8_t bytes = option[1];
    switch (option[0]) {
        case 2:
            out.mss = bytes == 4 ? static_cast<std::uint16_t>(option[2] << 8 | option[3])
                                 : std::uint16_t{0};
            return option_bit::kMss;
        case 3:
            // Larger ones count as 14 (RFC 7323 section 2.3).
            out.window_scale = bytes == 3
                                   ? static_cast<std::int8_t>(std::min<std::uint8_t>(option[2], 14))
                                   : std::int8_t{-1};
            return option_bit::kWindowScale;
        case 4:
            return option_bit::kSackPermitted;
        case 5:
            read_sack(option, out);
            return option_bit::kSack;
        case 8:
            if (bytes != 10) {
                return option_bit::kOther;
            }
            out.tsval = be32(option + 2);
            out.tsecr = be32(option + 6);
            return option_bit::kTimestamps;
        case 34:
            return option_bit::kFastOpen;
        case 30:
            return option_bit::kMptcp;
        case 19:
        case 29:
            return option_bit::kMd5;
        default:
            return option_bit::kOther;
    }
}

// Broken options end the walk, as they do for the hosts.
void read_options(const decode::Segment& segment, Packet& out) {
    if (const tcp::Timestamps times = tcp::timestamps_alone(segment); times.present) {
        out.options = option_bit::kTimestamps;
        out.options_order = with_kind(0, 8);
        out.tsval = times.value;
        out.tsecr = times.echo;
        return;
    }
    const std::uint8_t* const options = segment.options;
    std::uint32_t at = 0;
    while (at < segment.options_bytes) {
        const std::uint8_t kind = options[at];
        if (kind == kEnd) {
            return;
        }
        if (kind == kNop) {
            ++at;
            continue;
        }
        const std::uint32_t left = segment.options_bytes - at;
        if (left < 2 || options[at + 1] < 2 || options[at + 1] > left) {
            out.header_complete = false;
            return;
        }
        out.options = static_cast<std::uint16_t>(out.options | read_option(options + at, out));
        out.options_order = with_kind(out.options_order, kind);
        at += options[at + 1];
    }
}

PacketKind kind_of(const decode::Decoded& found) {
    if (found.outcome == stats::Counter::decode_later_fragment) {
        return PacketKind::later_fragment;
    }
    if (found.outcome == stats::Counter::decode_tcp_cut || found.segment.quoted) {
        return PacketKind::icmp_error;
    }
    return found.segment.fragmented ? PacketKind::first_fragment : PacketKind::segment;
}

void read_icmp(const decode::Decoded& found, Packet& out) {
    out.icmp_type = found.icmp.type;
    out.icmp_code = found.icmp.code;
    out.icmp_mtu = found.icmp.mtu;
    out.icmp_source = found.icmp.source;
    out.quoted_cut = found.outcome != stats::Counter::decoded_segments;
}

void read_segment(const decode::Decoded& found, Packet& out) {
    const decode::Segment& segment = found.segment;
    out.ack = segment.ack;
    out.payload_bytes = segment.payload_bytes;
    out.window = segment.window;
    out.checksum = segment.checksum;
    out.flags = segment.flags;
    out.header_complete = segment.header_complete;
    if (segment.options_bytes != 0) {
        read_options(segment, out);
    }
    if (const auto digest = payload_digest(found)) {
        out.digest = *digest;
        out.digest_known = true;
    }
}

}  // namespace

void read_packet(const Frame& frame, const decode::Decoded& found, Side tap, Packet& out) {
    namespace word = decode::fragment_word;
    out = Packet{};
    out.time = frame.time;
    out.frame = frame.number;
    out.ip_bytes = found.ip_bytes;
    out.ip_id = found.ip_id;
    out.fragment_offset = static_cast<std::uint16_t>((found.fragment & word::kOffsetMask) * 8);
    out.ttl = found.ttl;
    out.tos = found.tos;
    out.kind = kind_of(found);
    out.tap = tap;
    out.sender = found.sender;
    out.v6 = found.v6;
    out.dont_fragment = (found.fragment & word::kDontFragment) != 0;
    out.more_fragments = (found.fragment & word::kMoreFragments) != 0;
    if (out.kind == PacketKind::later_fragment) {
        return;
    }
    out.seq = found.segment.seq;
    if (out.kind == PacketKind::icmp_error) {
        read_icmp(found, out);
    }
    if (!out.quoted_cut) {
        read_segment(found, out);
    }
}

}  // namespace tw::taps
