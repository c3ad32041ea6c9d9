// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/copies.hpp"

#include <gtest/gtest.h>

#include "unit/core/taps/pair_samples.hpp"

namespace tw::taps {
namespace {

using test::segment;

// Packets of one tap in their order, each 50 us behind the one before.
struct CopiesTest : testing::Test {
    Copies copies{1024, Backing::lazy, 1};
    Nanos at = 0;
    std::uint32_t seq = 1;

    bool see(Packet packet) {
        packet.time = at;
        at += 50 * kMicrosecond;
        return copies.saw(packet, copies.identity(packet, 7));
    }
    // One that can be told apart, and once more by the mirror.
    void data(int count, bool twice) {
        for (int i = 0; i < count; ++i) {
            Packet packet = segment(0, seq);
            packet.ip_id = static_cast<std::uint16_t>(seq);
            seq += 100;
            EXPECT_FALSE(see(packet));
            if (twice) {
                EXPECT_TRUE(see(packet));
            }
        }
    }
    static Packet bare_ack() {
        Packet packet = segment(0, 1);
        packet.payload_bytes = 0;
        packet.ip_id = 0;
        return packet;
    }
};

TEST_F(CopiesTest, equal_acks_without_identification_are_two_that_ask_again) {
    data(40, false);
    EXPECT_FALSE(see(bare_ack()));
    EXPECT_FALSE(see(bare_ack()));
}

TEST_F(CopiesTest, a_mirror_that_doubles_what_can_be_told_apart_doubles_them_as_well) {
    data(40, true);
    EXPECT_FALSE(see(bare_ack()));
    EXPECT_TRUE(see(bare_ack()));
}

TEST_F(CopiesTest, a_mirror_that_doubles_one_in_four_need_not_have_doubled_them) {
    for (int i = 0; i < 20; ++i) {
        data(1, true);
        data(3, false);
    }
    EXPECT_FALSE(see(bare_ack()));
    EXPECT_FALSE(see(bare_ack()));
}

}  // namespace
}  // namespace tw::taps
