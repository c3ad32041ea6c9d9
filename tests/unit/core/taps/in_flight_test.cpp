// SPDX-License-Identifier: BSD-3-Clause
// Twins by the ladder, first come first served, and never a search that traffic can make long.
#include "core/taps/in_flight.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <vector>

#include "support/random.hpp"

namespace tw::taps {
namespace {

namespace flag = decode::tcp_flag;

Packet data(std::uint32_t seq, std::uint16_t ip_id, std::uint32_t tsval = 100) {
    Packet packet;
    packet.flags = flag::kAck;
    packet.seq = seq;
    packet.ack = 5000;
    packet.payload_bytes = 1000;
    packet.ip_id = ip_id;
    packet.options = option_bit::kTimestamps;
    packet.tsval = tsval;
    packet.digest = 0x1234;
    packet.digest_known = true;
    return packet;
}

class InFlightTest : public testing::Test {
  protected:
    std::uint32_t wait(const Packet& packet) {
        const std::uint32_t index = table_.add(key(packet), 0);
        if (index != InFlight::kNone) {
            table_[index].packet = packet;
        }
        return index;
    }
    InFlight::Answer find(const Packet& packet, const Kept& kept = {}) {
        return table_.find({.key = key(packet),
                            .expected = &packet,
                            .earliest = packet.time - kSecond,
                            .latest = packet.time + kSecond,
                            .likely = packet.time,
                            .kept = kept});
    }
    std::uint64_t key(const Packet& packet) {
        return table_.key_of(
            {.conversation = 1, .seq = packet.seq, .payload = packet.payload_bytes != 0},
            Side::outside);
    }

