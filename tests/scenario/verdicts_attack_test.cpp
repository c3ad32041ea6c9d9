// SPDX-License-Identifier: BSD-3-Clause
// Traffic made to be expensive to judge: nothing but holes, one-byte overlaps, SACK garbage, SYNs
// again from a million clients, resets and shut windows in every connection. Memory stays where it
// is, limits that are reached are counted, and what is told stays in proportion to the frames.
#include <gtest/gtest.h>

#include <array>

#include "support/attack_frames.hpp"
#include "support/flat_memory.hpp"

namespace tw {
namespace {

using stats::Counter;
using test::Bytes;
using test::CountingMonitor;

#ifdef NDEBUG
constexpr std::uint32_t kFrames = 1'500'000;
#else
constexpr std::uint32_t kFrames = 300'000;  // sanitizer builds; a fifth of it fills the tables
#endif

// Feeds kFrames frames, 1 us apart, and watches memory from the fifth part on.
void expect_flat(CountingMonitor& monitor, const test::FrameMaker& attack) {
    std::array<Bytes, kBurstMax> bytes;
    std::array<Frame, kBurstMax> frames;
    bytes.fill(attack.pattern);
    std::size_t settled = 0;
    for (std::uint32_t sent = 0; sent < kFrames; sent += kBurstMax) {
        for (std::uint32_t i = 0; i < kBurstMax; ++i) {
            attack.prepare(bytes[i], sent + i);
            frames[i] = test::frame_of(bytes[i], kSecond + Nanos{sent + i} * kMicrosecond);
        }
        monitor.feed(frames);
        if (sent == kFrames / 5 / kBurstMax * kBurstMax) {
            settled = test::resident_bytes();
        }
    }
    EXPECT_LT(test::resident_bytes(), settled + test::kMemorySlack) << attack.name;
    EXPECT_EQ(monitor.counters.get(Counter::decoded_segments), kFrames) << attack.name;
    // An episode needs a segment of its own; what a connection holds when it ends is bounded.
    EXPECT_LE(monitor.events, 2 * std::uint64_t{kFrames}) << attack.name;
}

TEST(VerdictsAttack, traffic_made_of_holes_stays_flat) {
    CountingMonitor monitor(test::small_live_table());
    expect_flat(monitor, test::holes_only());
    EXPECT_GT(monitor.counters.get(Counter::holes_exhausted), 0U);
    EXPECT_GT(monitor.events, 0U);
}

TEST(VerdictsAttack, overlaps_of_one_byte_stay_flat) {
    CountingMonitor monitor(test::small_live_table());
    expect_flat(monitor, test::one_byte_overlaps());
    // All of one connection's are one run of repeats, told once.
    monitor.finish();
    EXPECT_GT(monitor.events, 0U);
    EXPECT_LE(monitor.events, test::kAttackClients);
}

TEST(VerdictsAttack, sack_garbage_stays_flat) {
    CountingMonitor monitor(test::small_live_table());
    expect_flat(monitor, test::sack_garbage());
    EXPECT_GT(monitor.events, 0U);
}

TEST(VerdictsAttack, syns_again_from_a_million_clients_stay_flat_and_are_counted) {
    CountingMonitor monitor(test::small_live_table());
    expect_flat(monitor, test::syns_again());
    // At most 1024 in 10 s are told; the others have a counter, or found no room to be watched.
    EXPECT_LE(monitor.events, 1024U);
    EXPECT_GT(monitor.counters.get(Counter::events_withheld_handshake) +
                  monitor.counters.get(Counter::details_exhausted),
              kFrames / 100);
}

TEST(VerdictsAttack, resets_that_are_contradicted_stay_flat) {
    CountingMonitor monitor(test::small_live_table());
    expect_flat(monitor, test::contradicted_resets());
    EXPECT_EQ(monitor.counters.get(Counter::details_exhausted), 0U);
    monitor.finish();
    EXPECT_GT(monitor.events, 0U);
}

TEST(VerdictsAttack, windows_that_shut_all_the_time_stay_flat) {
    CountingMonitor monitor(test::small_live_table());
    expect_flat(monitor, test::shut_windows());
    EXPECT_EQ(monitor.counters.get(Counter::details_exhausted), 0U);
}

}  // namespace
}  // namespace tw
