// SPDX-License-Identifier: BSD-3-Clause
// Packets that entered and were not seen to leave: each row of the decision table by a script that
// must lead to it, and by one that nearly does.
#include <gtest/gtest.h>

#include "support/tap_script.hpp"

namespace tw::taps {
namespace {

using test::Fate;
using test::Sent;
using test::TapScript;
namespace flag = decode::tcp_flag;

constexpr Nanos kMs = kMillisecond;
constexpr Way kClient = TapScript::kClient;
constexpr Way kServer = TapScript::kServer;

// A request of 100 bytes that passes and is acknowledged: the server answers from number 1.
void open_connection(TapScript& taps, bool scales = false) {
    taps.handshake(kMs, scales);
    taps.send({.at = 10 * kMs, .way = kClient, .seq = 1, .bytes = 100, .ack = 1});
    taps.send({.at = 12 * kMs, .way = kServer, .seq = 1, .ack = 101});
}

TEST(EvidenceLosses, what_the_receiver_acknowledges_unseen_was_missed_by_the_capture) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1},
              Fate::unseen_inside);
    taps.send({.at = 22 * kMs, .way = kServer, .seq = 1, .ack = 201});
    taps.run(5 * kSecond);
    EXPECT_EQ(taps.told(), "missed_at_exit proven receiver_covers");
    EXPECT_EQ(taps.end(6 * kSecond).ways[0].missed_at_exit, 1U);
}

TEST(EvidenceLosses, nothing_is_told_of_what_passes) {
    TapScript taps;
    open_connection(taps);
    taps.run(5 * kSecond);
    taps.end(60 * kSecond);
    EXPECT_EQ(taps.told(), "");
}

TEST(EvidenceLosses, acknowledged_late_another_copy_may_have_come_unseen) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1},
              Fate::unseen_inside);
    taps.send({.at = 420 * kMs, .way = kServer, .seq = 1, .ack = 201});
    taps.run(5 * kSecond);
    EXPECT_EQ(taps.told(), "missed_at_exit probable receiver_covers");
}

TEST(EvidenceLosses, an_old_echo_shows_that_it_was_this_copy_however_late) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1, .tsval = 50},
              Fate::unseen_inside);
    taps.send({.at = 420 * kMs, .way = kServer, .seq = 1, .ack = 201, .tsval = 9, .tsecr = 50});
    taps.run(5 * kSecond);
    EXPECT_EQ(taps.told(), "missed_at_exit proven receiver_covers");
}

TEST(EvidenceLosses, a_later_copy_that_left_proves_the_first_one_lost) {
    TapScript taps;
    open_connection(taps);
    const Sent data{.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1};
    taps.send(data, Fate::dropped);
    Sent again = data;
    again.at = 320 * kMs;
    taps.send(again);
    taps.send({.at = 325 * kMs, .way = kServer, .seq = 1, .ack = 201});
    taps.run(5 * kSecond);
    EXPECT_EQ(taps.told(), "lost_between proven left_later");
    const Fact& fact = taps.facts().front();
    EXPECT_TRUE(fact.single_fault);
    EXPECT_EQ(fact.cost, 300 * kMs + data.transit);
    EXPECT_EQ(fact.time, data.at);
    EXPECT_EQ(fact.attempts, 1);
}

TEST(EvidenceLosses, a_repeat_that_by_skew_leaves_before_it_enters_is_that_later_copy) {
    TapScript taps;
    open_connection(taps);
    const Sent data{.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1};
    taps.send(data, Fate::dropped);
    Sent again = data;
    again.at = 320 * kMs;
    again.late_outside = again.transit + kMicrosecond;
    taps.send(again);
    taps.send({.at = 325 * kMs, .way = kServer, .seq = 1, .ack = 201});
    taps.run(5 * kSecond);
    EXPECT_EQ(taps.told(), "lost_between proven left_later");
}

