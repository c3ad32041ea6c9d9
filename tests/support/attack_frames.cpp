// SPDX-License-Identifier: BSD-3-Clause
#include "support/attack_frames.hpp"

#include <memory>

#include "support/random.hpp"

namespace tw::test {
namespace {

// Ethernet and IPv4 without options.
constexpr std::size_t kTtlAt = 14 + 8;
constexpr std::size_t kSourceAt = 14 + 12;
constexpr std::size_t kTcpAt = 14 + 20;
constexpr std::uint32_t kClient = 0x0A00'0000;  // 10.0.0.0 and what follows
constexpr std::uint32_t kServer = 0xC000'0201;  // 192.0.2.1
constexpr std::uint32_t kClientPort = 40000;
constexpr std::uint32_t kServerPort = 443;

void put32(Bytes& frame, std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) {
        frame[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    }
}

Bytes segment(std::string_view flags, std::size_t payload,
              const std::function<void(PacketBuilder&)>& options = {}) {
    PacketBuilder builder;
    builder.ethernet().ipv4("10.0.0.0", "192.0.2.1").tcp(kClientPort, kServerPort);
    builder.flags(flags).ack(1);
    if (options) {
        options(builder);
    }
    return builder.payload(payload).build();
}

// Frame `number` is of this client; an answer goes the other way.
void address(Bytes& frame, std::uint32_t number, bool answer = false) {
    const std::uint32_t client = kClient + number % kAttackClients;
    put32(frame, kSourceAt, answer ? kServer : client);
    put32(frame, kSourceAt + 4, answer ? client : kServer);
    put32(frame, kTcpAt,
          answer ? kServerPort << 16 | kClientPort : kClientPort << 16 | kServerPort);
}

}  // namespace

FrameMaker calm_traffic() {
    return {"calm", segment("A", 1), [](Bytes& frame, std::uint32_t number) {
                address(frame, number);
                put32(frame, kTcpAt + 4, 1 + number / kAttackClients);
            }};
}

FrameMaker holes_only() {
    return {"nothing but holes", segment("A", 1), [](Bytes& frame, std::uint32_t number) {
                address(frame, number);
                put32(frame, kTcpAt + 4, 1 + number / kAttackClients * 2);
            }};
}

FrameMaker one_byte_overlaps() {
    return {"overlaps of one byte", segment("A", 2), [](Bytes& frame, std::uint32_t number) {
                address(frame, number);
                put32(frame, kTcpAt + 4, 1 + number / kAttackClients);
            }};
}

FrameMaker sack_garbage() {
    const Bytes pattern = segment("A", 0, [](PacketBuilder& builder) {
        builder.option_nop().option_nop().option_sack({{1, 2}, {3, 4}, {5, 6}, {7, 8}});
    });
    const auto random = std::make_shared<Random>(5);
    return {"SACK garbage", pattern, [random](Bytes& frame, std::uint32_t number) {
                const bool answer = number % 2 != 0;
                const std::uint32_t high = number / 2 / kAttackClients * 10;
                address(frame, number / 2, answer);
                put32(frame, kTcpAt + 4, answer ? 1 : 1 + high + random->below(50));
                put32(frame, kTcpAt + 8, answer ? 1 + random->below(high + 1) : 1);
                for (std::size_t edge = 0; edge < 8; ++edge) {
                    put32(frame, kTcpAt + 24 + 4 * edge, 1 + random->below(high + 100));
                }
                // A FIN takes a number without needing a payload.
                frame[kTcpAt + 13] = answer ? 0x10 : 0x11;
            }};
}

FrameMaker syns_again() {
    return {"SYNs again from new clients", segment("S", 0), [](Bytes& frame, std::uint32_t number) {
                // Each of a group asks, and asks again 20 ms later, before the next group comes.
                constexpr std::uint32_t kGroup = 20'000;
                put32(frame, kSourceAt, kClient + number / (2 * kGroup) * kGroup + number % kGroup);
            }};
}

FrameMaker contradicted_resets() {
    return {"contradicted resets", segment("A", 1), [](Bytes& frame, std::uint32_t number) {
                const std::uint32_t round = number / kAttackClients;
                const bool reset = round % 4 == 3;
                address(frame, number);
                put32(frame, kTcpAt + 4, 1 + round);
                frame[kTcpAt + 13] = reset ? 0x04 : 0x10;
                frame[kTtlAt] = reset ? 50 : 64;
            }};
}

FrameMaker shut_windows() {
    return {"shut windows", segment("A", 0), [](Bytes& frame, std::uint32_t number) {
                const std::uint32_t round = number / kAttackClients;
                const bool answer = round % 2 != 0;
                address(frame, number, answer);
                put32(frame, kTcpAt + 4, 1);
                frame[kTcpAt + 14] = answer && round % 4 == 1 ? 0 : 1;
                frame[kTcpAt + 15] = 0;
            }};
}

}  // namespace tw::test