    InFlight table_{1024, Backing::lazy, 99};
};

TEST_F(InFlightTest, a_twin_is_found_and_the_first_of_equals_is_taken) {
    const std::uint32_t first = wait(data(1, 0));
    const std::uint32_t second = wait(data(1, 0));
    EXPECT_EQ(find(data(1, 0)).index, first);
    EXPECT_FALSE(find(data(1, 0)).alone);
    table_.remove(first);
    EXPECT_EQ(find(data(1, 0)).index, second);
    EXPECT_TRUE(find(data(1, 0)).alone);
    table_.remove(second);
    EXPECT_EQ(find(data(1, 0)).index, InFlight::kNone);
    EXPECT_EQ(table_.count(), 0U);
}

TEST_F(InFlightTest, the_strongest_rung_wins_over_the_order) {
    wait(data(1, 7, 100));
    const std::uint32_t repeat = wait(data(1, 8, 101));
    const auto answer = find(data(1, 8, 101));
    EXPECT_EQ(answer.index, repeat);
    EXPECT_EQ(answer.level, KeyLevel::whole);
}

TEST_F(InFlightTest, each_rung_is_named) {
    const Packet sent = data(1, 7);
    wait(sent);
    Packet seen = sent;
    EXPECT_EQ(find(seen).level, KeyLevel::whole);
    seen.ip_id = 9;
    EXPECT_EQ(find(seen).level, KeyLevel::without_ip_id);
    seen.tsval = 9;
    EXPECT_EQ(find(seen).level, KeyLevel::without_options);
    seen.digest = 9;
    EXPECT_EQ(find(seen).level, KeyLevel::without_digest);
    seen = sent;
    seen.ack = 9;
    EXPECT_EQ(find(seen).level, KeyLevel::without_ack);
    seen.digest = 9;
    EXPECT_EQ(find(seen).index, InFlight::kNone);
}

TEST_F(InFlightTest, a_digest_that_one_tap_does_not_know_is_no_difference) {
    wait(data(1, 7));
    Packet seen = data(1, 7);
    seen.digest_known = false;
    seen.digest = 0;
    EXPECT_EQ(find(seen).level, KeyLevel::whole);
}

TEST_F(InFlightTest, what_the_firewall_keeps_tells_two_transmissions_apart) {
    wait(data(1, 7, 100));
    EXPECT_NE(find(data(1, 8, 100)).index, InFlight::kNone);
    EXPECT_EQ(find(data(1, 8, 100), {.ip_id = true}).index, InFlight::kNone);
    EXPECT_NE(find(data(1, 7, 101)).index, InFlight::kNone);
    EXPECT_EQ(find(data(1, 7, 101), {.timestamps = true}).index, InFlight::kNone);
}

TEST_F(InFlightTest, among_equals_the_usual_transit_decides_and_else_the_order) {
    Packet original = data(1, 0);
    Packet repeat = original;
    repeat.time = 200 * kMillisecond;
    const std::uint32_t first = wait(original);
    const std::uint32_t second = wait(repeat);
    Packet seen = original;
    seen.time = 201 * kMillisecond;
    const auto with_usual = [&](Nanos transit) {
        return table_
            .find({.key = key(seen),
                   .expected = &seen,
                   .earliest = 0,
                   .latest = kSecond,
                   .likely = seen.time - transit})
            .index;
    };
    EXPECT_EQ(with_usual(kMillisecond), second);
    EXPECT_EQ(with_usual(180 * kMillisecond), first);
    EXPECT_EQ(with_usual(101 * kMillisecond), first);
}

TEST_F(InFlightTest, out_of_its_time_it_is_no_twin) {
    wait(data(1, 7));
    Packet late = data(1, 7);
    late.time = kSecond + 1;
    EXPECT_EQ(find(late).index, InFlight::kNone);
    late.time = kSecond;
    EXPECT_NE(find(late).index, InFlight::kNone);
}

TEST_F(InFlightTest, a_full_table_refuses_until_the_oldest_goes) {
    std::uint32_t first = 0;
    for (std::uint32_t i = 0; i < 1024; ++i) {
        Packet packet = data(i * 1000, 1);
        packet.time = i;
        const std::uint32_t index = wait(packet);
        ASSERT_NE(index, InFlight::kNone);
        first = i == 0 ? index : first;
    }
    EXPECT_EQ(wait(data(9, 9)), InFlight::kNone);
    EXPECT_EQ(table_.oldest(), first);
    table_.remove(table_.oldest());
    EXPECT_NE(wait(data(9, 9)), InFlight::kNone);
}

TEST_F(InFlightTest, behaves_as_a_queue_for_each_key_under_random_use) {
    test::Random random(7);
    std::map<std::uint32_t, std::vector<std::uint32_t>> truth;  // seq -> indexes in order
    for (int step = 0; step < 200'000; ++step) {
        const std::uint32_t seq = random.below(64) * 1000;
        std::vector<std::uint32_t>& queue = truth[seq];
        if (random.chance(50)) {
            const std::uint32_t index = wait(data(seq, 0));
            if (index == InFlight::kNone) {
                const std::uint32_t oldest = table_.oldest(0);
                std::vector<std::uint32_t>& others = truth[table_[oldest].packet.seq];
                ASSERT_EQ(others.front(), oldest);
                others.erase(others.begin());
                table_.remove(oldest);
            } else {
                queue.push_back(index);
            }
        } else {
            const auto answer = find(data(seq, 0));
            ASSERT_EQ(answer.index, queue.empty() ? InFlight::kNone : queue.front());
            if (!queue.empty()) {
                table_.remove(answer.index);
                queue.erase(queue.begin());
            }
        }
    }
}

TEST_F(InFlightTest, a_thousand_equal_packets_cost_no_more_than_a_few) {
    // Compares a bounded number of them: what lies behind is reached when those before have gone.
    for (std::uint16_t i = 1; i <= 1000; ++i) {
        wait(data(1, i));
    }
    const Kept ids{.ip_id = true};
    EXPECT_NE(find(data(1, InFlight::kLooksMax), ids).index, InFlight::kNone);
    EXPECT_EQ(find(data(1, InFlight::kLooksMax + 1), ids).index, InFlight::kNone);
}

}  // namespace
}  // namespace tw::taps