TEST(EvidenceLosses, a_receiver_that_reports_a_duplicate_had_the_first_copy) {
    TapScript taps;
    open_connection(taps);
    Sent data{.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1};
    taps.send(data, Fate::unseen_inside);
    data.at = 320 * kMs;
    taps.send(data);
    taps.send({.at = 325 * kMs, .way = kServer, .seq = 1, .ack = 201, .sack = {{101, 201}}});
    taps.run(5 * kSecond);
    EXPECT_EQ(taps.told(), "missed_at_exit probable receiver_covers");
}

TEST(EvidenceLosses, an_ack_older_than_the_copy_that_left_answers_the_first_one) {
    TapScript taps;
    open_connection(taps);
    Sent data{.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1, .tsval = 50};
    taps.send(data, Fate::unseen_inside);
    data.at = 120 * kMs;
    data.tsval = 150;
    taps.send(data);
    taps.send({.at = 121 * kMs, .way = kServer, .seq = 1, .ack = 201, .tsval = 9, .tsecr = 50});
    taps.run(5 * kSecond);
    EXPECT_EQ(taps.told(), "missed_at_exit probable receiver_covers");
}

TEST(EvidenceLosses, an_ack_that_comes_sooner_than_a_round_trip_leaves_both_open) {
    TapScript taps;
    taps.handshake(0);
    taps.send({.at = 10 * kMs, .way = kClient, .seq = 1, .bytes = 100, .ack = 1});
    taps.send({.at = 30 * kMs, .way = kServer, .seq = 1, .ack = 101});
    Sent data{.at = 100 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1};
    taps.send(data, Fate::unseen_inside);
    data.at = 119 * kMs;
    taps.send(data);
    taps.send({.at = 119 * kMs + 300 * kMicrosecond, .way = kServer, .seq = 1, .ack = 201});
    taps.run(5 * kSecond);
    EXPECT_EQ(taps.told(), "lost_between probable left_later");
}

TEST(EvidenceLosses, a_mirror_that_swaps_data_and_ack_proves_nothing) {
    TapScript taps;
    open_connection(taps);
    Sent data{.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1};
    taps.send(data, Fate::dropped);
    data.at = 320 * kMs;
    data.late_inside = 2 * kMs;  // shown behind the ACK for it
    taps.send(data);
    taps.send({.at = 321 * kMs, .way = kServer, .seq = 1, .ack = 201});
    taps.run(5 * kSecond);
    for (const Fact& fact : taps.facts()) {
        EXPECT_NE(fact.grade, Grade::proven) << taps.told();
    }
}

TEST(EvidenceLosses, asked_for_and_never_sent_again_it_was_lost) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1}, Fate::dropped);
    taps.send({.at = 21 * kMs, .way = kClient, .seq = 201, .bytes = 100, .ack = 1});
    taps.send({.at = 22 * kMs, .way = kServer, .seq = 1, .ack = 101, .sack = {{201, 301}}});
    taps.run(5 * kSecond);
    EXPECT_EQ(taps.told(), "lost_between proven receiver_asks");
    EXPECT_EQ(taps.facts()[0].cost, 0);
}

TEST(EvidenceLosses, bare_duplicate_acks_ask_too_and_one_alone_does_not) {
    for (const int repeats : {1, 3}) {
        TapScript taps;
        open_connection(taps);
        taps.send({.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1},
                  Fate::dropped);
        for (int i = 0; i < repeats; ++i) {
            taps.send({.at = (21 + i) * kMs,
                       .way = kClient,
                       .seq = 201 + static_cast<std::uint32_t>(i) * 100,
                       .bytes = 100,
                       .ack = 1});
            taps.send({.at = (25 + i) * kMs, .way = kServer, .seq = 1, .ack = 101});
        }
        taps.run(5 * kSecond);
        EXPECT_EQ(taps.told(), repeats == 3 ? "lost_between proven receiver_asks" : "");
    }
}

TEST(EvidenceLosses, what_came_late_and_was_then_acknowledged_was_not_lost) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1},
              Fate::unseen_inside);
    taps.send({.at = 21 * kMs, .way = kClient, .seq = 201, .bytes = 100, .ack = 1});
    taps.send({.at = 22 * kMs, .way = kServer, .seq = 1, .ack = 101, .sack = {{201, 301}}});
    taps.send({.at = 26 * kMs, .way = kServer, .seq = 1, .ack = 301});
    taps.run(5 * kSecond);
    EXPECT_EQ(taps.told(), "missed_at_exit probable receiver_covers");
}

