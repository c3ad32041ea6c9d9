// SPDX-License-Identifier: BSD-3-Clause
// Packets that entered and of which no copy ever left: refused, swallowed, policed.
#include <gtest/gtest.h>

#include "support/tap_script.hpp"

namespace tw::taps {
namespace {

using test::Fate;
using test::Sent;
using test::TapScript;

constexpr Nanos kMs = kMillisecond;
constexpr Way kClient = TapScript::kClient;
constexpr Way kServer = TapScript::kServer;

// A request of 100 bytes that passes and is acknowledged: the server answers from number 1.
void open_connection(TapScript& taps) {
    taps.handshake(kMs);
    taps.send({.at = 10 * kMs, .way = kClient, .seq = 1, .bytes = 100, .ack = 1});
    taps.send({.at = 12 * kMs, .way = kServer, .seq = 1, .ack = 101});
}

TEST(EvidenceNeverLeft, beyond_the_window_and_never_refused_it_did_not_arrive) {
    for (const bool refused : {false, true}) {
        TapScript taps;
        open_connection(taps);
        for (const Nanos at : {300 * kMs, 600 * kMs, 900 * kMs}) {
            taps.send({.at = at, .way = kClient, .seq = 50'000'101, .bytes = 100, .ack = 1},
                      refused ? Fate::unseen_inside : Fate::dropped);
            if (refused) {
                taps.send({.at = at + 2 * kMs, .way = kServer, .seq = 1, .ack = 101});
            }
        }
        taps.send({.at = 1200 * kMs, .way = kClient, .seq = 101, .bytes = 10, .ack = 1});
        taps.send({.at = 1202 * kMs, .way = kServer, .seq = 1, .bytes = 10, .ack = 111});
        taps.end(10 * kSecond);
        const auto lost = taps.facts(FactKind::lost_between);
        EXPECT_EQ(lost.size(), refused ? 0U : 1U) << taps.told();
        if (!refused) {
            EXPECT_EQ(lost[0].attempts, 3);
            EXPECT_EQ(lost[0].grade, Grade::proven);
            EXPECT_TRUE(lost[0].single_fault);
            EXPECT_FALSE(lost[0].circumstances.in_window);
        }
    }
}

TEST(EvidenceNeverLeft, where_a_copy_as_far_out_leaves_the_window_did_not_stop_the_first) {
    TapScript taps;
    taps.handshake(0);
    taps.send({.at = 10 * kMs, .way = kClient, .seq = 1, .bytes = 100, .ack = 1});
    taps.send({.at = 12 * kMs, .way = kServer, .seq = 1, .ack = 101, .window = 1000});
    const Sent far{.at = 20 * kMs, .way = kClient, .seq = 70101, .bytes = 100, .ack = 1};
    taps.send(far, Fate::dropped);
    Sent again = far;
    again.at = 30 * kMs;
    taps.send(again);
    taps.send({.at = 32 * kMs, .way = kServer, .seq = 1, .ack = 70201});
    taps.end(5 * kSecond);
    const auto lost = taps.facts(FactKind::lost_between);
    ASSERT_EQ(lost.size(), 1U) << taps.told();
    EXPECT_FALSE(lost[0].circumstances.window_known);
}

TEST(EvidenceNeverLeft, all_that_follows_bytes_that_never_leave_never_left) {
    TapScript taps;
    open_connection(taps);
    for (std::uint32_t i = 0; i < 6; ++i) {
        taps.send(
            {.at = 20 * kMs + i, .way = kClient, .seq = 101 + 100 * i, .bytes = 100, .ack = 1},
            Fate::dropped);
    }
    for (const Nanos at : {220 * kMs, 620 * kMs, 1420 * kMs, 3020 * kMs}) {
        taps.send({.at = at, .way = kClient, .seq = 101, .bytes = 100, .ack = 1}, Fate::dropped);
    }
    taps.end(20 * kSecond);
    const auto lost = taps.facts(FactKind::lost_between);
    std::uint32_t copies = 0;
    for (const Fact& fact : lost) {
        copies += fact.attempts;
        EXPECT_EQ(fact.proof, Proof::no_copy_leaves);
    }
    EXPECT_EQ(copies, 10U) << taps.told();
}

TEST(EvidenceNeverLeft, what_entered_before_in_the_same_hundredth_of_a_second_is_told) {
    TapScript taps;
    open_connection(taps);
    const Nanos at = 5 * kSecond;
    taps.send({.at = at, .way = kClient, .seq = 101, .bytes = 100, .ack = 1});
    taps.send({.at = at + kMs, .way = kClient, .seq = 201, .bytes = 100, .ack = 1}, Fate::dropped);
    taps.send({.at = at + 300 * kMs, .way = kClient, .seq = 201, .bytes = 100, .ack = 1},
              Fate::dropped);
    taps.run(10 * kSecond);
    ASSERT_EQ(taps.facts().size(), 1U) << taps.told();
    const Fact& fact = taps.facts()[0];
    EXPECT_EQ(fact.circumstances.entered_in_slot, fact.packet.ip_bytes);
    ASSERT_EQ(fact.cites_count, 2U);
    EXPECT_EQ(fact.cites[1].part, Part::repeat);
    EXPECT_EQ(fact.cites[1].entered_in_slot, 0U);
}

}  // namespace
}  // namespace tw::taps
