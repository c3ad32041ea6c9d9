// SPDX-License-Identifier: BSD-3-Clause
// What a conversation as a whole shows at its end.
#include <gtest/gtest.h>

#include "support/tap_script.hpp"

namespace tw::taps {
namespace {

using test::TapScript;

constexpr Nanos kMs = kMillisecond;
constexpr Way kClient = TapScript::kClient;
constexpr Way kServer = TapScript::kServer;

TEST(EvidenceOutcome, sides_that_were_a_guess_are_confirmed_by_many_packets_of_both_ways) {
    for (const int rounds : {8, 4}) {
        for (const Nanos late : {Nanos{0}, 300 * kMicrosecond}) {
            TapScript taps;
            taps.guess_sides();
            taps.handshake(0);
            for (int i = 0; i < rounds; ++i) {
                const Nanos at = (10 + 10 * i) * kMs;
                const auto seq = 1U + 100U * static_cast<std::uint32_t>(i);
                taps.send({.at = at, .way = kClient, .seq = seq, .bytes = 100, .ack = 1});
                // Once a mirror shows a packet to leave before it entered.
                taps.send({.at = at + 5 * kMs,
                           .way = kServer,
                           .seq = 1,
                           .ack = seq + 100,
                           .late_inside = i == 3 ? late : 0});
            }
            EXPECT_EQ(taps.end(60 * kSecond).side_known, rounds == 8 && late == 0);
        }
    }
}

TEST(EvidenceOutcome, what_was_lost_outside_the_taps_is_counted_apart) {
    TapScript taps;
    taps.handshake(kMs);
    taps.send({.at = 10 * kMs, .way = kClient, .seq = 1, .bytes = 100, .ack = 1});
    taps.send({.at = 12 * kMs, .way = kServer, .seq = 1, .ack = 101});
    taps.send({.at = 20 * kMs, .way = kClient, .seq = 201, .bytes = 100, .ack = 1});
    taps.send({.at = 220 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1});
    taps.send({.at = 225 * kMs, .way = kServer, .seq = 1, .ack = 301});
    taps.send({.at = 300 * kMs, .way = kClient, .seq = 301, .bytes = 100, .ack = 1});
    taps.send({.at = 600 * kMs, .way = kClient, .seq = 301, .bytes = 100, .ack = 1});
    taps.send({.at = 605 * kMs, .way = kServer, .seq = 1, .ack = 401});
    const Conversation record = taps.end(5 * kSecond);
    EXPECT_EQ(taps.told(), "");
    EXPECT_EQ(record.ways[0].lost_before, 1U);
    EXPECT_EQ(record.ways[0].lost_beyond, 1U);
}

}  // namespace
}  // namespace tw::taps