TEST(EvidenceLosses, sent_again_and_again_and_never_leaving_it_is_lost_once_for_all_copies) {
    TapScript taps;
    open_connection(taps);
    for (const Nanos at : {20 * kMs, 240 * kMs, 700 * kMs}) {
        taps.send({.at = at, .way = kClient, .seq = 101, .bytes = 100, .ack = 1}, Fate::dropped);
    }
    taps.run(3 * kSecond);
    EXPECT_EQ(taps.told(), "lost_between proven no_copy_leaves");
    taps.end(5 * kSecond);
    unsigned attempts = 0;
    for (const Fact& fact : taps.facts()) {
        attempts += fact.attempts;
    }
    EXPECT_EQ(attempts, 3U) << taps.told();
}

TEST(EvidenceLosses, one_copy_that_nobody_asks_for_is_not_decided) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1}, Fate::dropped);
    taps.end(5 * kSecond);
    EXPECT_EQ(taps.told(), "unproven unproven nothing_decides");
}

TEST(EvidenceLosses, an_ack_that_only_the_senders_tap_saw_forbids_an_accusation) {
    TapScript taps;
    open_connection(taps);
    for (const Nanos at : {20 * kMs, 240 * kMs}) {
        taps.send({.at = at, .way = kClient, .seq = 101, .bytes = 100, .ack = 1},
                  Fate::unseen_inside);
    }
    taps.send({.at = 250 * kMs, .way = kServer, .seq = 1, .ack = 201}, Fate::unseen_inside);
    taps.end(5 * kSecond);
    EXPECT_EQ(taps.facts(FactKind::lost_between).size(), 0U) << taps.told();
}

TEST(EvidenceLosses, syns_that_never_leave_are_dropped_and_one_alone_is_probable) {
    for (const int syns : {1, 4}) {
        TapScript taps;
        for (int i = 0; i < syns; ++i) {
            taps.send({.at = i * kSecond, .way = kClient, .flags = flag::kSyn}, Fate::dropped);
        }
        const Conversation record = taps.end(60 * kSecond);
        ASSERT_FALSE(taps.facts().empty());
        EXPECT_EQ(name(taps.facts()[0].grade), name(syns > 1 ? Grade::proven : Grade::probable));
        EXPECT_EQ(taps.facts()[0].kind, FactKind::lost_between);
        EXPECT_TRUE(taps.facts()[0].single_fault || syns == 1);
        EXPECT_TRUE(taps.facts()[0].in_handshake);
        EXPECT_EQ(record.outcome, Outcome::syn_dropped);
        EXPECT_EQ(record.ways[0].lost, static_cast<std::uint32_t>(syns));
    }
}

TEST(EvidenceLosses, a_silent_server_is_not_the_firewall) {
    TapScript taps;
    for (int i = 0; i < 4; ++i) {
        taps.send({.at = i * kSecond, .way = kClient, .flags = flag::kSyn});
    }
    const Conversation record = taps.end(60 * kSecond);
    EXPECT_EQ(taps.told(), "");
    EXPECT_EQ(record.outcome, Outcome::server_silent);
}

TEST(EvidenceLosses, a_dead_receiver_lets_a_missed_copy_prove_nothing) {
    TapScript taps;
    taps.send({.at = 0, .way = kClient, .flags = flag::kSyn}, Fate::unseen_inside);
    for (int i = 1; i < 4; ++i) {
        taps.send({.at = i * kSecond, .way = kClient, .flags = flag::kSyn});
    }
    taps.end(60 * kSecond);
    EXPECT_EQ(taps.told(), "unproven unproven nothing_decides");
}

