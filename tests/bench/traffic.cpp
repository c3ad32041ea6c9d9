// SPDX-License-Identifier: BSD-3-Clause
#include "bench/traffic.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace tw::bench {
namespace {

constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kPshAck = 0x18;
constexpr std::uint8_t kAck = 0x10;
constexpr std::uint16_t kServerPort = 443;

// Ethernet, IPv4 (DF, TTL 64, TCP, 46 bytes), TCP with data offset 5 and window 512.
constexpr std::array<std::uint8_t, Traffic::kFrameBytes> kTemplate{
    0x02, 0,   0,   0,   0,   2,  0x02, 0, 0,  0, 0, 1, 0x08, 0x00,  // Ethernet
    0x45, 0,   0,   46,  0,   1,  0x40, 0, 64, 6, 0, 0, 0,    0,    0,    0, 0, 0, 0, 0,  // IPv4
    0,    0,   0,   0,   0,   0,  0,    0, 0,  0, 0, 0, 0x50, 0,    0x02, 0, 0, 0, 0, 0,  // TCP
    'a',  'b', 'c', 'd', 'e', 'f'};

struct Addresses {
    flow::AddressV4 client;
    flow::AddressV4 server;
    std::uint16_t client_port;
};

// A million clients of 10/8 to a few servers: what a data centre's uplink shows.
Addresses addresses_of(std::uint32_t flow_number) {
    const auto octet = [](std::uint32_t value) { return static_cast<std::uint8_t>(value & 0xFF); };
    return {{10, octet(flow_number >> 16), octet(flow_number >> 8), octet(flow_number)},
            {192, 0, 2, octet(flow_number % 16)},
            static_cast<std::uint16_t>(1024 + flow_number % 60000)};
}

void put16(std::uint8_t* at, std::uint16_t value) {
    at[0] = static_cast<std::uint8_t>(value >> 8);
    at[1] = static_cast<std::uint8_t>(value & 0xFF);
}

void put32(std::uint8_t* at, std::uint32_t value) {
    put16(at, static_cast<std::uint16_t>(value >> 16));
    put16(at + 2, static_cast<std::uint16_t>(value & 0xFFFF));
}

}  // namespace

Traffic::Traffic(std::uint32_t flows_count)
    : flows_(flows_count),
      bytes_(std::size_t{kBatch} * kStride, Backing::populated),
      flow_numbers_(kBatch),
      random_(4711) {
    for (std::uint32_t i = 0; i < flows_count; ++i) {
        flows_[i] = {{i * 2654435761U, i * 40503U}};
    }
}

void Traffic::write(std::uint32_t position, std::uint32_t flow_number, std::uint32_t side,
                    std::uint8_t flags) {
    const Addresses addresses = addresses_of(flow_number);
    Conversation& flow = flows_[flow_number];
    const std::uint32_t payload = flags == kPshAck ? kPayloadBytes : 0;
    std::uint8_t* const bytes = bytes_.data() + std::size_t{position} * kStride;
    std::memcpy(bytes, kTemplate.data(), kFrameBytes);
    std::uint8_t* const ip = bytes + 14;
    std::uint8_t* const tcp = ip + 20;
    put16(ip + 2, static_cast<std::uint16_t>(40 + payload));
    std::memcpy(ip + 12, side == 0 ? addresses.client.data() : addresses.server.data(), 4);
    std::memcpy(ip + 16, side == 0 ? addresses.server.data() : addresses.client.data(), 4);
    put16(tcp, side == 0 ? addresses.client_port : kServerPort);
    put16(tcp + 2, side == 0 ? kServerPort : addresses.client_port);
    put32(tcp + 4, flow.next_seq[side]);
    put32(tcp + 8, (flags & kAck) != 0 ? flow.next_seq[side ^ 1] : 0);
    tcp[13] = flags;
    flow.next_seq[side] += payload + ((flags & kSyn) != 0 ? 1 : 0);
    flow_numbers_[position] = flow_number;
}

std::uint32_t Traffic::next_handshakes() {
    const std::uint32_t count = std::min(kBatch / 3, flows_count() - handshakes_done_);
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t flow_number = handshakes_done_ + i;
        write(3 * i, flow_number, 0, kSyn);
        write(3 * i + 1, flow_number, 1, kSyn | kAck);
        write(3 * i + 2, flow_number, 0, kAck);
    }
    handshakes_done_ += count;
    batch_time_ = next_batch_time_;
    next_batch_time_ += 3 * count * kGap;
    return 3 * count;
}

void Traffic::next_batch() {
    for (std::uint32_t i = 0; i < kBatch; ++i) {
        write(i, random_.below(flows_count()), random_.below(2), kPshAck);
    }
    batch_time_ = next_batch_time_;
    next_batch_time_ += kBatch * kGap;
}

flow::KeyV4 Traffic::key(std::uint32_t flow_number) {
    const Addresses addresses = addresses_of(flow_number);
    flow::KeyV4 key;
    flow::canonical_key(addresses.client, addresses.client_port, addresses.server, kServerPort, 0,
                        key);
    return key;
}

}  // namespace tw::bench
