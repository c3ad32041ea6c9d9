// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/explain_drops.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "firewall/latency.hpp"
#include "firewall/tuple_hash.hpp"
#include "support/random.hpp"
#include "unit/firewall/story.hpp"

namespace tw::firewall {
namespace {

using test::host;
using test::kT0;
using test::Story;
using tw::test::Random;

// A packet of mixed traffic, and what a firewall may decide by.
struct Offered {
    std::uint32_t bytes = 0;
    Nanos at = 0;
    Nanos idle = 0;
    bool sack = false;
    bool dont_fragment = false;
    bool out_of_order = false;
    taps::Way way = taps::Way::inward;
    const taps::Conversation* of = nullptr;
};

// 20 conversations of four clients with three servers, 20,000 packets in 100 s.
Story mixed(std::uint64_t seed, const std::function<bool(const Offered&, Random&)>& drops) {
    Random random(seed);
    Story story;
    for (std::uint16_t i = 0; i < 20; ++i) {
        story.conversation(
            0, 100 * kSecond,
            host(static_cast<std::uint8_t>(5 + i % 4), static_cast<std::uint16_t>(40'000 + i * 37)),
            host(static_cast<std::uint8_t>(80 + i % 3), 443, 2));
    }
    for (int i = 0; i < 20'000; ++i) {
        Offered one;
        one.bytes = random.chance(30) ? 1500 : 52 + random.below(1300);
        one.at = i * 5 * kMillisecond;
        one.idle = random.chance(5) ? random.between(100, 9000) * kMillisecond : kMillisecond;
        one.sack = random.chance(10);
        one.dont_fragment = random.chance(60);
        one.out_of_order = random.chance(5);
        one.way = random.chance(50) ? taps::Way::inward : taps::Way::outward;
        auto& conversation = story.conversations[random.below(20)];
        one.of = &conversation;
        taps::Packet in;
        in.time = kT0 + one.at;
        in.ip_bytes = static_cast<std::uint16_t>(one.bytes);
        in.payload_bytes = one.bytes - 40;
        in.flags = decode::tcp_flag::kAck;
        in.dont_fragment = one.dont_fragment;
        in.options = one.sack ? taps::option_bit::kSack : 0;
        if (drops(one, random)) {
            taps::Fact& fact = story.drop(conversation, one.at);
            fact.way = one.way;
            fact.packet = in;
            fact.circumstances.idle = one.idle;
            fact.circumstances.out_of_order = one.out_of_order;
            story.passage.lost(one.way, in);
            continue;
        }
        ++conversation.ways[taps::index(one.way)].passed;
        taps::Packet out = in;
        out.time += 100 * kMicrosecond;
        story.passage.passed({.entered = in,
                              .left = out,
                              .way = one.way,
                              .out_of_order = one.out_of_order,
                              .idle = one.idle},
                             0);
    }
    return story;
}

struct Truth {
    const char* predicate;
    std::function<bool(const Offered&, Random&)> drops;
};

const std::vector<Truth>& truths() {
    static const std::vector<Truth> kTruths{
        {"length_above", [](const Offered& one, Random&) { return one.bytes > 1400; }},
        {"idle_above", [](const Offered& one, Random&) { return one.idle > 4 * kSecond; }},
        {"sack_present", [](const Offered& one, Random&) { return one.sack; }},
        {"out_of_order", [](const Offered& one, Random&) { return one.out_of_order; }},
        {"dont_fragment", [](const Offered& one, Random&) { return one.dont_fragment; }},
        {"direction",
         [](const Offered& one, Random& random) {
             return one.way == taps::Way::outward && random.chance(20);
         }},
        {"destination",
         [](const Offered& one, Random& random) {
             return server_of(*one.of).address[3] == 81 && random.chance(10);
         }},
        {"source",
         [](const Offered& one, Random& random) {
             return client_of(*one.of).address[3] == 6 && random.chance(10);
         }},
        {"time_window",
         [](const Offered& one, Random& random) {
             return one.at > 40 * kSecond && one.at < 47 * kSecond && random.chance(30);
         }},
    };
    return kTruths;
}

TEST(ExplainDrops, the_true_predicate_is_picked_among_the_others) {
    for (const Truth& truth : truths()) {
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            Story story = mixed(seed, truth.drops);
            const Lessons lessons = story.learn_by(explain_drops);
            ASSERT_FALSE(lessons.in_common.empty()) << truth.predicate << " seed " << seed;
            const Explanation& best = lessons.in_common.front();
            // One host's only port is as good a name for it.
            const bool same =
                best.predicate == truth.predicate ||
                (std::string_view(truth.predicate) == "destination" && best.predicate == "service");
            EXPECT_TRUE(same) << truth.predicate << " seed " << seed << ": " << best.sentence;
            EXPECT_GE(best.recall, 0.95) << truth.predicate;
        }
    }
}

TEST(ExplainDrops, a_length_is_told_in_full) {
    Story story = mixed(1, [](const Offered& one, Random&) { return one.bytes > 1400; });
    const Lessons lessons = story.learn_by(explain_drops);
    const Explanation& best = lessons.in_common.at(0);
    EXPECT_EQ(best.precision, 1.0);
    EXPECT_EQ(best.recall, 1.0);
    EXPECT_EQ(best.passed, 0U);
    EXPECT_EQ(best.drops, best.drops_total);
    EXPECT_NE(best.sentence.find("and no passed packet had a length above 1,35"), std::string::npos)
        << best.sentence;
}

TEST(ExplainDrops, drops_at_random_have_nothing_in_common) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Story story = mixed(seed, [](const Offered&, Random& random) { return random.chance(3); });
        const Lessons lessons = story.learn_by(explain_drops);
        EXPECT_TRUE(lessons.in_common.empty())
            << "seed " << seed << ": " << lessons.in_common.front().sentence;
    }
}

TEST(ExplainDrops, copies_of_a_packet_are_one_drop) {
    Story story;
    auto& conversation = story.conversation(0, 100 * kSecond);
    for (int i = 0; i < 2000; ++i) {
        story.pass(i * 50 * kMillisecond);
    }
    for (int i = 0; i < 40; ++i) {
        const taps::Fact& fact = story.drop(conversation, 50 * kSecond + i * kMillisecond);
        for (int copy = 0; copy < 3; ++copy) {
            story.passage.lost(fact.way, fact.packet);
        }
    }
    for (const Explanation& one : story.learn_by(explain_drops).in_common) {
        EXPECT_LE(one.drops, one.drops_total) << one.sentence;
    }
}

TEST(ExplainDrops, four_drops_are_too_few) {
    Story story;
    auto& one = story.conversation(0, kSecond);
    for (int i = 0; i < 100; ++i) {
        story.pass(i * kMillisecond);
    }
    for (int i = 0; i < 4; ++i) {
        story.drop(one, i * kMillisecond).packet.ip_bytes = 1500;
    }
    EXPECT_TRUE(story.learn_by(explain_drops).in_common.empty());
}

TEST(ExplainDrops, one_core_of_a_firewall_is_a_hash_bucket) {
    Random random(4);
    Story story;
    const auto bucket_of = [](const taps::Conversation& one) {
        return tuple_hashes()[0].of(client_of(one), server_of(one)) % 4;
    };
    for (std::uint16_t i = 0; i < 200; ++i) {
        auto& one =
            story.conversation(0, 100 * kSecond,
                               host(static_cast<std::uint8_t>(random.below(250)),
                                    static_cast<std::uint16_t>(30'000 + random.below(30'000))),
                               host(static_cast<std::uint8_t>(random.below(250)), 443, 2));
        for (int k = 0; k < 20; ++k) {
            const Nanos at = random.below(100'000) * kMillisecond;
            if (bucket_of(one) == 2 && k < 5) {
                story.drop(one, at);
            } else {
                story.pass(at);
                ++one.ways[0].passed;
            }
        }
    }
    const Lessons lessons = story.learn_by(explain_drops);
    ASSERT_FALSE(lessons.in_common.empty());
    EXPECT_EQ(lessons.in_common[0].predicate, "hash_bucket");
    EXPECT_NE(lessons.in_common[0].sentence.find("bucket 2 of 4"), std::string::npos);
}

TEST(ExplainDrops, connections_beyond_a_number_are_told_by_it) {
    Story story;
    for (std::uint16_t i = 0; i < 20; ++i) {
        auto& one = story.conversation(i * kSecond, 100 * kSecond, host(5, 40'000 + i));
        if (i >= 12) {
            story.syn_drop(one, i * kSecond);
        } else {
            story.pass(i * kSecond);
        }
    }
    const Lessons lessons = story.learn_by(explain_drops);
    ASSERT_FALSE(lessons.in_common.empty());
    EXPECT_EQ(lessons.in_common[0].predicate, "concurrent_above");
    EXPECT_EQ(lessons.in_common[0].value, 12.0);
}

TEST(TupleHash, receive_side_scaling_gives_its_published_values) {
    // Microsoft, "Verifying the RSS Hash Calculation": 66.9.149.187:2794 -> 161.142.100.80:1766.
    flow::Endpoint source;
    source.address = {66, 9, 149, 187};
    source.port = 2794;
    flow::Endpoint destination;
    destination.address = {161, 142, 100, 80};
    destination.port = 1766;
    EXPECT_EQ(tuple_hashes()[0].of(source, destination), 0x51ccc178U);
}

// 5,000 packets a way, 100 us each; `inward` and `outward` say where 20 of them take 5 ms.
Lessons spikes(bool inward, bool outward) {
    Story story;
    Random random(2);
    for (int i = 0; i < 5000; ++i) {
        const bool slow = i >= 4000 && i < 4020;
        const Nanos usual = 90 * kMicrosecond + random.below(20'000);
        story.pass(i * kMillisecond, 1000, slow && inward ? 5 * kMillisecond : usual,
                   taps::Way::inward);
        story.pass(i * kMillisecond, 1000, slow && outward ? 5 * kMillisecond : usual,
                   taps::Way::outward);
    }
    return story.learn_by(sum_latencies);
}

// `inward` and `outward` packets that took `transit`, in 10 ms; 1,000 of 100 us around them.
Lessons slow(int inward, int outward, Nanos transit) {
    Story story;
    for (int i = 0; i < 1000; ++i) {
        story.pass(i * 20 * kMillisecond);
        story.pass(i * 20 * kMillisecond, 1000, 100 * kMicrosecond, taps::Way::outward);
    }
    for (int i = 0; i < inward; ++i) {
        story.pass(20 * kSecond + i * kMillisecond, 1000, transit);
    }
    for (int i = 0; i < outward; ++i) {
        story.pass(20 * kSecond + i * kMillisecond, 1000, transit, taps::Way::outward);
    }
    return story.learn_by(sum_latencies);
}

TEST(Latency, a_standstill_is_told_by_the_few_that_were_on_their_way) {
    EXPECT_TRUE(slow(1, 1, 150 * kMillisecond).lessons.empty());
    EXPECT_TRUE(slow(2, 0, 150 * kMillisecond).lessons.empty());
    const Lessons few = slow(1, 2, 150 * kMillisecond);
    ASSERT_EQ(few.lessons.size(), 2U);
    EXPECT_EQ(few.lessons[0].grade_max, taps::Grade::proven);
}

TEST(Latency, less_than_a_millisecond_is_listed_and_no_finding) {
    const Lessons lessons = slow(5, 5, 900 * kMicrosecond);
    EXPECT_EQ(lessons.spikes.size(), 2U);
    EXPECT_TRUE(lessons.lessons.empty());
}

TEST(Latency, a_spike_in_both_ways_is_no_mirrors_doing) {
    const Lessons both = spikes(true, true);
    ASSERT_EQ(both.spikes.size(), 2U);
    EXPECT_EQ(both.spikes[0].packets, 20U);
    ASSERT_EQ(both.lessons.size(), 2U);
    EXPECT_EQ(both.lessons[0].behaviour, Behaviour::latency_spike);
    EXPECT_EQ(both.lessons[0].grade_max, taps::Grade::proven);
    const Lessons one = spikes(true, false);
    ASSERT_EQ(one.lessons.size(), 1U);
    EXPECT_EQ(one.lessons[0].grade_max, taps::Grade::probable);
    EXPECT_TRUE(spikes(false, false).lessons.empty());
}

TEST(Latency, setup_and_data_are_told_apart) {
    Story story;
    story.pass(0);
    taps::Packet in;
    in.flags = decode::tcp_flag::kSyn;
    taps::Packet out = in;
    out.time += kMillisecond;
    story.passage.passed({.entered = in, .left = out}, 0);
    const Lessons lessons = story.learn_by(sum_latencies);
    ASSERT_EQ(lessons.latencies.size(), 2U);
    EXPECT_TRUE(lessons.latencies[0].setup);
    EXPECT_EQ(lessons.latencies[0].histogram.most(), kMillisecond);
    EXPECT_FALSE(lessons.latencies[1].setup);
}

}  // namespace
}  // namespace tw::firewall