TEST(EvidenceLosses, syn_acks_that_never_leave_are_told_apart_from_syns) {
    TapScript taps;
    for (int i = 0; i < 3; ++i) {
        taps.send({.at = i * kSecond, .way = kClient, .flags = flag::kSyn});
        taps.send(
            {.at = i * kSecond + kMs, .way = kServer, .ack = 1, .flags = flag::kSyn | flag::kAck},
            Fate::dropped);
    }
    const Conversation record = taps.end(60 * kSecond);
    ASSERT_FALSE(taps.facts().empty());
    EXPECT_EQ(taps.facts()[0].kind, FactKind::lost_between);
    EXPECT_EQ(taps.facts()[0].grade, Grade::proven);
    EXPECT_EQ(taps.facts()[0].way, kServer);
    EXPECT_EQ(record.outcome, Outcome::syn_ack_dropped);
}

TEST(EvidenceLosses, a_repeat_of_what_had_left_is_suppressed_not_lost) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1});
    taps.send({.at = 21 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1}, Fate::dropped);
    taps.send({.at = 24 * kMs, .way = kServer, .seq = 1, .ack = 201});
    taps.end(5 * kSecond);
    EXPECT_EQ(taps.told(), "suppressed probable copy_left_before");
}

TEST(EvidenceLosses, keep_alives_are_not_lost_data) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 3 * kSecond, .way = kClient, .seq = 100, .bytes = 1, .ack = 1},
              Fate::unseen_inside);
    taps.send({.at = 3 * kSecond + 2 * kMs, .way = kServer, .seq = 1, .ack = 101});
    taps.end(60 * kSecond);
    EXPECT_EQ(taps.facts(FactKind::lost_between).size(), 0U) << taps.told();
    for (const Fact& fact : taps.facts()) {
        EXPECT_NE(fact.grade, Grade::proven) << taps.told();
    }
}

TEST(EvidenceLosses, probes_of_a_shut_window_are_refused_not_lost) {
    TapScript taps;
    taps.handshake(0);
    taps.send({.at = 10 * kMs, .way = kClient, .seq = 1, .bytes = 100, .ack = 1});
    taps.send({.at = 12 * kMs, .way = kServer, .seq = 1, .ack = 101, .window = 0});
    for (const Nanos at : {400 * kMs, 900 * kMs}) {
        taps.send({.at = at, .way = kClient, .seq = 101, .bytes = 1, .ack = 1},
                  Fate::unseen_inside);
        taps.send({.at = at + 2 * kMs, .way = kServer, .seq = 1, .ack = 101, .window = 0});
    }
    taps.end(10 * kSecond);
    EXPECT_EQ(taps.facts(FactKind::lost_between).size(), 0U) << taps.told();
}

TEST(EvidenceLosses, the_circumstances_of_a_loss_are_told) {
    TapScript taps;
    open_connection(taps);
    for (const Nanos at : {5 * kSecond, 5 * kSecond + 300 * kMs}) {
        taps.send({.at = at, .way = kClient, .seq = 101, .bytes = 100, .ack = 1}, Fate::dropped);
    }
    taps.run(10 * kSecond);
    ASSERT_EQ(taps.facts().size(), 1U) << taps.told();
    const Circumstances& then = taps.facts()[0].circumstances;
    EXPECT_EQ(then.idle, 5 * kSecond - 12 * kMs - 100 * kMicrosecond);
    EXPECT_EQ(then.idle_same_way, 5 * kSecond - 10 * kMs - 100 * kMicrosecond);
    EXPECT_EQ(then.age, 5 * kSecond - kMs);
    EXPECT_TRUE(then.window_known);
    EXPECT_TRUE(then.in_window);
    EXPECT_FALSE(then.out_of_order);
}

TEST(EvidenceLosses, only_what_needs_state_shows_that_it_outlived_a_silence) {
    TapScript taps;
    taps.send({.at = 0, .way = kClient, .flags = flag::kSyn}, Fate::dropped);
    taps.handshake(8 * kSecond, false);  // the SYN after the silence makes its state anew
    taps.send({.at = 11 * kSecond, .way = kClient, .seq = 1, .bytes = 100, .ack = 1});
    const Conversation record = taps.end(60 * kSecond);
    EXPECT_GT(record.idle_passed, 2 * kSecond);
    EXPECT_LT(record.idle_passed, 4 * kSecond);
}

