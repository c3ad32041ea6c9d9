// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/history.hpp"

#include <gtest/gtest.h>

namespace tw::tcp {
namespace {

decode::Decoded segment_of(std::uint32_t seq) {
    decode::Decoded found;
    found.segment.seq = seq;
    found.segment.payload_bytes = 10;
    return found;
}

std::uint32_t length_of_chain(const History& history, const flow::Flow& flow, std::uint32_t owner) {
    std::uint32_t length = 0;
    for (const Sighting* at = history.latest(flow, owner); at != nullptr;
         at = history.before(*at)) {
        ++length;
    }
    return length;
}

TEST(History, each_connection_finds_its_own_sightings_latest_first) {
    History history(Backing::lazy);
    flow::Flow flows[2]{};
    for (std::uint32_t i = 0; i < 10; ++i) {
        history.add(flows[i % 2], i % 2, Frame{}, segment_of(i), {});
    }
    std::uint32_t seq = 9;
    for (const Sighting* at = history.latest(flows[1], 1); at != nullptr;
         at = history.before(*at)) {
        EXPECT_EQ(at->seq, seq);
        seq -= 2;
    }
    EXPECT_EQ(seq, UINT32_MAX);
    EXPECT_EQ(length_of_chain(history, flows[0], 0), 5U);
}

TEST(History, a_connection_without_sightings_has_none) {
    History history(Backing::lazy);
    EXPECT_EQ(history.latest(flow::Flow{}, 0), nullptr);
}

TEST(History, what_the_ring_no_longer_holds_is_gone) {
    History history(Backing::lazy);
    flow::Flow quiet{};
    flow::Flow busy{};
    history.add(quiet, 7, Frame{}, segment_of(1), {});
    for (std::uint32_t i = 0; i < History::kSightings; ++i) {
        history.add(busy, 8, Frame{}, segment_of(i), {});
    }
    EXPECT_EQ(history.latest(quiet, 7), nullptr);
    EXPECT_EQ(length_of_chain(history, busy, 8), History::kSightings - 1);
}

TEST(History, a_slot_that_serves_another_connection_forgets_the_former) {
    History history(Backing::lazy);
    flow::Flow flow{};
    history.add(flow, 3, Frame{}, segment_of(1), {});
    flow = flow::Flow{};
    history.add(flow, 3, Frame{}, segment_of(2), {});
    EXPECT_EQ(length_of_chain(history, flow, 3), 1U);
}

TEST(History, first_sack_block_below_the_ack_or_inside_the_second_is_a_dsack) {
    History history(Backing::lazy);
    flow::Flow flow{};
    //                              NOP NOP SACK  len  left        right
    const std::uint8_t below[12] = {1, 1, 5, 10, 0, 0, 0, 10, 0, 0, 0, 20};
    decode::Decoded found;
    found.segment.ack = 20;
    found.segment.data_words = 8;
    found.segment.header_complete = true;
    found.segment.options = below;
    found.segment.options_bytes = sizeof below;
    history.add(flow, 0, Frame{}, found, timestamps_alone(found.segment));
    EXPECT_TRUE(history.latest(flow, 0)->is_dsack);
    found.segment.ack = 5;
    history.add(flow, 0, Frame{}, found, timestamps_alone(found.segment));
    EXPECT_TRUE(history.latest(flow, 0)->has_sack);
    EXPECT_FALSE(history.latest(flow, 0)->is_dsack);
}

}  // namespace
}  // namespace tw::tcp
