// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/fragments.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "unit/core/taps/pair_samples.hpp"

namespace tw::taps {
namespace {

using test::kT0;
using test::segment;
using test::Told;

struct FragmentsTest : testing::Test {
    Told sink;
    stats::Counters counters;
    Fragments fragments{Backing::lazy, kSecond, sink, counters};
    Witnessed of{.conversation = 9};
    std::uint16_t open = 0;
    int segments = 0;  // of which all fragments have come

    // A datagram of 3000 bytes in two fragments; its second one has no ports.
    void first(Side tap, Nanos at, std::uint32_t id = 77, std::uint64_t addresses = 1) {
        Packet packet = segment(at, 1001, 0);
        packet.kind = PacketKind::first_fragment;
        packet.more_fragments = true;
        packet.tap = tap;
        segments +=
            fragments
                    .add(packet,
                         {.addresses = addresses, .datagram = id, .bytes = 1480, .header = 32},
                         owner())
                    .has_value()
                ? 1
                : 0;
    }
    void later(Side tap, Nanos at, std::uint32_t id = 77, std::uint64_t addresses = 1) {
        Packet packet;
        packet.time = kT0 + at;
        packet.kind = PacketKind::later_fragment;
        packet.fragment_offset = 1480;
        packet.tap = tap;
        const auto segment =
            fragments.add(packet, {.addresses = addresses, .datagram = id, .bytes = 1520}, nullptr);
        if (segment) {
            ++segments;
            EXPECT_EQ(segment->packet.seq, 1001U);
            EXPECT_EQ(segment->packet.payload_bytes, 1480U + 1520U - 32U);
        }
    }
    const FragmentOwner* owner() {
        owner_ = std::make_unique<FragmentOwner>(
            FragmentOwner{.of = of, .open = open, .way = Way::inward});
        return owner_.get();
    }
    void acknowledge(std::uint32_t ack) {
        Packet packet = segment(0, 1, 0);
        packet.ack = ack;
        fragments.acknowledged(of.conversation, Way::inward, packet);
    }
    void conclude() { fragments.tick(kT0 + kSecond * 60); }