TEST(EvidenceLosses, a_packet_beyond_the_window_is_told_to_be_so) {
    TapScript taps;
    taps.handshake(0);
    taps.send({.at = 10 * kMs, .way = kClient, .seq = 1, .bytes = 100, .ack = 1});
    taps.send({.at = 12 * kMs, .way = kServer, .seq = 1, .ack = 101, .window = 1000});
    taps.send({.at = 20 * kMs, .way = kClient, .seq = 70101, .bytes = 100, .ack = 1},
              Fate::dropped);
    taps.end(5 * kSecond);
    ASSERT_EQ(taps.facts().size(), 1U) << taps.told();
    EXPECT_FALSE(taps.facts()[0].circumstances.in_window);
    EXPECT_NE(taps.facts()[0].grade, Grade::proven);  // the receiver would have refused it as well
}

TEST(EvidenceLosses, what_is_lost_at_the_moment_of_the_close_is_not_surely_late) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 20 * kMs, .way = kClient, .seq = 101, .flags = flag::kRst});
    taps.send(
        {.at = 20 * kMs + 200 * kMicrosecond, .way = kServer, .seq = 1, .bytes = 100, .ack = 101},
        Fate::dropped);
    taps.send({.at = 24 * kMs, .way = kClient, .seq = 101, .ack = 1, .sack = {{101, 201}}});
    taps.end(5 * kSecond);
    for (const Fact& fact : taps.facts(FactKind::late_lost)) {
        EXPECT_NE(fact.grade, Grade::proven);
    }
    EXPECT_EQ(taps.facts(FactKind::late_lost).size(), 1U) << taps.told();
}

TEST(EvidenceLosses, an_ack_that_a_mirror_shows_late_had_opened_the_window) {
    for (const Nanos late : {500 * kMicrosecond, 20 * kMs}) {
        TapScript taps;
        taps.handshake(0);
        taps.send({.at = 10 * kMs, .way = kClient, .seq = 1, .bytes = 100, .ack = 1});
        taps.send({.at = 20 * kMs, .way = kServer, .seq = 1, .ack = 101});  // up to 65636
        taps.send({.at = 25 * kMs, .way = kClient, .seq = 101, .bytes = 200, .ack = 1});
        const Sent beyond{.at = 30 * kMs, .way = kClient, .seq = 65'700, .bytes = 100, .ack = 1};
        taps.send(beyond, Fate::dropped);
        taps.send({.at = 30 * kMs, .way = kServer, .seq = 1, .ack = 301, .late_inside = late});
        Sent again = beyond;
        again.at = 400 * kMs;
        taps.send(again, Fate::dropped);
        taps.end(60 * kSecond);
        ASSERT_EQ(taps.facts().size(), 1U) << taps.told();
        EXPECT_EQ(taps.facts()[0].circumstances.in_window, late < kMs);
    }
}

TEST(EvidenceLosses, what_is_lost_after_the_close_is_late) {
    TapScript taps;
    open_connection(taps);
    taps.send(
        {.at = 20 * kMs, .way = kClient, .seq = 101, .ack = 1, .flags = flag::kFin | flag::kAck});
    taps.send(
        {.at = 21 * kMs, .way = kServer, .seq = 1, .ack = 102, .flags = flag::kFin | flag::kAck});
    taps.send({.at = 22 * kMs, .way = kClient, .seq = 102, .ack = 2});
    taps.send(
        {.at = 300 * kMs, .way = kServer, .seq = 1, .ack = 102, .flags = flag::kFin | flag::kAck},
        Fate::dropped);
    const Conversation record = taps.end(60 * kSecond);
    ASSERT_EQ(taps.facts().size(), 1U) << taps.told();
    EXPECT_EQ(taps.facts()[0].kind, FactKind::late_lost);
    EXPECT_EQ(record.ending, Ending::closed);
    EXPECT_EQ(record.ways[1].lost, 0U);
}

TEST(EvidenceLosses, bytes_that_left_under_other_boundaries_were_not_lost) {
    TapScript taps;
    open_connection(taps);
    taps.send_split({.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 1000, .ack = 1});
    taps.send({.at = 22 * kMs, .way = kServer, .seq = 1, .ack = 1101});
    taps.send({.at = 30 * kMs, .way = kClient, .seq = 1101, .bytes = 100, .ack = 1});
    taps.end(60 * kSecond);
    EXPECT_EQ(taps.facts(FactKind::lost_between).size(), 0U) << taps.told();
    EXPECT_EQ(taps.facts(FactKind::missed_at_exit).size(), 0U) << taps.told();
    EXPECT_EQ(taps.facts(FactKind::resegmented).size(), 2U) << taps.told();
}

TEST(EvidenceLosses, bytes_that_neither_tap_saw_count_as_missed_by_both) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 100, .ack = 1}, Fate::unseen);
    taps.send({.at = 21 * kMs, .way = kClient, .seq = 201, .bytes = 100, .ack = 1});
    taps.send({.at = 23 * kMs, .way = kServer, .seq = 1, .ack = 301});
    taps.end(5 * kSecond);
    EXPECT_EQ(taps.told(), "missed_at_exit probable receiver_covers");
    EXPECT_EQ(taps.health.taps[0][0].missed_bytes, 100U);
    EXPECT_EQ(taps.health.taps[1][0].missed_bytes, 100U);
}

