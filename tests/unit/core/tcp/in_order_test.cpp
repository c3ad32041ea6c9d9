// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/in_order.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "core/tcp/analysis.hpp"
#include "core/tcp/episodes.hpp"
#include "core/tcp/life.hpp"
#include "support/random.hpp"

namespace tw::tcp {
namespace {

namespace bit = flow::half_bit;
namespace flag = decode::tcp_flag;
using decode::Segment;
using flow::ColdFlow;
using flow::Flow;
using flow::Half;

// Numbers that meet often: on both sides of zero, and a window apart.
std::uint32_t number(test::Random& random) {
    constexpr std::uint32_t kNear[] = {0, 1, 2, 99, 100, 101, 1099, 1100, 1101, 0x8000'0000};
    return kNear[random.below(std::size(kNear))] - (random.below(8) == 0 ? 2U : 0U);
}

Half half_of(test::Random& random) {
    Half half{};
    half.nxt_time = random.below(100);
    half.ack_time = random.below(100);
    half.nxt = number(random);
    half.mark = random.below(3) != 0 ? half.nxt : number(random);
    half.seen_end = random.below(3) != 0 ? half.nxt : number(random);
    half.ack = number(random);
    half.window = static_cast<std::uint16_t>(random.below(4) == 0 ? 0 : 1000);
    half.dups =
        static_cast<std::uint8_t>(random.below(4) == 3 ? flow::kDupsPoisoned : random.below(3));
    half.scale = static_cast<std::int8_t>(static_cast<int>(random.below(4)) - 2);
    half.bits = static_cast<std::uint8_t>(random.below(256));
    if (random.below(8) != 0) {
        half.bits |= bit::kBaseSet | bit::kWindowSet | bit::kSeen;
        half.bits &= static_cast<std::uint8_t>(~bit::kProbeTail);
    }
    return half;
}

Segment segment_of(test::Random& random, const Half& me, const Half& peer,
                   const std::uint8_t* options) {
    Segment s;
    s.seq = random.below(4) != 0 ? me.nxt : number(random);
    s.ack = random.below(3) != 0 ? peer.nxt : number(random);
    constexpr std::uint32_t kSizes[] = {0, 0, 1, 2, 100, 1000, 0x8000'0000};
    s.payload_bytes = kSizes[random.below(std::size(kSizes))];
    s.window = static_cast<std::uint16_t>(random.below(6) == 0 ? 0 : 1000);
    s.flags = static_cast<std::uint8_t>(random.below(4) != 0 ? flag::kAck | flag::kPsh
                                                             : random.below(256));
    s.payload_known = random.below(16) != 0;
    s.header_complete = random.below(16) != 0;
    s.data_words = static_cast<std::uint8_t>(random.below(16) == 0 ? random.below(5) : 5);
    if (random.below(3) == 0) {
        s.data_words = 8;
        s.options = options;
        s.options_bytes = 12;
    }
    return s;
}

bool same(const Flow& one, const Flow& other) {
    return std::memcmp(one.half, other.half, sizeof one.half) == 0 &&
           one.rtt_or_syn == other.rtt_or_syn && one.completeness == other.completeness &&
           one.bits == other.bits;
}

TEST(InOrder, does_what_the_rules_do_wherever_it_applies) {
    test::Random random(1);
    constexpr std::uint8_t kOptions[2][12] = {{1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 5},
                                              {1, 1, 5, 10, 0, 0, 0, 7, 0, 0, 0, 9}};
    stats::Counters counters;
    std::uint32_t passed = 0;
    constexpr std::uint32_t kTrials = 400'000;
    for (std::uint32_t i = 0; i < kTrials; ++i) {
        Flow flow{};
        flow.half[0] = half_of(random);
        flow.half[1] = half_of(random);
        flow.bits = static_cast<std::uint8_t>(random.below(4) == 0 ? random.below(256)
                                                                   : flow::flow_bit::kRttSet);
        flow.rtt_or_syn = random.below(3);
        flow.completeness = static_cast<std::uint8_t>(random.below(64));
        const auto sender = static_cast<std::uint8_t>(random.below(2));
        const Segment segment = segment_of(random, flow.half[sender], flow.half[sender ^ 1],
                                           kOptions[random.below(8) == 0]);
        const Nanos now = 50 + random.below(100);
        Flow judged = flow;
        ColdFlow cold{};
        Extras extras;
        const bool mptcp = (flow.bits & flow::flow_bit::kMptcp) != 0;
        const FlagSet flags =
            judge(segment, sender, now, Meeting::known, judged, cold, extras, counters);
        Half& me = flow.half[sender];
        if (!is_in_order(segment, timestamps_alone(segment), flow, me, flow.half[sender ^ 1])) {
            continue;
        }
        ++passed;
        pass_in_order(segment, now, flow, me);
        ASSERT_TRUE(Episodes::pass(judged, segment, sender, flags)) << i;
        ASSERT_TRUE(Life::calm(judged, segment, flags)) << i;
        ASSERT_TRUE(flags.empty()) << i << ": " << flags.bits();
        ASSERT_TRUE(same(flow, judged)) << i;
        ASSERT_FALSE(mptcp) << i;
        ASSERT_EQ(extras.mptcp_kinds, 0) << i;
    }
    EXPECT_GT(passed, kTrials / 100);
}

TEST(InOrder, takes_the_usual_data_and_acknowledgement) {
    Flow flow{};
    for (Half& half : flow.half) {
        half = {.nxt = 100,
                .mark = 100,
                .ack = 100,
                .seen_end = 100,
                .window = 500,
                .scale = 7,
                .bits = bit::kBaseSet | bit::kWindowSet | bit::kSeen};
    }
    const auto passes = [&flow](const Segment& segment, std::uint8_t sender) {
        Half& me = flow.half[sender];
        const bool in_order = is_in_order(segment, {}, flow, me, flow.half[sender ^ 1]);
        if (in_order) {
            pass_in_order(segment, 1, flow, me);
        }
        return in_order;
    };
    const Segment data{.seq = 100,
                       .ack = 100,
                       .payload_bytes = 40,
                       .window = 500,
                       .flags = flag::kAck | flag::kPsh,
                       .data_words = 5,
                       .payload_known = true,
                       .header_complete = true};
    const Segment answer{.seq = 100,
                         .ack = 140,
                         .window = 500,
                         .flags = flag::kAck,
                         .data_words = 5,
                         .payload_known = true,
                         .header_complete = true};
    EXPECT_TRUE(passes(data, 0));
    EXPECT_EQ(flow.half[0].nxt, 140U);
    EXPECT_TRUE(passes(answer, 1));
    EXPECT_FALSE(passes(answer, 1)) << "a duplicate ACK";
    EXPECT_FALSE(passes(data, 0)) << "a repeat";
}

}  // namespace
}  // namespace tw::tcp
