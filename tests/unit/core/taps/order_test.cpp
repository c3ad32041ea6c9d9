// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "support/random.hpp"
#include "unit/core/taps/pair_samples.hpp"

namespace tw::taps {
namespace {

using test::kT0;
using test::segment;
using test::Told;

// One way of a conversation past two taps, and its receiver's answers at the exit tap.
struct OrderTest : testing::Test {
    Told sink;
    TapHealth health;
    stats::Counters counters;
    Order order{Backing::lazy, sink, health, counters};
    OrderState state{};
    std::uint32_t ordinal = 0;

    // `nth` segment of 1000 bytes: entered nth, left at a time.
    void pass(std::uint32_t nth, Nanos left, bool alone = true, bool again = false,
              bool others_wait = false) {
        Packet in = segment(nth * kMillisecond, 1 + nth * 1000);
        in.ordinal = nth + 1;
        Packet out = in;
        out.tap = Side::inside;
        out.time = kT0 + left;
        out.ordinal = ++ordinal;
        order.passed(state,
                     {.entered = in,
                      .left = out,
                      .alone = alone,
                      .others_wait = others_wait,
                      .out_of_order = again},
                     Witnessed{.conversation = 1});
    }
    void answer(Nanos at, std::uint32_t ack_nth, std::vector<std::pair<int, int>> has = {}) {
        Packet packet = segment(at, 5000, 0);
        packet.tap = Side::inside;
        packet.ack = 1 + ack_nth * 1000;
        for (const auto& [from, until] : has) {
            packet.options |= option_bit::kSack;
            packet.sack[packet.sack_count++] = {static_cast<std::uint32_t>(1 + from * 1000),
                                                static_cast<std::uint32_t>(1 + until * 1000)};
        }
        order.heard(state, packet);
    }
};

TEST_F(OrderTest, packets_in_order_are_not_told) {
    for (std::uint32_t i = 0; i < 100; ++i) {
        pass(i, (i + 1) * kMillisecond);
        answer((i + 1) * kMillisecond + 1, i + 1);
    }
    order.finish();
    EXPECT_TRUE(sink.facts.empty());
}

TEST_F(OrderTest, a_late_packet_the_receiver_asked_for_and_then_has_is_proven) {
    pass(0, 1 * kMillisecond);
    answer(2 * kMillisecond, 1);
    pass(2, 3 * kMillisecond);
    answer(4 * kMillisecond, 1, {{2, 3}});
    pass(1, 5 * kMillisecond);
    EXPECT_TRUE(sink.facts.empty());  // it may still be lost beyond the tap
    answer(6 * kMillisecond, 3);
    ASSERT_EQ(sink.facts.size(), 1U);
    EXPECT_EQ(sink.facts[0].kind, FactKind::reordered);
    EXPECT_EQ(sink.facts[0].proof, Proof::receiver_reacts);
    EXPECT_EQ(sink.facts[0].grade, Grade::proven);
    EXPECT_EQ(sink.facts[0].packet.seq, 1001U);
    EXPECT_EQ(sink.facts[0].cites_count, 5);
}

TEST_F(OrderTest, a_repeated_ack_is_a_reaction_where_there_is_no_sack) {
    pass(0, 1 * kMillisecond);
    answer(2 * kMillisecond, 1);
    pass(2, 3 * kMillisecond);
    pass(1, 4 * kMillisecond);
    answer(5 * kMillisecond, 1);
    answer(6 * kMillisecond, 3);
    ASSERT_EQ(sink.facts.size(), 1U);
    EXPECT_EQ(sink.facts[0].grade, Grade::proven);
}

TEST_F(OrderTest, a_receiver_that_had_them_in_order_denies_it) {
    pass(0, 1 * kMillisecond);
    answer(2 * kMillisecond, 1);
    pass(2, 3 * kMillisecond);
    pass(1, 4 * kMillisecond);
    answer(5 * kMillisecond, 3);
    ASSERT_EQ(sink.facts.size(), 1U);
    EXPECT_EQ(sink.facts[0].proof, Proof::receiver_in_order);
    EXPECT_EQ(sink.facts[0].grade, Grade::unproven);
}

TEST_F(OrderTest, what_overtook_must_lie_beyond_for_the_receivers_word_to_prove_it) {
    pass(0, 1 * kMillisecond);
    answer(2 * kMillisecond, 1);
    // The third entered before a repeat of the second, and left after it: the receiver asks for
    // something all the same.
    Packet again = segment(5 * kMillisecond, 1001);
    again.ordinal = 9;
    Packet out = test::leaving(again);
    out.time = kT0 + 6 * kMillisecond;
    out.ordinal = ++ordinal;
    order.passed(state, {.entered = again, .left = out, .out_of_order = true}, Witnessed{});
    pass(2, 7 * kMillisecond);
    answer(8 * kMillisecond, 1);
    answer(9 * kMillisecond, 3);
    order.finish();
    ASSERT_EQ(sink.facts.size(), 1U);
    EXPECT_EQ(sink.facts[0].grade, Grade::probable);
}

TEST_F(OrderTest, what_the_exit_mirror_swapped_and_the_network_then_lost_is_never_proven) {
    pass(0, 1 * kMillisecond);
    answer(2 * kMillisecond, 1);
    pass(2, 3 * kMillisecond);
    pass(1, 4 * kMillisecond);  // lost beyond the tap
    answer(5 * kMillisecond, 1, {{2, 3}});
    // Its repeat, which is what the receiver gets.
    Packet in = segment(20 * kMillisecond, 1001);
    in.ordinal = 20;
    Packet out = test::leaving(in);
    out.ordinal = ++ordinal;
    order.passed(state, {.entered = in, .left = out, .out_of_order = true}, Witnessed{});
    answer(22 * kMillisecond, 3);
    order.tick(kT0 + 10 * kSecond);
    ASSERT_EQ(sink.facts.size(), 1U);
    EXPECT_EQ(sink.facts[0].grade, Grade::probable);
}

TEST_F(OrderTest, a_duplicate_report_tells_that_both_copies_came) {
    pass(0, 1 * kMillisecond);
    answer(2 * kMillisecond, 1);
    pass(2, 3 * kMillisecond);
    answer(4 * kMillisecond, 1, {{2, 3}});
    pass(1, 5 * kMillisecond);
    Packet in = segment(5 * kMillisecond, 1001);
    in.ordinal = 20;
    Packet out = test::leaving(in);
    out.ordinal = ++ordinal;
    order.passed(state, {.entered = in, .left = out, .out_of_order = true}, Witnessed{});
    answer(6 * kMillisecond, 3);
    EXPECT_TRUE(sink.facts.empty());
    answer(7 * kMillisecond, 3, {{1, 2}});
    ASSERT_EQ(sink.facts.size(), 1U);
    EXPECT_EQ(sink.facts[0].grade, Grade::proven);
}

TEST_F(OrderTest, without_a_word_of_the_receiver_patience_ends) {
    pass(1, 3 * kMillisecond);
    pass(0, 4 * kMillisecond);
    order.tick(kT0 + kSecond);
    EXPECT_TRUE(sink.facts.empty());
    order.tick(kT0 + 4 * kSecond);
    EXPECT_EQ(sink.facts.size(), 1U);
}

TEST_F(OrderTest, times_alone_do_not_count_within_what_the_taps_contradict_each_other_by) {
    const Packet in = segment(0, 1);
    health.pair(Way::inward, in, test::leaving(in, -kMillisecond));
    pass(1, 3 * kMillisecond);
    pass(0, 4 * kMillisecond);  // 2 ms slower
    order.finish();
    EXPECT_TRUE(sink.facts.empty());
    EXPECT_EQ(counters.get(stats::Counter::taps_late_within_skew), 1U);
}

TEST_F(OrderTest, within_that_the_receivers_word_alone_proves_nothing) {
    const Packet in = segment(0, 1);
    health.pair(Way::inward, in, test::leaving(in, -kMillisecond));
    pass(0, 1 * kMillisecond);
    answer(2 * kMillisecond, 1);
    pass(2, 3 * kMillisecond);
    answer(3 * kMillisecond + 1, 1, {{2, 3}});
    pass(1, 4 * kMillisecond);
    answer(6 * kMillisecond, 3);
    ASSERT_EQ(sink.facts.size(), 1U);
    EXPECT_EQ(sink.facts[0].proof, Proof::receiver_reacts);
    EXPECT_EQ(sink.facts[0].grade, Grade::probable);
}

TEST_F(OrderTest, of_equal_acks_one_is_late_once_all_have_left_and_is_never_proven) {
    const auto pass_ack = [&](bool others_wait, bool exact) {
        Packet in = segment(kMillisecond, 1, 0);
        in.ordinal = 2;
        Packet out = test::leaving(in, 5 * kMillisecond);
        out.ordinal = ++ordinal;
        order.passed(state,
                     {.entered = in,
                      .left = out,
                      .alone = false,
                      .others_wait = others_wait,
                      .exact = exact},
                     Witnessed{});
    };
    pass(2, 3 * kMillisecond);
    pass_ack(true, true);
    pass_ack(false, false);  // SACK blocks rewritten: which one it is, is a guess
    EXPECT_TRUE(sink.facts.empty());
    pass_ack(false, true);
    ASSERT_EQ(sink.facts.size(), 1U);
    EXPECT_EQ(sink.facts[0].grade, Grade::probable);
}

TEST_F(OrderTest, equal_packets_with_bytes_say_nothing_as_one_may_be_sent_for_a_lost_one) {
    pass(2, 3 * kMillisecond);
    pass(1, 4 * kMillisecond, false);
    order.finish();
    EXPECT_TRUE(sink.facts.empty());
}

TEST_F(OrderTest, what_left_in_the_order_of_its_numbers_was_swapped_by_the_entry_taps_mirror) {
    pass(0, 1 * kMillisecond);
    // As captured the third entered before the second; they left in order.
    Packet second = segment(3 * kMillisecond, 1001);
    second.ordinal = 3;
    Packet third = segment(2 * kMillisecond, 2001);
    third.ordinal = 2;
    for (const Packet& in : {second, third}) {
        Packet out = test::leaving(in, 5 * kMillisecond);
        out.ordinal = ++ordinal;
        order.passed(state, {.entered = in, .left = out, .out_of_order = in.seq == third.seq},
                     Witnessed{});
    }
    ASSERT_EQ(sink.facts.size(), 1U);
    EXPECT_EQ(sink.facts[0].proof, Proof::receiver_in_order);
    EXPECT_EQ(sink.facts[0].grade, Grade::unproven);
}

TEST_F(OrderTest, that_one_of_equal_packets_overtook_the_other_is_not_seen) {
    Packet first = segment(kMillisecond, 1, 0);
    first.ip_id = 0;
    first.ordinal = 1;
    Packet second = first;
    second.time += kMillisecond;
    second.ordinal = 2;
    for (const Packet& in : {second, first}) {
        Packet out = test::leaving(in, 5 * kMillisecond);
        out.ordinal = ++ordinal;
        order.passed(state, {.entered = in, .left = out, .alone = false}, Witnessed{});
    }
    EXPECT_TRUE(sink.facts.empty());
}

TEST_F(OrderTest, a_repeat_that_looks_the_same_may_be_what_left) {
    for (const bool told_apart : {true, false}) {
        sink.facts.clear();
        state = {};
        pass(2, 3 * kMillisecond);
        Packet in = segment(kMillisecond, 1001);
        in.ordinal = 2;
        if (!told_apart) {
            in.ip_id = 0;
            in.options = 0;
        }
        order.entered(state, segment(2 * kMillisecond, 2001));
        Packet repeat = in;
        repeat.time += 3 * kMillisecond;
        order.entered(state, repeat);
        Packet out = test::leaving(in, 4 * kMillisecond);
        out.ordinal = ++ordinal;
        order.passed(state, {.entered = in, .left = out}, Witnessed{});
        order.finish();
        EXPECT_EQ(sink.facts.size(), told_apart ? 1U : 0U);
    }
}

TEST_F(OrderTest, of_a_repeat_the_receivers_words_prove_nothing) {
    pass(0, 1 * kMillisecond);
    answer(2 * kMillisecond, 1);
    pass(2, 3 * kMillisecond);
    answer(4 * kMillisecond, 1, {{2, 3}});
    pass(1, 5 * kMillisecond, true, true);
    ASSERT_EQ(sink.facts.size(), 1U);
    EXPECT_EQ(sink.facts[0].grade, Grade::probable);
}

TEST_F(OrderTest, more_late_packets_than_may_wait_are_told_at_once_and_counted) {
    pass(100, kMillisecond);
    for (std::uint32_t i = 0; i < Order::kWaitingOfWayMax + 5; ++i) {
        pass(i, (2 + i) * kMillisecond);
    }
    EXPECT_EQ(sink.facts.size(), 5U);
    EXPECT_EQ(counters.get(stats::Counter::taps_late_full), 5U);
    order.ended(state);
    EXPECT_EQ(sink.facts.size(), Order::kWaitingOfWayMax + 5U);
    EXPECT_EQ(state.waiting, 0U);
}

// A receiver that acknowledges every segment at once, with SACK.
struct Receiver {
    std::uint32_t next = 0;  // number of the first segment it lacks
    std::map<std::uint32_t, std::uint32_t> beyond;