TEST(EvidenceLosses, sequence_numbers_come_round) {
    TapScript taps;
    const std::uint32_t base = 0xFFFF'FF00U;
    taps.send({.at = 10 * kMs, .way = kClient, .seq = base, .bytes = 100, .ack = 1});
    taps.send({.at = 12 * kMs, .way = kServer, .seq = 1, .ack = base + 100});
    Sent data{.at = 20 * kMs, .way = kClient, .seq = base + 100, .bytes = 1000, .ack = 1};
    taps.send(data, Fate::dropped);
    data.at = 320 * kMs;
    taps.send(data);
    taps.send({.at = 325 * kMs, .way = kServer, .seq = 1, .ack = base + 1100});
    taps.run(5 * kSecond);
    EXPECT_EQ(taps.told(), "lost_between proven left_later");
}

TEST(EvidenceLosses, a_loss_sent_again_in_smaller_packets_is_one_loss) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 20 * kMs, .way = kClient, .seq = 101, .bytes = 1000, .ack = 1}, Fate::dropped);
    taps.send({.at = 320 * kMs, .way = kClient, .seq = 101, .bytes = 500, .ack = 1});
    taps.send({.at = 321 * kMs, .way = kClient, .seq = 601, .bytes = 500, .ack = 1});
    taps.send({.at = 325 * kMs, .way = kServer, .seq = 1, .ack = 1101});
    taps.run(5 * kSecond);
    EXPECT_EQ(taps.told(), "lost_between proven left_later");
}

TEST(EvidenceLosses, without_room_for_evidence_nothing_is_claimed) {
    EngineOptions options = TapScript::small();
    options.open_losses_max = 4;
    options.in_flight_max = 8;
    TapScript taps(options);
    open_connection(taps);
    for (std::uint32_t i = 0; i < 20; ++i) {
        for (const Nanos at : {20 * kMs, 300 * kMs}) {
            taps.send(
                {.at = at + i * kMs, .way = kClient, .seq = 101 + i * 100, .bytes = 100, .ack = 1},
                Fate::dropped);
        }
    }
    taps.end(60 * kSecond);
    unsigned limited = 0;
    for (const Fact& fact : taps.facts()) {
        limited += fact.proof == Proof::limit_reached ? 1 : 0;
    }
    EXPECT_GT(limited, 0U);
    EXPECT_GT(taps.counters.get(stats::Counter::evidence_opens_exhausted) +
                  taps.counters.get(stats::Counter::evidence_losses_exhausted),
              0U);
}

}  // namespace
}  // namespace tw::taps
