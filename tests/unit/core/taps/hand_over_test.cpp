// SPDX-License-Identifier: BSD-3-Clause
// Engines of several workers that give each other the halves of translated connections: together
// they must tell what one engine tells of the same frames, and say so when there was no room.
#include "core/taps/hand_over.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "crossing.hpp"

namespace tw::taps {
namespace {

using stats::Counter;
using test::TapsRun;

CrossingOptions translated(std::uint16_t number) {
    CrossingOptions options;
    options.client = {"192.0.2.10", "10.99.0.1"};
    options.server = {"198.51.100.80", "10.20.0.80"};
    options.client_port = {static_cast<std::uint16_t>(50'000 + number),
                           static_cast<std::uint16_t>(2048 + 37 * number)};
    options.server_port = {443, 8443};
    options.isn = {1000U + 7919U * number, 9000U + 104'729U * number};
    options.start = 100 * kSecond + number * 10 * kMillisecond;
    return options;
}

// Everything that can go wrong with a packet, once each.
Nanos eventful(TapsRun& taps, const CrossingOptions& options) {
    Crossing crossing(taps, options);
    crossing.handshake().client("request").server("lost one", Fate::lost).server("next");
    crossing.client("").wait(300 * kMillisecond).repeat(1, "next").client("", Fate::lost);
    crossing.client("more", Fate::missed_at_exit).server("").client("x", Fate::missed_at_entry);
    crossing.client("once").mirrored_twice(Side::inside).close();
    return crossing.time();
}

using FactLine = std::tuple<Nanos, int, int, int, int, std::uint64_t, std::uint16_t, std::uint16_t>;
using ConversationLine = std::tuple<Nanos, Pairing, bool, Side, bool, Outcome, Ending,
                                    std::array<std::uint64_t, 6>, std::array<std::uint16_t, 4>>;
struct Told {
    std::vector<FactLine> facts;
    std::vector<ConversationLine> conversations;
};

Told told_by(const TapsRun& taps) {
    Told told;
    for (const Fact& fact : taps.facts()) {
        told.facts.emplace_back(fact.time, static_cast<int>(fact.kind),
                                static_cast<int>(fact.grade), static_cast<int>(fact.proof),
                                static_cast<int>(fact.way), fact.packet.frame, fact.client[0].port,
                                fact.client[1].port);
    }
    for (const Conversation& c : taps.conversations()) {
        told.conversations.emplace_back(
            c.first, c.pairing, c.complete, c.client_side, c.side_known, c.outcome, c.ending,
            std::array<std::uint64_t, 6>{c.ways[0].entered, c.ways[0].passed, c.ways[0].lost,
                                         c.ways[1].entered, c.ways[1].passed, c.ways[1].lost},
            std::array<std::uint16_t, 4>{c.client[0].port, c.client[1].port, c.server[0].port,
                                         c.server[1].port});
    }
    std::ranges::sort(told.facts);
    std::ranges::sort(told.conversations);
    return told;
}

struct Story {
    EngineOptions engine = test::small_taps();
    std::uint32_t burst = 1;
    std::vector<CrossingOptions> connections;
};

Told told_by(const Story& story, std::uint32_t workers, std::uint64_t* moved = nullptr) {
    TapsRun taps(story.engine, workers);
    taps.set_burst(story.burst);
    taps.tick(90 * kSecond);
    Nanos last = 0;
    for (const CrossingOptions& options : story.connections) {
        last = std::max(last, eventful(taps, options));
    }
    taps.tick(last + 10 * kSecond);
    taps.finish();
    EXPECT_EQ(taps.count(Counter::taps_hand_over_full), 0U);
    EXPECT_EQ(taps.count(Counter::taps_introductions_full), 0U);
    EXPECT_EQ(taps.count(Counter::taps_strays), 0U);
    if (moved != nullptr) {
        *moved = taps.count(Counter::taps_moved);
    }
    return told_by(taps);
}

void expect_same(const Story& story) {
    const Told one = told_by(story, 1);
    ASSERT_EQ(one.conversations.size(), story.connections.size());
    for (const std::uint32_t workers : {2U, 3U, 5U}) {
        std::uint64_t moved = 0;
        const Told several = told_by(story, workers, &moved);
        EXPECT_GT(moved, 0U) << workers;
        EXPECT_EQ(several.facts, one.facts) << workers;
        EXPECT_EQ(several.conversations, one.conversations) << workers;
    }
}

std::vector<CrossingOptions> connections(std::uint16_t count) {
    std::vector<CrossingOptions> all;
    for (std::uint16_t i = 0; i < count; ++i) {
        all.push_back(translated(i));
        all.back().start = (all.size() < 2 ? 100 * kSecond : all[i - 1U].start + 2 * kSecond);
    }
    return all;
}

TEST(HandOver, several_workers_tell_what_one_tells) {
    expect_same({.connections = connections(12)});
}

// As long as a burst spans less time than a packet is waited for, as with a worker that stood
// still.
TEST(HandOver, whatever_comes_in_a_burst) {
    for (const std::uint32_t burst : {3U, 8U}) {
        expect_same({.burst = burst, .connections = connections(6)});
    }
}

// The same delay for all: what an engine learns of skew it learns from its own connections.
TEST(HandOver, clients_inside_and_a_slow_mirror_change_nothing) {
    Story story{.connections = connections(8)};
    for (CrossingOptions& options : story.connections) {
        options.mirror_delay[0] = kMillisecond;
        options.client_side = Side::inside;
        options.client = {"198.51.100.1", "10.20.7.7"};
        options.server = {"203.0.113.5", "203.0.113.5"};
    }
    expect_same(story);
}

TEST(HandOver, new_numbers_are_told_by_timestamps_across_workers_as_well) {
    Story story{.connections = connections(8)};
    for (CrossingOptions& options : story.connections) {
        options.server_port[1] = 443;
        options.shift = {77, 0x8888'8888};
    }
    expect_same(story);
}

TEST(HandOver, the_operators_map_pairs_across_workers_without_a_syn) {
    NatHint hint{.inside = {.port = 8443}, .outside = {.port = 443}};
    constexpr std::array<std::uint8_t, 4> kInside{10, 20, 0, 80};
    constexpr std::array<std::uint8_t, 4> kOutside{198, 51, 100, 80};
    std::ranges::copy(kInside, hint.inside.address.begin());
    std::ranges::copy(kOutside, hint.outside.address.begin());
    EngineOptions engine = test::small_taps();
    engine.nat_hints = {&hint, 1};
    const auto run = [&](std::uint32_t workers) {
        auto taps = std::make_unique<TapsRun>(engine, workers);
        taps->tick(90 * kSecond);
        CrossingOptions options;
        for (std::uint16_t i = 0; i < 6; ++i) {
            options.server = {"198.51.100.80", "10.20.0.80"};
            options.server_port = {443, 8443};
            options.client_port.fill(static_cast<std::uint16_t>(50'000 + i));
            options.start += kSecond;
            Crossing crossing(*taps, options);
            crossing.client("midway").server("answer").client("").client("more");
        }
        taps->tick(200 * kSecond);
        taps->finish();
        return taps;
    };
    const auto one = run(1);
    const auto two = run(2);
    EXPECT_GT(two->count(Counter::taps_moved), 0U);
    EXPECT_EQ(told_by(*two).conversations, told_by(*one).conversations);
    EXPECT_EQ(two->conversations().size(), 6U);
    for (const Conversation& conversation : two->conversations()) {
        EXPECT_EQ(conversation.pairing, Pairing::nat_hint);
    }
}

TEST(HandOver, untranslated_connections_are_shown_to_nobody) {
    TapsRun taps(test::small_taps(), 3);
    taps.tick(90 * kSecond);
    CrossingOptions options;
    for (std::uint16_t i = 0; i < 20; ++i) {
        options.client_port.fill(static_cast<std::uint16_t>(50'000 + i));
        options.start += kSecond;
        eventful(taps, options);
    }
    taps.finish();
    EXPECT_EQ(taps.count(Counter::taps_introduced), 0U);
    EXPECT_EQ(taps.count(Counter::taps_handed_over), 0U);
    EXPECT_EQ(taps.conversations().size(), 20U);
}

// The same ports once more: both halves belong together anew, whoever has them.
TEST(HandOver, a_new_syn_with_the_same_ports_is_another_connection_for_both_workers) {
    Story story{.connections = connections(8)};
    for (std::size_t i = 0; i < 8; ++i) {
        story.connections.push_back(story.connections[i]);
        story.connections.back().start += 20 * kSecond;
        story.connections.back().isn = {77'000 + static_cast<std::uint32_t>(i) * 1000U, 5};
    }
    expect_same(story);
}

// Which of them can be it is no better known for being at another worker.
TEST(HandOver, syns_that_never_leave_are_doubted_as_within_one_engine) {
    const auto known = [](std::uint32_t workers) {
        TapsRun taps(test::small_taps(), workers);
        taps.tick(90 * kSecond);
        for (std::uint16_t i = 0; i < 8; ++i) {
            // Another translation of the same client's attempt: number, timestamp, all are new.
            CrossingOptions out = translated(i);
            out.client[1] = out.client[0];
            CrossingOptions in = out;
            in.isn[0] = 0x4000'0000U + i;
            in.timestamps = false;
            in.ip_ids = false;
            Crossing enters(taps, out);
            enters.syn(Fate::missed_at_exit).wait(50 * kMillisecond);
            Crossing leaves(taps, in);
            leaves.syn(Fate::missed_at_entry);
        }
        taps.tick(200 * kSecond);
        taps.finish();
        std::vector<int> sides;
        for (const Conversation& conversation : taps.conversations()) {
            sides.push_back(conversation.side_known ? 1 : 0);
        }
        std::ranges::sort(sides);
        return sides;
    };
    EXPECT_EQ(known(2), known(1));
    EXPECT_EQ(known(4), known(1));
}

TEST(HandOver, without_room_what_crossed_is_counted_and_the_run_goes_on) {
    EngineOptions engine = test::small_taps();
    HandOver hand_over(2);
    engine.hand_over = &hand_over;
    engine.id_step = 2;
    stats::Counters counters[2];
    std::vector<std::unique_ptr<Engine>> engines;
    for (engine.worker = 0; engine.worker < 2; ++engine.worker) {
        engine.first_id = engine.worker + 1;
        engines.push_back(std::make_unique<Engine>(engine, counters[engine.worker]));
    }
    // Whatever the desk says of worker 1's conversations finds its ring full: worker 1 is away.
    HandedOver filler;
    filler.kind = HandedOver::Kind::gone;
    while (hand_over.ring(0, 1).push(filler)) {
    }
    Introduction introduction;
    introduction.packet.header_complete = true;
    introduction.packet.flags = decode::tcp_flag::kSyn;
    introduction.packet.seq = 4711;
    introduction.packet.time = 100 * kSecond;
    introduction.key.v4.port[0] = 1;
    introduction.from = {.id = 1, .slot = 0, .worker = 0};
    ASSERT_TRUE(hand_over.introductions(0).push(introduction));
    introduction.packet.tap = Side::inside;
    introduction.key.v4.port[0] = 2;
    introduction.from = {.id = 2, .slot = 0, .worker = 1};
    ASSERT_TRUE(hand_over.introductions(1).push(introduction));
    engines[0]->tick(101 * kSecond);
    EXPECT_EQ(counters[0].get(Counter::taps_hand_over_full), 1U);
    engines[1]->tick(101 * kSecond);  // what there was is nobody's, and taken
    EXPECT_EQ(hand_over.ring(0, 1).size(), 0U);
}

TEST(HandOver, no_worker_judges_further_than_the_others_have_come) {
    HandOver hand_over(3);
    EXPECT_EQ(hand_over.reached_by_others(0), INT64_MIN);
    hand_over.publish(1, 5 * kSecond);
    EXPECT_EQ(hand_over.reached_by_others(0), INT64_MIN);
    hand_over.publish(2, 4 * kSecond);
    EXPECT_EQ(hand_over.reached_by_others(0), 4 * kSecond);
    hand_over.publish(2, 9 * kSecond);
    EXPECT_EQ(hand_over.reached_by_others(0), 5 * kSecond);
    EXPECT_EQ(hand_over.reached_by_others(1), INT64_MIN);  // worker 0 has said nothing
}

}  // namespace
}  // namespace tw::taps