    std::vector<std::pair<int, int>> take(std::uint32_t nth) {
        beyond[nth] = nth + 1;
        while (beyond.contains(next)) {
            beyond.erase(next++);
        }
        std::vector<std::pair<int, int>> blocks;
        for (const auto& [from, until] : beyond) {
            if (!blocks.empty() && blocks.back().second == static_cast<int>(from)) {
                blocks.back().second = static_cast<int>(until);
            } else {
                blocks.emplace_back(from, until);
            }
        }
        // The one that changed last comes first (RFC 2018).
        const auto mine = std::find_if(blocks.begin(), blocks.end(), [&](const auto& block) {
            return block.first <= static_cast<int>(nth) && static_cast<int>(nth) < block.second;
        });
        if (mine != blocks.end()) {
            std::rotate(blocks.begin(), mine, mine + 1);
        }
        blocks.resize(std::min<std::size_t>(blocks.size(), 3));
        return blocks;
    }
};

// RFC 4737 3.3: late if one that entered later has left before. All of them, none else.
TEST_F(OrderTest, random_delays_give_exactly_the_late_packets_and_the_receiver_proves_them) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        tw::test::Random random(seed);
        state = {};
        sink.facts.clear();
        ordinal = 0;
        const std::uint32_t count = 200;
        const Nanos answer_after = random.between(1, 5'000) * kMicrosecond;
        struct Event {
            Nanos time;
            bool is_answer;
            std::uint32_t nth;
        };
        std::vector<Event> events;
        for (std::uint32_t i = 0; i < count; ++i) {
            const Nanos extra = random.chance(10) ? random.below(4'000) * kMicrosecond : 0;
            const Nanos left = i * kMillisecond + 100 * kMicrosecond + extra;
            events.push_back({left, false, i});
            events.push_back({left + answer_after, true, i});
        }
        std::stable_sort(events.begin(), events.end(),
                         [](const Event& a, const Event& b) { return a.time < b.time; });
        Receiver receiver;
        std::vector<std::uint32_t> late;
        std::int64_t latest = -1;
        for (const Event& event : events) {
            if (event.is_answer) {
                const auto blocks = receiver.take(event.nth);
                answer(event.time, receiver.next, blocks);
                continue;
            }
            pass(event.nth, event.time);
            if (event.nth < latest) {
                late.push_back(event.nth);
            }
            latest = std::max<std::int64_t>(latest, event.nth);
        }
        order.finish();
        std::vector<std::uint32_t> told;
        for (const Fact& fact : sink.facts) {
            told.push_back((fact.packet.seq - 1) / 1000);
            EXPECT_EQ(fact.grade, Grade::proven) << "seed " << seed << " nth " << told.back();
        }
        std::sort(told.begin(), told.end());
        std::sort(late.begin(), late.end());
        EXPECT_EQ(told, late) << "seed " << seed;
    }
}

}  // namespace
}  // namespace tw::taps
