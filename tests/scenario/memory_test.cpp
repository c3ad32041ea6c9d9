// SPDX-License-Identifier: BSD-3-Clause
// Traffic cannot make memory grow: once the table is full, resident memory stays where it is, and
// what gave way is counted to the last connection.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "support/flat_memory.hpp"
#include "support/packet_builder.hpp"

namespace tw {
namespace {

using stats::Counter;
using test::Bytes;

using test::kMemorySlack;
using test::resident_bytes;
using test::small_live_table;
using Monitor = test::CountingMonitor;

Frame frame_of(const Bytes& bytes, Nanos time) {
    Frame frame;
    frame.data = bytes.data();
    frame.captured_bytes = frame.wire_bytes = static_cast<std::uint32_t>(bytes.size());
    frame.time = time;
    return frame;
}

// Ethernet and IPv4 without options: where the source address of a builder-made frame is.
constexpr std::size_t kSourceAt = 14 + 12;

void set_source(Bytes& frame, std::uint32_t address) {
    for (std::size_t i = 0; i < 4; ++i) {
        frame[kSourceAt + i] = static_cast<std::uint8_t>(address >> (24 - 8 * i));
    }
}

TEST(Memory, syn_flood_of_ten_million_tuples_stays_flat_and_is_counted) {
#ifdef NDEBUG
    constexpr std::uint32_t kTuples = 10'000'000;
#else
    constexpr std::uint32_t kTuples = 500'000;  // sanitizer builds: the same claim, fewer tuples
#endif
    Monitor monitor(small_live_table());
    std::array<Bytes, kBurstMax> bytes;
    std::array<Frame, kBurstMax> frames;
    bytes.fill(test::PacketBuilder()
                   .ethernet()
                   .ipv4("10.0.0.0", "192.0.2.1")
                   .tcp(40000, 443)
                   .flags("S")
                   .build());
    std::size_t settled = 0;
    for (std::uint32_t sent = 0; sent < kTuples; sent += kBurstMax) {
        for (std::uint32_t i = 0; i < kBurstMax; ++i) {
            set_source(bytes[i], 0x0A000000U + sent + i);
            frames[i] = frame_of(bytes[i], kSecond + sent * 10);  // 100 Mpps: nothing ages out
        }
        monitor.feed(frames);
        if (sent == kTuples / 5 / kBurstMax * kBurstMax) {
            settled = resident_bytes();
        }
    }
    EXPECT_LT(resident_bytes(), settled + kMemorySlack);
    EXPECT_EQ(monitor.live(), 50'000U);
    const auto& counters = monitor.counters;
    EXPECT_EQ(counters.get(Counter::flows_created) + counters.get(Counter::flows_refused), kTuples);
    EXPECT_EQ(counters.get(Counter::flows_created),
              monitor.live() + counters.get(Counter::flows_evicted_embryonic) +
                  counters.get(Counter::flows_expired));
    EXPECT_EQ(monitor.records + monitor.live(), counters.get(Counter::flows_created));
    EXPECT_EQ(counters.get(Counter::flows_evicted_established), 0U);
}

// Conversations with a hole and a repeat each, so that every kind of record is taken and given
// back.
TEST(Memory, capture_replayed_with_changing_addresses_stays_flat) {
    const auto client = [](std::uint32_t seq, std::uint32_t ack, const char* flags, std::size_t n) {
        test::PacketBuilder packet;
        packet.ethernet().ipv4("10.0.0.1", "192.0.2.1").tcp(40000, 443);
        return packet.seq(seq).ack(ack).flags(flags).payload(n).build();
    };
    std::vector<Bytes> capture{client(0, 0, "S", 0),     client(1, 1, "A", 100),
                               client(301, 1, "A", 100), client(1, 1, "A", 100),
                               client(401, 1, "A", 50),  client(451, 1, "FA", 0)};
    Monitor monitor(small_live_table());
#ifdef NDEBUG
    constexpr std::uint32_t kReplays = 1000;
#else
    constexpr std::uint32_t kReplays = 200;
#endif
    constexpr std::uint32_t kClients = 400;  // connections per replay, 400,000 in all
    // Reused: what the test itself allocates must not look like growth, least of all under ASan.
    std::vector<Frame> frames(capture.size());
    std::size_t settled = 0;
    for (std::uint32_t replay = 0; replay < kReplays; ++replay) {
        for (std::uint32_t peer = 0; peer < kClients; ++peer) {
            for (std::size_t i = 0; i < capture.size(); ++i) {
                set_source(capture[i], 0x0A000000U + replay * kClients + peer);
                frames[i] = frame_of(capture[i], kSecond + replay * 100 * kMillisecond);
            }
            monitor.feed(frames);
        }
        if (replay == kReplays / 5 * 4) {
            settled = resident_bytes();
        }
    }
    EXPECT_LT(resident_bytes(), settled + kMemorySlack);
    const auto& counters = monitor.counters;
    EXPECT_EQ(counters.get(Counter::frames), std::uint64_t{kReplays} * kClients * capture.size());
    EXPECT_EQ(counters.get(Counter::flows_created), std::uint64_t{kReplays} * kClients);
    EXPECT_EQ(monitor.records + monitor.live(), counters.get(Counter::flows_created));
    EXPECT_EQ(counters.get(Counter::events_dropped), 0U);
    // Each closed connection had one hole and one repeat, unless a pool was empty: then that is
    // said.
    EXPECT_LE(monitor.events, 2 * monitor.records);
    if (counters.get(Counter::details_exhausted) == 0) {
        EXPECT_EQ(monitor.events, 2 * monitor.records);
    }
}

}  // namespace
}  // namespace tw