  private:
    std::unique_ptr<FragmentOwner> owner_;
};

TEST_F(FragmentsTest, fragments_that_leave_as_they_entered_are_not_told) {
    first(Side::outside, 0);
    later(Side::outside, 1);
    first(Side::inside, 100);
    later(Side::inside, 101);
    EXPECT_EQ(open, 2);
    conclude();
    EXPECT_TRUE(sink.facts.empty());
    EXPECT_EQ(open, 0);
}

TEST_F(FragmentsTest, a_later_fragment_that_stays_is_told_with_the_first_one_that_left) {
    first(Side::outside, 0);
    later(Side::outside, 1);
    first(Side::inside, 100);
    conclude();
    ASSERT_EQ(sink.facts.size(), 1U);
    EXPECT_EQ(sink.facts[0].kind, FactKind::fragment_lost);
    EXPECT_EQ(sink.facts[0].packet.fragment_offset, 1480);
    EXPECT_TRUE(sink.facts[0].twin_known);
    EXPECT_EQ(sink.facts[0].grade, Grade::unproven);
    EXPECT_EQ(sink.facts[0].conversation, 9U);
}

TEST_F(FragmentsTest, a_repeat_proves_that_the_receiver_lacked_it) {
    first(Side::outside, 0);
    later(Side::outside, 1);
    first(Side::outside, kSecond, 78);
    later(Side::outside, kSecond + 1, 78);
    conclude();
    ASSERT_EQ(sink.facts.size(), 4U);
    EXPECT_EQ(sink.facts[0].grade, Grade::proven);
    EXPECT_EQ(sink.facts[0].proof, Proof::no_copy_leaves);
    EXPECT_FALSE(sink.facts[0].single_fault);
}

TEST_F(FragmentsTest, what_the_receiver_has_without_a_repeat_was_missed_by_the_capture) {
    first(Side::outside, 0);
    later(Side::outside, 1);
    first(Side::inside, 100);
    acknowledge(1002);
    conclude();
    EXPECT_TRUE(sink.facts.empty());
}

TEST_F(FragmentsTest, a_segment_is_known_once_all_its_fragments_have_come_in_any_order) {
    first(Side::outside, 0);
    EXPECT_EQ(segments, 0);
    later(Side::outside, 1);
    EXPECT_EQ(segments, 1);
    later(Side::inside, 100);
    EXPECT_EQ(segments, 1);
    first(Side::inside, 101);
    EXPECT_EQ(segments, 2);
    later(Side::inside, 102);  // once more
    EXPECT_EQ(segments, 2);
}

TEST_F(FragmentsTest, an_ack_below_the_datagram_decides_nothing) {
    first(Side::outside, 0);
    later(Side::outside, 1);
    acknowledge(1001);
    conclude();
    EXPECT_EQ(sink.facts.size(), 2U);
}

TEST_F(FragmentsTest, a_datagram_that_leaves_whole_is_joined) {
    first(Side::outside, 0);
    later(Side::outside, 1);
    Packet whole = segment(100, 1001, 2960);
    whole.tap = Side::inside;
    EXPECT_TRUE(fragments.joined(9, Way::inward, whole));
    whole.seq = 5000;
    EXPECT_FALSE(fragments.joined(9, Way::inward, whole));
    conclude();
    ASSERT_EQ(sink.facts.size(), 1U);
    EXPECT_EQ(sink.facts[0].kind, FactKind::fragments_joined);
}

TEST_F(FragmentsTest, a_packet_that_leaves_in_fragments_is_not_lost) {
    first(Side::inside, 100);
    later(Side::inside, 101);
    Packet whole = segment(0, 1001, 2960);
    EXPECT_TRUE(fragments.split(9, Way::inward, whole));
    whole.seq = 5000;
    EXPECT_FALSE(fragments.split(9, Way::inward, whole));
    conclude();
    EXPECT_TRUE(sink.facts.empty());
}

TEST_F(FragmentsTest, translated_addresses_are_matched_by_the_first_fragment) {
    first(Side::outside, 0, 77, 1);
    later(Side::outside, 1, 77, 1);
    first(Side::inside, 100, 1234, 2);
    later(Side::inside, 101, 1234, 2);
    conclude();
    EXPECT_TRUE(sink.facts.empty());
}

TEST_F(FragmentsTest, a_later_fragment_may_come_first) {
    later(Side::outside, 0);
    first(Side::outside, 1);
    later(Side::inside, 100);
    first(Side::inside, 101);
    conclude();
    EXPECT_TRUE(sink.facts.empty());
    EXPECT_EQ(counters.get(stats::Counter::taps_fragments_unplaced), 0U);
}

TEST_F(FragmentsTest, datagrams_without_a_first_fragment_are_nobodys_and_counted) {
    later(Side::outside, 0);
    conclude();
    EXPECT_TRUE(sink.facts.empty());
    EXPECT_EQ(counters.get(stats::Counter::taps_fragments_unplaced), 1U);
}

TEST_F(FragmentsTest, a_flood_of_fragments_is_counted_and_forgotten) {
    for (std::uint32_t i = 0; i < Fragments::kDatagramsMax + 10; ++i) {
        later(Side::outside, 0, 1000 + i);
    }
    EXPECT_EQ(counters.get(stats::Counter::taps_fragments_full), 10U);
    conclude();
    later(Side::outside, 0, 5);
    EXPECT_EQ(counters.get(stats::Counter::taps_fragments_full), 10U);
}

TEST_F(FragmentsTest, what_waits_at_the_end_of_the_capture_is_not_judged) {
    first(Side::outside, 0);
    fragments.finish();
    EXPECT_TRUE(sink.facts.empty());
    EXPECT_EQ(open, 0);
}

TEST_F(FragmentsTest, a_forgotten_conversation_leaves_nothing_behind) {
    first(Side::outside, 0);
    fragments.ended(of.conversation);
    EXPECT_EQ(open, 0);
    conclude();
    EXPECT_EQ(sink.facts.size(), 1U);
}

}  // namespace
}  // namespace tw::taps
