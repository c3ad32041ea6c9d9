// SPDX-License-Identifier: BSD-3-Clause
// The engine as a whole: which packets are twins, which way they go, which conversations are one,
// and that what must not matter does not.
#include "core/taps/engine.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "crossing.hpp"

namespace tw::taps {
namespace {

using stats::Counter;
using test::TapsRun;

// Ends of both captures, far enough from what happened that all of it is judged.
void end(TapsRun& taps, const Crossing& last) {
    taps.tick(last.time() + 10 * kSecond);
    taps.finish();
}

TapsRun& started(TapsRun& taps) {
    return taps.tick(90 * kSecond);
}

Crossing talk(TapsRun& taps, const CrossingOptions& options = {}) {
    Crossing crossing(taps, options);
    crossing.handshake().client("a request").server("an answer of some length");
    crossing.client("").client("another").server("and the last").close();
    return crossing;
}

void expect_all_pass(const TapsRun& taps, Side client_side = Side::outside,
                     bool side_known = true) {
    ASSERT_EQ(taps.conversations().size(), 1U);
    const Conversation& c = taps.conversations()[0];
    EXPECT_EQ(c.client_side, client_side);
    EXPECT_EQ(c.side_known, side_known);
    EXPECT_TRUE(c.client_known);
    const WayCounts& clients = c.ways[index(way_into(client_side))];
    const WayCounts& servers = c.ways[index(back(way_into(client_side)))];
    EXPECT_EQ(clients.entered, 7U);
    EXPECT_EQ(clients.passed, 7U);
    EXPECT_EQ(clients.passed_bytes, 16U);
    EXPECT_EQ(servers.entered, 4U);
    EXPECT_EQ(servers.passed, 4U);
    EXPECT_EQ(servers.passed_bytes, 36U);
    EXPECT_EQ(clients.syns_left, 1U);
    EXPECT_EQ(servers.fins_left, 1U);
    for (const Fact& fact : taps.facts()) {
        ADD_FAILURE() << name(fact.kind) << " at " << fact.packet.frame;
    }
}

TEST(Engine, every_packet_of_a_routed_conversation_finds_its_twin) {
    TapsRun taps;
    started(taps);
    end(taps, talk(taps));
    expect_all_pass(taps);
    EXPECT_EQ(taps.conversations()[0].pairing, Pairing::same_tuple);
    EXPECT_EQ(taps.engine().health().conversations_at_both, 1U);
    EXPECT_EQ(taps.engine().health().untold_sides, 0U);
}

TEST(Engine, times_of_a_class_are_kept_by_themselves_and_it_is_asked_for_once) {
    class OneClass final : public TimedClasses {
      public:
        [[nodiscard]] std::uint8_t class_of(const Conversation& record) const override {
            ++asked;
            return record.server[index(Side::inside)].port == 443 ? 2 : 0;
        }
        mutable int asked = 0;
    } classes;
    EngineOptions options = test::small_taps();
    options.timed_classes = &classes;
    TapsRun taps(options);
    started(taps);
    end(taps, talk(taps));
    const Passage& passage = taps.engine().passage();
    EXPECT_EQ(classes.asked, 1);
    EXPECT_EQ(passage.transits(2, true).count(), 2U);
    EXPECT_EQ(passage.transits(2, false).count(), 9U);
    EXPECT_EQ(passage.transits(1, false).count(), 0U);
}

TEST(Engine, a_client_inside_is_told_by_the_falling_ttl) {
    TapsRun taps;
    started(taps);
    end(taps, talk(taps, {.client_side = Side::inside}));
    expect_all_pass(taps, Side::inside);
}

TEST(Engine, a_transparent_firewall_is_told_by_times_that_no_packet_contradicts) {
    for (const Nanos skew : {0 * kMillisecond, 7 * kMillisecond}) {
        for (const Side slow : {Side::outside, Side::inside}) {
            for (const Side client : {Side::outside, Side::inside}) {
                CrossingOptions options{
                    .client_side = client, .step = 20 * kMillisecond, .hops = 0};
                options.mirror_delay[index(slow)] = skew;
                TapsRun taps;
                started(taps);
                end(taps, talk(taps, options));
                // A mirror that is late by more than the transit leaves a guess.
                expect_all_pass(taps, client, skew == 0);
            }
        }
    }
}

TEST(Engine, a_guess_that_some_times_contradict_stays_a_doubt) {
    TapsRun taps;
    started(taps);
    CrossingOptions options{.hops = 0};
    options.step = 20 * kMillisecond;
    options.mirror_delay[index(Side::inside)] = kMillisecond;
    Crossing crossing(taps, options);
    crossing.handshake();
    for (int i = 0; i < 12; ++i) {
        crossing.client("a request").server("an answer");
    }
    end(taps, crossing.close());
    ASSERT_EQ(taps.conversations().size(), 1U);
    // One way seems to leave before it enters: nothing confirms.
    EXPECT_FALSE(taps.conversations()[0].side_known);
    EXPECT_EQ(taps.engine().health().untold_sides, 1U);
}

TEST(Engine, sides_of_addresses_are_learnt_and_spare_the_wait) {
    TapsRun taps;
    started(taps);
    CrossingOptions options;
    for (std::uint16_t i = 0; i < 3; ++i) {
        options.client_port.fill(static_cast<std::uint16_t>(40'000 + i));
        options.start += kSecond;
        talk(taps, options);
    }
    // Its SYN never leaves and nothing ever answers: known all the same.
    options.client_port.fill(50'000);
    options.start += kSecond;
    Crossing blocked(taps, options);
    blocked.syn(Fate::lost);
    end(taps, blocked);
    ASSERT_EQ(taps.conversations().size(), 4U);
    for (const Conversation& conversation : taps.conversations()) {
        EXPECT_TRUE(conversation.side_known);
        EXPECT_EQ(conversation.client_side, Side::outside);
    }
}

TEST(Engine, a_lost_packet_entered_and_did_not_leave) {
    TapsRun taps;
    started(taps);
    Crossing crossing(taps, {});
    crossing.handshake().client("one").client("two", Fate::lost).client("three");
    crossing.wait(kSecond).repeat(0, "two").close();
    end(taps, crossing);
    ASSERT_EQ(taps.conversations().size(), 1U);
    const WayCounts& inward = taps.conversations()[0].ways[index(Way::inward)];
    EXPECT_EQ(inward.entered, inward.passed + 1);
    const WayCounts& outward = taps.conversations()[0].ways[index(Way::outward)];
    EXPECT_EQ(outward.entered, outward.passed);
}

TEST(Engine, new_initial_numbers_are_followed_in_both_directions) {
    TapsRun taps;
    started(taps);
    end(taps, talk(taps, {.isn = {0xFFFF'FFF0, 9000}, .shift = {0x7000'0000, 0x8888'8888}}));
    expect_all_pass(taps);
    const Conversation& conversation = taps.conversations()[0];
    EXPECT_EQ(conversation.pairing, Pairing::same_tuple_isn);
    EXPECT_TRUE(conversation.ways[0].isn_known);
    EXPECT_EQ(conversation.ways[0].isn_left - conversation.ways[0].isn_entered, 0x7000'0000U);
}

CrossingOptions translated() {
    CrossingOptions options;
    options.client = {"192.0.2.10", "10.99.0.1"};
    options.server = {"198.51.100.80", "10.20.0.80"};
    options.client_port = {50'123, 2048};
    options.server_port = {443, 8443};
    return options;
}

TEST(Engine, new_numbers_behind_a_slow_mirror_are_no_answer_of_the_firewall) {
    for (const bool timestamps : {true, false}) {
        CrossingOptions options{.shift = {0, 5'000'000}};
        options.mirror_delay[index(Side::inside)] = 7 * kMillisecond;
        options.step = 20 * kMillisecond;
        options.timestamps = timestamps;
        TapsRun taps;
        started(taps);
        end(taps, talk(taps, options));
        expect_all_pass(taps);
    }
}

TEST(Engine, both_ends_of_a_translated_conversation_are_one) {
    TapsRun taps;
    started(taps);
    end(taps, talk(taps, translated()));
    expect_all_pass(taps);
    const Conversation& conversation = taps.conversations()[0];
    EXPECT_TRUE(conversation.translated);
    EXPECT_EQ(conversation.pairing, Pairing::syn_fingerprint);
    EXPECT_EQ(conversation.client[1].port, 2048);
    EXPECT_EQ(conversation.server[0].port, 443);
    EXPECT_EQ(conversation.server[1].port, 8443);
}

TEST(Engine, translated_and_with_new_numbers_it_is_told_by_timestamps_and_a_port_that_stayed) {
    CrossingOptions options = translated();
    options.server_port[1] = 443;
    options.shift = {77, 78};
    TapsRun taps;
    started(taps);
    end(taps, talk(taps, options));
    expect_all_pass(taps);
    EXPECT_EQ(taps.conversations()[0].pairing, Pairing::timestamps);
}

TEST(Engine, two_syns_that_could_both_be_it_leave_the_third_unpaired) {
    // Equal in all that translation and new numbers leave: nothing tells them apart.
    TapsRun taps;
    started(taps);
    CrossingOptions options = translated();
    options.server_port[1] = 443;
    options.shift = {77, 78};
    options.step = 0;
    CrossingOptions second = options;
    second.client_port[0] = 50'124;
    second.isn[0] = 5000;
    Crossing one(taps, options);
    Crossing two(taps, second);
    one.syn(Fate::missed_at_exit);
    two.syn(Fate::missed_at_exit);
    CrossingOptions third = options;
    third.client_port[1] = 2049;
    Crossing gone(taps, third);
    gone.wait(kMillisecond).syn(Fate::missed_at_entry);
    end(taps, gone);
    EXPECT_EQ(taps.count(Counter::taps_ambiguous), 1U);
    EXPECT_EQ(taps.conversations().size(), 3U);
    for (const Conversation& conversation : taps.conversations()) {
        EXPECT_EQ(conversation.pairing, Pairing::unpaired);
    }
}

TEST(Engine, the_operators_map_pairs_without_a_syn) {
    test::Ipv4Bytes inside{10, 20, 0, 80};
    test::Ipv4Bytes outside{198, 51, 100, 80};
    NatHint hint{.inside = {.port = 8443}, .outside = {.port = 443}};
    std::copy(inside.begin(), inside.end(), hint.inside.address.begin());
    std::copy(outside.begin(), outside.end(), hint.outside.address.begin());
    EngineOptions engine = test::small_taps();
    engine.nat_hints = {&hint, 1};
    TapsRun taps(engine);
    started(taps);
    CrossingOptions options;
    options.server = {"198.51.100.80", "10.20.0.80"};
    options.server_port = {443, 8443};
    Crossing crossing(taps, options);
    crossing.client("midway").server("answer").client("");
    end(taps, crossing);
    ASSERT_EQ(taps.conversations().size(), 1U);
    EXPECT_EQ(taps.conversations()[0].pairing, Pairing::nat_hint);
    EXPECT_EQ(taps.conversations()[0].ways[0].passed, 2U);
    EXPECT_EQ(taps.conversations()[0].ways[1].passed, 1U);
}

TEST(Engine, what_a_mirror_delivers_twice_counts_once_and_is_never_missing) {
    TapsRun taps;
    started(taps);
    Crossing crossing(taps, {});
    crossing.handshake().client("once").mirrored_twice(Side::outside);
    crossing.server("and again").mirrored_twice(Side::inside).close();
    end(taps, crossing);
    ASSERT_EQ(taps.conversations().size(), 1U);
    for (const WayCounts& way : taps.conversations()[0].ways) {
        EXPECT_EQ(way.entered, way.passed);
    }
    EXPECT_EQ(taps.count(Counter::taps_copies), 2U);
    EXPECT_EQ(taps.engine().health().taps[0][index(Way::inward)].copies, 1U);
    EXPECT_EQ(taps.facts_of(FactKind::lost_between), 0U);
    EXPECT_EQ(taps.facts_of(FactKind::unproven), 0U);
}

TEST(Engine, a_new_syn_with_the_same_ports_is_another_conversation) {
    TapsRun taps;
    started(taps);
    talk(taps);
    end(taps, talk(taps, {.isn = {777'777, 888'888}, .start = 130 * kSecond}));
    ASSERT_EQ(taps.conversations().size(), 2U);
    for (const Conversation& conversation : taps.conversations()) {
        EXPECT_EQ(conversation.ways[0].passed, 7U);
        EXPECT_EQ(conversation.ways[1].passed, 4U);
        EXPECT_TRUE(conversation.ended);
    }
}

TEST(Engine, near_the_ends_of_a_capture_nothing_is_judged) {
    TapsRun taps;
    Crossing crossing(taps, {});
    crossing.handshake().client("one").client("two", Fate::lost).client("three", Fate::lost);
    taps.finish();
    EXPECT_TRUE(taps.facts().empty());
    EXPECT_GE(taps.count(Counter::taps_unjudged), 2U);
}

TEST(Engine, a_silent_far_tap_judges_nothing) {
    TapsRun taps;
    Crossing crossing(taps, {});
    for (int i = 0; i < 50; ++i) {
        crossing.syn(Fate::lost).wait(kSecond);
    }
    taps.finish();
    EXPECT_TRUE(taps.facts().empty());
    EXPECT_EQ(taps.count(Counter::taps_unjudged), 50U);
}

TEST(Engine, a_payload_that_left_longer_is_a_pair_and_so_is_all_behind_it) {
    TapsRun taps;
    started(taps);
    CrossingOptions options;
    options.lengthened = {"a request", "a request, and what was added to it"};
    Crossing crossing(taps, options);
    crossing.handshake().client("first").client("a request").server("an answer");
    crossing.client("behind it").server("and so on").client("").close();
    end(taps, crossing);
    ASSERT_EQ(taps.conversations().size(), 1U);
    for (const WayCounts& way : taps.conversations()[0].ways) {
        EXPECT_EQ(way.entered, way.passed);
    }
    EXPECT_EQ(taps.facts_of(FactKind::length_changed), 1U);
    EXPECT_EQ(taps.facts().size(), 1U);
}

TEST(Engine, a_payload_that_left_longer_is_told_up_to_the_end_of_the_capture) {
    TapsRun taps;
    started(taps);
    CrossingOptions options;
    options.lengthened = {"a request", "a request, and what was added to it"};
    Crossing crossing(taps, options);
    crossing.handshake().client("a request").server("an answer").client("behind it").close();
    taps.finish();
    EXPECT_EQ(taps.facts_of(FactKind::length_changed), 1U);
}

// tests/bench/flood_bench.cpp: the same with ten million.
TEST(Engine, a_flood_of_syns_takes_neither_memory_nor_established_conversations) {
    constexpr std::size_t kEstablished = 20;
    constexpr std::uint32_t kRounds = 10;
    EngineOptions options = test::small_taps();
    options.conversations_max = 1024;
    TapsRun taps(options);
    started(taps);
    std::vector<Crossing> established;
    CrossingOptions good;
    for (std::size_t i = 0; i < kEstablished; ++i) {
        good.client_port.fill(static_cast<std::uint16_t>(50'000 + i));
        good.step = 0;
        established.emplace_back(taps, good);
        established.back().handshake();
        good.start += kMillisecond;
    }
    const std::size_t before = taps.engine().memory_bytes();
    CrossingOptions one;
    one.start = 101 * kSecond;
    constexpr Nanos kStep = 20 * kMicrosecond;
    for (std::uint32_t i = 0; i < 30'000; ++i) {
        one.client.fill("11." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." +
                        std::to_string(i & 255));
        one.isn[0] = i * 7919;
        one.start += kStep;
        Crossing(taps, one).syn(i % 3 == 0 ? Fate::passes : Fate::lost);
        if (i % (30'000 / kRounds) == 0) {
            for (Crossing& crossing : established) {
                crossing.wait(one.start - crossing.time()).client("still here");
            }
        }
    }
    EXPECT_EQ(taps.engine().memory_bytes(), before);
    EXPECT_GT(taps.count(Counter::taps_evicted), 0U);
    taps.finish();
    EXPECT_EQ(taps.count(Counter::taps_records), taps.conversations().size());
    EXPECT_LE(taps.conversations().size(), taps.count(Counter::taps_conversations));
    std::size_t kept = 0;
    for (const Conversation& conversation : taps.conversations()) {
        const WayCounts& inward = conversation.ways[index(Way::inward)];
        kept += inward.entered == kRounds + 2 && inward.passed == kRounds + 2 ? 1 : 0;
    }
    EXPECT_EQ(kept, kEstablished);
}

struct Summary {
    std::size_t conversations;
    std::uint64_t passed[2];
    std::uint64_t entered[2];
    std::size_t facts;
    friend bool operator==(const Summary&, const Summary&) = default;
};

Summary summary_of(const CrossingOptions& options, std::uint32_t burst = 1) {
    TapsRun taps;
    taps.set_burst(burst);
    started(taps);
    Crossing crossing(taps, options);
    crossing.handshake().client("request").server("lost one", Fate::lost).server("next");
    crossing.client("").wait(300 * kMillisecond).repeat(1, "next").client("", Fate::lost);
    crossing.client("more", Fate::missed_at_exit).server("").client("x", Fate::missed_at_entry);
    crossing.close();
    end(taps, crossing);
    const Conversation& c = taps.conversations().at(0);
    return {taps.conversations().size(),
            {c.ways[0].passed, c.ways[1].passed},
            {c.ways[0].entered, c.ways[1].entered},
            taps.facts().size()};
}

TEST(Engine, what_must_not_matter_changes_nothing) {
    const Summary plain = summary_of({});
    EXPECT_EQ(plain.conversations, 1U);
    EXPECT_EQ(summary_of({.isn = {0xFFFF'FFFE, 0x7FFF'FFF8}}), plain);
    EXPECT_EQ(summary_of({.shift = {12, 0xFFFF'0000}}), plain);
    EXPECT_EQ(summary_of(translated()), plain);
    CrossingOptions tagged;
    tagged.below[1] = [](test::PacketBuilder& builder) { builder.vlan(30).vlan(7); };
    EXPECT_EQ(summary_of(tagged), plain);
    CrossingOptions v6{.v6 = true};
    v6.client.fill("2001:db8::10");
    v6.server.fill("2001:db8:20::80");
    EXPECT_EQ(summary_of(v6), plain);
    for (const std::uint32_t burst : {2U, 7U, 32U}) {
        EXPECT_EQ(summary_of({}, burst), plain) << burst;
    }
}

}  // namespace
}  // namespace tw::taps
