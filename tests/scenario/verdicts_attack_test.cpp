// SPDX-License-Identifier: BSD-3-Clause
// Traffic made to be expensive to judge: nothing but holes, one-byte overlaps, SACK garbage, SYNs
// again from a million clients, resets and shut windows in every connection. Memory stays where it
// is, limits that are reached are counted, and what is told stays in proportion to the frames.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string_view>

#include "support/flat_memory.hpp"
#include "support/packet_builder.hpp"
#include "support/random.hpp"

namespace tw {
namespace {

using stats::Counter;
using test::Bytes;
using test::CountingMonitor;
using test::PacketBuilder;

#ifdef NDEBUG
constexpr std::uint32_t kFrames = 1'500'000;
#else
constexpr std::uint32_t kFrames = 60'000;  // sanitizer builds
#endif

// Ethernet and IPv4 without options.
constexpr std::size_t kSourceAt = 14 + 12;
constexpr std::size_t kTcpAt = 14 + 20;

void put32(Bytes& frame, std::size_t at, std::uint32_t value) {
    for (std::size_t i = 0; i < 4; ++i) {
        frame[at + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    }
}

Bytes segment(std::string_view flags, std::size_t payload,
              const std::function<void(PacketBuilder&)>& options = {}) {
    PacketBuilder builder;
    builder.ethernet().ipv4("10.0.0.0", "192.0.2.1").tcp(40000, 443).flags(flags).ack(1);
    if (options) {
        options(builder);
    }
    return builder.payload(payload).build();
}

// Feeds kFrames frames, 1 us apart, and watches memory from the fifth part on. `prepare` makes
// frame `number` in place.
void expect_flat(CountingMonitor& monitor, const Bytes& pattern,
                 const std::function<void(Bytes&, std::uint32_t number)>& prepare) {
    std::array<Bytes, kBurstMax> bytes;
    std::array<Frame, kBurstMax> frames;
    bytes.fill(pattern);
    std::size_t settled = 0;
    for (std::uint32_t sent = 0; sent < kFrames; sent += kBurstMax) {
        for (std::uint32_t i = 0; i < kBurstMax; ++i) {
            prepare(bytes[i], sent + i);
            frames[i] = test::frame_of(bytes[i], kSecond + Nanos{sent + i} * kMicrosecond);
        }
        monitor.feed(frames);
        if (sent == kFrames / 5 / kBurstMax * kBurstMax) {
            settled = test::resident_bytes();
        }
    }
    EXPECT_LT(test::resident_bytes(), settled + test::kMemorySlack);
    EXPECT_EQ(monitor.counters.get(Counter::decoded_segments), kFrames);
    // An episode needs a segment of its own; what a connection holds when it ends is bounded.
    EXPECT_LE(monitor.events, 2 * std::uint64_t{kFrames});
}

// A connection each for 64 frames in turn: the round in which frame `number` is.
constexpr std::uint32_t kClients = 1024;
std::uint32_t client_of(std::uint32_t number) {
    return 0x0A00'0000U + number % kClients;
}

TEST(VerdictsAttack, traffic_made_of_holes_stays_flat) {
    CountingMonitor monitor(test::small_live_table());
    expect_flat(monitor, segment("A", 1), [](Bytes& frame, std::uint32_t number) {
        put32(frame, kSourceAt, client_of(number));
        put32(frame, kTcpAt + 4, 1 + number / kClients * 2);
    });
    EXPECT_GT(monitor.counters.get(Counter::holes_exhausted), kFrames / 2);
    EXPECT_GT(monitor.events, kFrames / 2);
}

TEST(VerdictsAttack, overlaps_of_one_byte_stay_flat) {
    CountingMonitor monitor(test::small_live_table());
    expect_flat(monitor, segment("A", 2), [](Bytes& frame, std::uint32_t number) {
        put32(frame, kSourceAt, client_of(number));
        put32(frame, kTcpAt + 4, 1 + number / kClients);
    });
    // All of one connection's are one run of repeats, told once.
    monitor.finish();
    EXPECT_GT(monitor.events, 0U);
    EXPECT_LE(monitor.events, kClients);
}

// Data with holes from the client; every second frame acknowledges random pieces of it.
TEST(VerdictsAttack, sack_garbage_stays_flat) {
    CountingMonitor monitor(test::small_live_table());
    test::Random random(5);
    const Bytes pattern = segment("A", 0, [](PacketBuilder& builder) {
        builder.option_nop().option_nop().option_sack({{1, 2}, {3, 4}, {5, 6}, {7, 8}});
    });
    expect_flat(monitor, pattern, [&](Bytes& frame, std::uint32_t number) {
        // Odd frames come from the other end: addresses and ports change places.
        const bool answer = number % 2 != 0;
        const std::uint32_t client = client_of(number / 2);
        const std::uint32_t high = number / 2 / kClients * 10;
        put32(frame, kSourceAt, answer ? 0xC000'0201U : client);
        put32(frame, kSourceAt + 4, answer ? client : 0xC000'0201U);
        put32(frame, kTcpAt, answer ? 443U << 16 | 40000U : 40000U << 16 | 443U);
        put32(frame, kTcpAt + 4, answer ? 1 : 1 + high + random.below(50));
        put32(frame, kTcpAt + 8, answer ? 1 + random.below(high + 1) : 1);
        for (std::size_t edge = 0; edge < 8; ++edge) {
            put32(frame, kTcpAt + 24 + 4 * edge, 1 + random.below(high + 100));
        }
        // A FIN takes a number without needing a payload.
        frame[kTcpAt + 13] = answer ? 0x10 : 0x11;
    });
}

TEST(VerdictsAttack, syns_again_from_a_million_clients_stay_flat_and_are_counted) {
    CountingMonitor monitor(test::small_live_table());
    const Bytes pattern = segment("S", 0);
    expect_flat(monitor, pattern, [](Bytes& frame, std::uint32_t number) {
        // Each of 20,000 clients asks, and asks again 20 ms later, before the next ones come.
        constexpr std::uint32_t kGroup = 20'000;
        put32(frame, kSourceAt, 0x0A00'0000U + number / (2 * kGroup) * kGroup + number % kGroup);
    });
    const auto& counters = monitor.counters;
    // At most 1024 in 10 s are told; the others have a counter, or found no room to be watched.
    EXPECT_LE(monitor.events, 1024U);
    EXPECT_GT(
        counters.get(Counter::events_withheld_handshake) + counters.get(Counter::details_exhausted),
        kFrames / 100);
}

TEST(VerdictsAttack, resets_that_are_contradicted_stay_flat) {
    CountingMonitor monitor(test::small_live_table());
    expect_flat(monitor, segment("A", 1), [](Bytes& frame, std::uint32_t number) {
        const std::uint32_t round = number / kClients;
        put32(frame, kSourceAt, client_of(number));
        put32(frame, kTcpAt + 4, 1 + round);
        frame[kTcpAt + 13] = round % 4 == 3 ? 0x04 : 0x10;
        frame[14 + 8] = round % 4 == 3 ? 50 : 64;
    });
    EXPECT_EQ(monitor.counters.get(Counter::details_exhausted), 0U);
    EXPECT_GT(monitor.events, 0U);
}

TEST(VerdictsAttack, windows_that_shut_all_the_time_stay_flat) {
    CountingMonitor monitor(test::small_live_table());
    expect_flat(monitor, segment("A", 0), [](Bytes& frame, std::uint32_t number) {
        const std::uint32_t round = number / kClients;
        const bool answer = round % 2 != 0;
        const std::uint32_t client = client_of(number);
        put32(frame, kSourceAt, answer ? 0xC000'0201U : client);
        put32(frame, kSourceAt + 4, answer ? client : 0xC000'0201U);
        put32(frame, kTcpAt, answer ? 443U << 16 | 40000U : 40000U << 16 | 443U);
        put32(frame, kTcpAt + 4, 1);
        frame[kTcpAt + 14] = answer && round % 4 == 1 ? 0 : 1;
        frame[kTcpAt + 15] = 0;
    });
    EXPECT_EQ(monitor.counters.get(Counter::details_exhausted), 0U);
}

}  // namespace
}  // namespace tw
