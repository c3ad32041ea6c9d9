// SPDX-License-Identifier: BSD-3-Clause
#include "generator/segment_frame.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "generator/script.hpp"

namespace tw::generator {
namespace {

constexpr std::size_t kEthernetBytes = 14;
constexpr std::size_t kIpv4Bytes = 20;
constexpr std::size_t kIpv6Bytes = 40;
constexpr std::size_t kTcpBytes = 20;
constexpr std::uint8_t kTcpProtocol = 6;
constexpr std::size_t kFrameBytesMin = 60;

// MSS 1436; NOP, window scale; NOP, NOP, SACK permitted.
constexpr std::array<std::uint8_t, 12> kSynOptions{2, 4, 0x05, 0x9C, 1, 3, 3, kWindowShift,
                                                   1, 1, 4,    2};

// What every frame of an IP version begins with. Addresses of clients and servers differ in their
// last four bytes only.
constexpr std::array<std::uint8_t, kHeaderRoom> kTemplateV4{
    2,    0, 0, 0, 0, 2, 2,    0, 0,  0,           0, 1, 0x08, 0x00,  // Ethernet
    0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, kTcpProtocol};                  // IPv4, do not fragment
constexpr std::array<std::uint8_t, kHeaderRoom> kTemplateV6{
    2,    0,    0,    0,    0,    2,    2,
    0,    0,    0,    0,    1,    0x86, 0xDD,  // Ethernet
    0x60, 0,    0,    0,    0,    0,    kTcpProtocol,
    64,  // IPv6
    0x20, 0x01, 0x0D, 0xB8, 0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0x20, 0x01, 0x0D, 0xB8, 0,
    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0,    0};

void put16(std::uint8_t* at, std::uint32_t value) {
    const std::uint16_t swapped = __builtin_bswap16(static_cast<std::uint16_t>(value));
    std::memcpy(at, &swapped, sizeof swapped);
}

void put32(std::uint8_t* at, std::uint32_t value) {
    const std::uint32_t swapped = __builtin_bswap32(value);
    std::memcpy(at, &swapped, sizeof swapped);
}

// The sum of the two halves, to be folded later.
constexpr std::uint64_t halves(std::uint32_t value) {
    return (value >> 16) + (value & 0xFFFF);
}

constexpr std::uint32_t folded(std::uint64_t sum) {
    sum = (sum >> 32) + (sum & 0xFFFF'FFFF);
    sum = (sum >> 16) + (sum & 0xFFFF);
    sum = (sum >> 16) + (sum & 0xFFFF);
    return static_cast<std::uint32_t>((sum >> 16) + (sum & 0xFFFF)) ^ 0xFFFF;
}

constexpr std::uint64_t sum_of(const auto& bytes, std::size_t begin, std::size_t end) {
    std::uint64_t sum = 0;
    for (std::size_t i = begin; i < end; i += 2) {
        sum += static_cast<std::uint64_t>(bytes[i]) << 8 | bytes[i + 1];
    }
    return sum;
}

constexpr std::uint64_t kIpv4Sum = sum_of(kTemplateV4, 14, 34);
constexpr std::uint64_t kSynOptionsSum = sum_of(kSynOptions, 0, kSynOptions.size());
// Both addresses of IPv6 without their last four bytes.
constexpr std::uint64_t kIpv6PrefixSum = sum_of(kTemplateV6, 22, 54);

}  // namespace

std::uint16_t write(const SegmentFrame& frame, std::uint8_t* at) {
    std::memcpy(at, frame.v6 ? kTemplateV6.data() : kTemplateV4.data(), kHeaderRoom);
    const std::size_t header_bytes = kTcpBytes + (frame.syn_options ? kSynOptions.size() : 0);
    const auto tcp_bytes = static_cast<std::uint32_t>(header_bytes + frame.payload_bytes);
    const std::uint64_t addresses =
        halves(frame.source.address) + halves(frame.destination.address);
    std::uint8_t* const ip = at + kEthernetBytes;
    std::uint8_t* const tcp = ip + (frame.v6 ? kIpv6Bytes : kIpv4Bytes);
    std::uint64_t sum = addresses + kTcpProtocol + tcp_bytes;  // the pseudo header
    if (frame.v6) {
        put16(ip + 4, tcp_bytes);
        put32(ip + 20, frame.source.address);
        put32(ip + 36, frame.destination.address);
        sum += kIpv6PrefixSum;
    } else {
        const auto total = static_cast<std::uint32_t>(tcp_bytes + kIpv4Bytes);
        put16(ip + 2, total);
        put16(ip + 4, frame.ip_id);
        put16(ip + 10, folded(kIpv4Sum + total + frame.ip_id + addresses));
        put32(ip + 12, frame.source.address);
        put32(ip + 16, frame.destination.address);
    }
    const auto offset_and_flags =
        static_cast<std::uint32_t>(header_bytes / 4 << 12) | frame.tcp_flags;
    put16(tcp, frame.source.port);
    put16(tcp + 2, frame.destination.port);
    put32(tcp + 4, frame.seq);
    put32(tcp + 8, frame.ack);
    put16(tcp + 12, offset_and_flags);
    put16(tcp + 14, frame.window);
    sum += std::uint64_t{frame.source.port} + frame.destination.port + halves(frame.seq) +
           halves(frame.ack) + offset_and_flags + frame.window;
    if (frame.syn_options) {
        std::memcpy(tcp + kTcpBytes, kSynOptions.data(), kSynOptions.size());
        sum += kSynOptionsSum;
    }
    put16(tcp + 16, folded(sum));
    const auto bytes = static_cast<std::size_t>(tcp - at) + tcp_bytes;
    return static_cast<std::uint16_t>(std::max(bytes, kFrameBytesMin));
}

}  // namespace tw::generator
