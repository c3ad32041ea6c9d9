// SPDX-License-Identifier: BSD-3-Clause
// Packets that left and were not seen to enter, resets, and ICMP errors: what must be concluded,
// and what nearly must.
#include <gtest/gtest.h>

#include <tuple>

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
constexpr std::uint8_t kRstAck = flag::kRst | flag::kAck;

void open_connection(TapScript& taps) {
    taps.handshake(kMs);
    for (std::uint32_t i = 0; i < 4; ++i) {
        const Nanos at = (10 + 5 * i) * kMs;
        taps.send({.at = at, .way = kClient, .seq = 1 + 100 * i, .bytes = 100, .ack = 1});
        taps.send({.at = at + 2 * kMs, .way = kServer, .seq = 1, .ack = 101 + 100 * i});
    }
}

TEST(EvidenceStrays, what_leaves_within_its_senders_bytes_was_missed_where_it_entered) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 50 * kMs, .way = kClient, .seq = 401, .bytes = 100, .ack = 1},
              Fate::unseen_outside);
    taps.send({.at = 52 * kMs, .way = kServer, .seq = 1, .ack = 501});
    taps.send({.at = 60 * kMs, .way = kClient, .seq = 501, .bytes = 100, .ack = 1});
    taps.send({.at = 62 * kMs, .way = kServer, .seq = 1, .ack = 601});
    taps.end(5 * kSecond);
    EXPECT_EQ(taps.told(), "missed_at_entry proven sender_continues");
}

TEST(EvidenceStrays, the_senders_last_bytes_may_be_anybodys) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 50 * kMs, .way = kClient, .seq = 401, .bytes = 100, .ack = 1},
              Fate::unseen_outside);
    taps.end(20 * kSecond);
    EXPECT_EQ(taps.told(), "missed_at_entry probable nothing_decides");
}

TEST(EvidenceStrays, a_second_copy_that_the_receiver_reports_is_proven) {
    TapScript taps;
    open_connection(taps);
    taps.send_doubled({.at = 50 * kMs, .way = kClient, .seq = 401, .bytes = 100, .ack = 1});
    taps.send({.at = 52 * kMs, .way = kServer, .seq = 1, .ack = 501});
    taps.send({.at = 52 * kMs + kMicrosecond,
               .way = kServer,
               .seq = 1,
               .ack = 501,
               .sack = {{401, 501}}});
    taps.end(5 * kSecond);
    EXPECT_EQ(taps.told(), "duplicated proven receiver_reacts");
    EXPECT_TRUE(taps.facts()[0].single_fault);
}

TEST(EvidenceStrays, a_second_copy_without_identification_is_probable_at_most) {
    TapScript taps;
    open_connection(taps);
    taps.send_doubled(
        {.at = 50 * kMs, .way = kClient, .seq = 401, .bytes = 100, .ack = 1, .no_ip_id = true});
    taps.send({.at = 52 * kMs, .way = kServer, .seq = 1, .ack = 501, .sack = {{401, 501}}});
    taps.end(5 * kSecond);
    EXPECT_EQ(taps.told(), "duplicated probable receiver_reacts");
}

TEST(EvidenceStrays, a_mirror_that_doubles_makes_no_duplicates) {
    TapScript taps;
    taps.health.taps[index(Side::inside)][index(kServer)] = {.packets = 100, .copies = 40};
    open_connection(taps);
    taps.send_doubled({.at = 50 * kMs, .way = kClient, .seq = 401, .bytes = 100, .ack = 1});
    taps.send({.at = 52 * kMs, .way = kServer, .seq = 1, .ack = 501});
    taps.end(5 * kSecond);
    EXPECT_EQ(taps.told(), "");
}

TEST(EvidenceStrays, a_copy_long_after_the_first_is_told_by_its_identification) {
    TapScript taps;
    open_connection(taps);
    const Sent data{.at = 50 * kMs, .way = kClient, .seq = 401, .bytes = 100, .ack = 1};
    taps.send(data);
    Sent again = data;
    again.at = 150 * kMs;
    taps.send_same(again, Fate::made_inside);
    taps.send({.at = 52 * kMs, .way = kServer, .seq = 1, .ack = 501});
    taps.end(5 * kSecond);
    EXPECT_EQ(taps.told(), "duplicated proven same_ip_id");
}

TEST(EvidenceStrays, where_the_entry_tap_shows_packets_twice_the_second_may_have_entered) {
    TapScript taps;
    taps.health.taps[index(Side::outside)][index(kClient)] = {.packets = 100, .copies = 1};
    open_connection(taps);
    const Sent data{.at = 50 * kMs, .way = kClient, .seq = 401, .bytes = 100, .ack = 1};
    taps.send(data);
    Sent again = data;
    again.at = 150 * kMs;
    taps.send_same(again, Fate::made_inside);
    taps.send({.at = 52 * kMs, .way = kServer, .seq = 1, .ack = 501});
    taps.end(5 * kSecond);
    EXPECT_EQ(taps.told(), "duplicated probable same_ip_id");
}

TEST(EvidenceStrays, what_entered_below_the_first_that_the_tap_showed_is_not_known) {
    for (const bool first_is_seen : {true, false}) {
        TapScript taps;
        if (first_is_seen) {
            open_connection(taps);
        }
        // The outside tap begins, or goes on, with the second packet.
        taps.send({.at = 50 * kMs, .way = kClient, .seq = 401, .bytes = 100, .ack = 1},
                  Fate::unseen_outside);
        taps.send({.at = 51 * kMs, .way = kClient, .seq = 501, .bytes = 100, .ack = 1});
        taps.send({.at = 52 * kMs, .way = kServer, .seq = 1, .ack = 601});
        taps.end(5 * kSecond);
        EXPECT_EQ(taps.told(), first_is_seen ? "missed_at_entry proven sender_continues"
                                             : "missed_at_entry probable sender_continues");
    }
}

TEST(EvidenceStrays, a_repeat_that_the_entry_tap_missed_is_no_duplicate) {
    TapScript taps;
    open_connection(taps);
    const Sent data{.at = 50 * kMs, .way = kClient, .seq = 401, .bytes = 100, .ack = 1};
    taps.send(data);
    taps.send({.at = 52 * kMs, .way = kServer, .seq = 1, .ack = 501});
    Sent again = data;
    again.at = 350 * kMs;
    taps.send(again, Fate::unseen_outside);
    taps.end(5 * kSecond);
    EXPECT_EQ(taps.told(), "missed_at_entry probable nothing_decides");
}

TEST(EvidenceStrays, a_reset_whose_host_goes_on_is_the_firewalls) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 100 * kMs, .way = kServer, .seq = 1, .ack = 401, .flags = kRstAck},
              Fate::made_outside);
    taps.send({.at = 400 * kMs, .way = kServer, .seq = 1, .bytes = 10, .ack = 401}, Fate::dropped);
    const Conversation record = taps.end(60 * kSecond);
    ASSERT_EQ(taps.facts(FactKind::reset_origin).size(), 1U) << taps.told();
    const Fact fact = taps.facts(FactKind::reset_origin)[0];
    EXPECT_EQ(name(fact.proof), name(Proof::claimed_sender_speaks));
    EXPECT_EQ(fact.grade, Grade::proven);
    EXPECT_EQ(fact.way, kServer);  // towards the client
    EXPECT_EQ(record.ending, Ending::reset_by_firewall);
    EXPECT_EQ(taps.facts(FactKind::lost_between).size(), 0U) << taps.told();
}

TEST(EvidenceStrays, a_reset_just_behind_its_hosts_last_packet_is_not_decided) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 100 * kMs, .way = kServer, .seq = 1, .ack = 401, .flags = kRstAck},
              Fate::unseen_inside);
    // Shown late by the mirror, sent before.
    taps.send({.at = 100 * kMs - kMicrosecond,
               .way = kServer,
               .seq = 1,
               .ack = 401,
               .late_inside = 10 * kMs});
    taps.end(60 * kSecond);
    EXPECT_EQ(taps.told(), "injected unproven nothing_decides");
}

TEST(EvidenceStrays, resets_that_leave_both_ways_come_from_the_middle) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 100 * kMs, .way = kServer, .seq = 1, .ack = 401, .flags = kRstAck},
              Fate::made_outside);
    taps.send({.at = 100 * kMs, .way = kClient, .seq = 401, .ack = 1, .flags = kRstAck},
              Fate::made_inside);
    taps.end(60 * kSecond);
    EXPECT_EQ(taps.told(),
              "reset_origin proven resets_both_ways; reset_origin proven resets_both_ways");
}

TEST(EvidenceStrays, another_ttl_alone_makes_it_probable) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 100 * kMs, .way = kServer, .seq = 1, .ack = 401, .flags = kRstAck, .ttl = 255},
              Fate::made_outside);
    taps.end(60 * kSecond);
    EXPECT_EQ(taps.told(), "reset_origin probable foreign_pattern");
}

TEST(EvidenceStrays, a_reset_that_carries_another_clock_is_probably_not_the_hosts) {
    for (const std::uint32_t tsval : {5'200U, 4'000U, 40'000'000U}) {
        TapScript taps;
        open_connection(taps);
        taps.send({.at = 90 * kMs, .way = kServer, .seq = 1, .ack = 401, .tsval = 5'000});
        taps.send({.at = 300 * kMs,
                   .way = kServer,
                   .seq = 1,
                   .ack = 401,
                   .flags = kRstAck,
                   .tsval = tsval},
                  Fate::made_outside);
        taps.end(60 * kSecond);
        EXPECT_EQ(taps.told(), tsval == 5'200 ? "injected unproven nothing_decides"
                                              : "reset_origin probable foreign_pattern");
    }
}

TEST(EvidenceStrays, a_reset_out_of_its_hosts_count_of_packets_is_probably_not_its_own) {
    for (const bool counts : {true, false}) {
        TapScript taps;
        open_connection(taps);
        if (!counts) {
            taps.skip_ip_ids(10'000);
            taps.send({.at = 90 * kMs, .way = kServer, .seq = 1, .ack = 401});
        }
        taps.skip_ip_ids(20'000);
        taps.send({.at = 300 * kMs, .way = kServer, .seq = 1, .ack = 401, .flags = kRstAck},
                  Fate::made_outside);
        taps.end(60 * kSecond);
        EXPECT_EQ(taps.told(), counts ? "reset_origin probable foreign_pattern"
                                      : "injected unproven nothing_decides");
    }
}

TEST(EvidenceStrays, a_reset_in_answer_waits_until_it_is_known_that_the_packet_stayed) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 300 * kMs, .way = kClient, .seq = 401, .bytes = 100, .ack = 1}, Fate::dropped);
    taps.send({.at = 300 * kMs + 30 * kMicrosecond, .way = kServer, .seq = 1, .flags = flag::kRst},
              Fate::made_outside);
    taps.run(kSecond);
    EXPECT_EQ(taps.told(), "");
    taps.end(60 * kSecond);
    ASSERT_EQ(taps.facts(FactKind::reset_origin).size(), 1U) << taps.told();
    EXPECT_EQ(taps.facts(FactKind::reset_origin)[0].proof, Proof::answered_alone);
    EXPECT_EQ(taps.facts(FactKind::reset_origin)[0].grade, Grade::proven);
}

TEST(EvidenceStrays, a_reset_in_answer_to_what_left_is_not_the_firewalls_for_that) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 300 * kMs, .way = kClient, .seq = 401, .bytes = 100, .ack = 1});
    taps.send({.at = 301 * kMs, .way = kServer, .seq = 1, .flags = flag::kRst},
              Fate::unseen_inside);
    taps.end(60 * kSecond);
    EXPECT_EQ(taps.told(), "injected unproven nothing_decides");
}

TEST(EvidenceStrays, a_reset_seen_at_both_taps_is_the_hosts) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 100 * kMs, .way = kServer, .seq = 1, .ack = 401, .flags = kRstAck});
    const Conversation record = taps.end(60 * kSecond);
    EXPECT_EQ(taps.told(), "");
    EXPECT_EQ(record.ending, Ending::reset_by_server);
}

TEST(EvidenceStrays, a_syn_refused_by_reset_never_reached_the_server) {
    TapScript taps;
    taps.send({.at = kMs, .way = kClient, .flags = flag::kSyn}, Fate::dropped);
    taps.send({.at = 2 * kMs, .way = kServer, .ack = 1, .flags = kRstAck}, Fate::made_outside);
    const Conversation record = taps.end(60 * kSecond);
    ASSERT_EQ(taps.facts(FactKind::reset_origin).size(), 1U) << taps.told();
    EXPECT_EQ(taps.facts(FactKind::reset_origin)[0].proof, Proof::answered_alone);
    EXPECT_EQ(record.outcome, Outcome::rejected_rst);
}

TEST(EvidenceStrays, a_syn_refused_by_the_server_is_told_so) {
    TapScript taps;
    taps.send({.at = kMs, .way = kClient, .flags = flag::kSyn});
    taps.send({.at = 2 * kMs, .way = kServer, .ack = 1, .flags = kRstAck});
    const Conversation record = taps.end(60 * kSecond);
    EXPECT_EQ(taps.told(), "");
    EXPECT_EQ(record.outcome, Outcome::refused_by_server);
}

TEST(EvidenceStrays, a_reset_that_does_not_leave_is_blocked_if_its_receiver_goes_on) {
    for (const bool goes_on : {true, false}) {
        TapScript taps;
        open_connection(taps);
        taps.send({.at = 100 * kMs, .way = kClient, .seq = 401, .ack = 1, .flags = kRstAck},
                  Fate::dropped);
        if (goes_on) {
            taps.send({.at = 2 * kSecond, .way = kServer, .seq = 1, .bytes = 10, .ack = 401});
        }
        taps.end(60 * kSecond);
        EXPECT_EQ(taps.facts(FactKind::reset_blocked).size(), goes_on ? 1U : 0U) << taps.told();
    }
}

TEST(EvidenceStrays, a_syn_proxys_answer_has_numbers_that_are_not_the_servers) {
    TapScript taps;
    taps.send({.at = kMs, .way = kClient, .flags = flag::kSyn}, Fate::dropped);
    taps.send({.at = 2 * kMs,
               .way = kServer,
               .seq = 0x7000'0000,
               .ack = 1,
               .flags = flag::kSyn | flag::kAck},
              Fate::made_outside);
    taps.send({.at = 40 * kMs,
               .way = kServer,
               .seq = 0x1000'0000,
               .ack = 1,
               .flags = flag::kSyn | flag::kAck},
              Fate::dropped);
    const Conversation record = taps.end(60 * kSecond);
    ASSERT_EQ(taps.facts(FactKind::injected).size(), 1U) << taps.told();
    EXPECT_EQ(taps.facts(FactKind::injected)[0].grade, Grade::proven);
    EXPECT_EQ(record.outcome, Outcome::answered_by_firewall);
}

TEST(EvidenceStrays, what_a_syn_proxy_says_beside_its_answer_is_no_miss_of_the_capture) {
    TapScript taps;
    constexpr std::uint8_t kSynAck = flag::kSyn | flag::kAck;
    taps.send({.at = kMs, .way = kClient, .flags = flag::kSyn}, Fate::dropped);
    taps.send({.at = 2 * kMs, .way = kServer, .seq = 0x7000'0000, .ack = 1, .flags = kSynAck},
              Fate::made_outside);
    taps.send({.at = 4 * kMs, .way = kClient, .flags = flag::kSyn}, Fate::made_inside);
    taps.send({.at = 5 * kMs, .way = kServer, .ack = 1, .flags = kSynAck}, Fate::dropped);
    taps.send({.at = 3 * kMs, .way = kClient, .seq = 1, .ack = 1});
    // An ACK of the server, and right before it one that the proxy made.
    taps.send_doubled({.at = 6 * kMs, .way = kServer, .seq = 1, .ack = 1, .no_ip_id = true});
    taps.send({.at = 50 * kMs, .way = kClient, .seq = 1, .bytes = 100, .ack = 1});
    taps.send({.at = 60 * kMs, .way = kServer, .seq = 1, .bytes = 100, .ack = 101});
    const Conversation record = taps.end(60 * kSecond);
    EXPECT_EQ(record.outcome, Outcome::answered_by_firewall);
    EXPECT_EQ(taps.facts().size(), taps.facts(FactKind::injected).size()) << taps.told();
    for (const WayCounts& way : record.ways) {
        EXPECT_EQ(way.missed_at_entry + way.missed_at_exit + way.lost, 0U) << taps.told();
    }
}

TEST(EvidenceStrays, a_syn_ack_that_the_entry_tap_missed_is_the_servers_own) {
    TapScript taps;
    taps.send({.at = kMs, .way = kClient, .flags = flag::kSyn}, Fate::unseen_inside);
    taps.send({.at = 2 * kMs, .way = kServer, .ack = 1, .flags = flag::kSyn | flag::kAck},
              Fate::unseen_inside);
    taps.send({.at = 3 * kMs, .way = kClient, .seq = 1, .ack = 1});
    taps.send({.at = 9 * kMs, .way = kServer, .seq = 1, .bytes = 50, .ack = 1});
    const Conversation record = taps.end(60 * kSecond);
    EXPECT_EQ(taps.facts(FactKind::injected).size(), 0U) << taps.told();
    EXPECT_EQ(taps.facts(FactKind::lost_between).size(), 0U) << taps.told();
    EXPECT_NE(record.outcome, Outcome::answered_by_firewall);
}

TEST(EvidenceStrays, an_ack_that_its_host_takes_back_is_a_proxys) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 50 * kMs, .way = kClient, .seq = 401, .bytes = 100, .ack = 1}, Fate::dropped);
    taps.send({.at = 51 * kMs, .way = kServer, .seq = 1, .ack = 501}, Fate::made_outside);
    taps.send({.at = 300 * kMs, .way = kServer, .seq = 1, .bytes = 10, .ack = 401});
    const Conversation record = taps.end(60 * kSecond);
    ASSERT_EQ(taps.facts(FactKind::injected).size(), 1U) << taps.told();
    EXPECT_EQ(taps.facts(FactKind::injected)[0].grade, Grade::probable);
    EXPECT_EQ(record.acknowledged_early[index(kClient)], 100U);
}

TEST(EvidenceStrays, behind_a_box_that_answered_by_itself_acks_taken_back_prove_nothing) {
    for (const bool answered : {false, true}) {
        TapScript taps;
        if (answered) {
            taps.send({.at = kMs, .way = kClient, .flags = flag::kSyn}, Fate::dropped);
            for (const auto& [at, seq, fate] :
                 {std::tuple(2 * kMs, 0x7000'0000U, Fate::made_outside),
                  std::tuple(5 * kMs, 0U, Fate::dropped)}) {
                taps.send({.at = at,
                           .way = kServer,
                           .seq = seq,
                           .ack = 1,
                           .flags = flag::kSyn | flag::kAck},
                          fate);
            }
            taps.send({.at = 8 * kMs, .way = kServer, .seq = 1, .bytes = 10, .ack = 1});
        } else {
            open_connection(taps);
        }
        for (std::uint32_t i = 0; i < 4; ++i) {
            const Nanos at = (100 + 200 * i) * kMs;
            taps.send({.at = at, .way = kClient, .seq = 401, .bytes = 100, .ack = 1},
                      Fate::dropped);
            taps.send({.at = at + kMs, .way = kServer, .seq = 11, .ack = 501 + i},
                      Fate::made_outside);
            taps.send({.at = at + 100 * kMs, .way = kServer, .seq = 1, .bytes = 10, .ack = 401});
        }
        taps.end(60 * kSecond);
        bool proven = false;
        for (const Fact& fact : taps.facts(FactKind::injected)) {
            proven = proven || (fact.grade == Grade::proven && !fact.packet.has(flag::kSyn));
        }
        EXPECT_EQ(proven, !answered) << taps.told();
    }
}

TEST(EvidenceStrays, an_ack_that_the_entry_tap_missed_is_not_early) {
    TapScript taps;
    open_connection(taps);
    taps.send({.at = 50 * kMs, .way = kClient, .seq = 401, .bytes = 100, .ack = 1});
    taps.send({.at = 51 * kMs, .way = kServer, .seq = 1, .ack = 501}, Fate::unseen_inside);
    taps.send({.at = 300 * kMs, .way = kServer, .seq = 1, .bytes = 10, .ack = 501});
    const Conversation record = taps.end(60 * kSecond);
    EXPECT_EQ(taps.told(), "missed_at_entry probable nothing_decides");
    EXPECT_EQ(record.acknowledged_early[index(kClient)], 0U);
}

TEST(EvidenceStrays, an_icmp_error_says_where_it_was_seen) {
    struct Row {
        bool at_entry;
        bool at_exit;
        const char* told;
    };
    for (const Row& row : {Row{true, true, "icmp_error proven seen_at_both"},
                           Row{false, true, "icmp_error probable nothing_decides"},
                           Row{true, false, "icmp_error probable nothing_decides"}}) {
        TapScript taps;
        open_connection(taps);
        taps.icmp(100 * kMs, kClient, 301, row.at_entry, row.at_exit);
        taps.end(5 * kSecond);
        EXPECT_EQ(taps.told(), row.told);
        ASSERT_EQ(taps.facts().size(), 1U);
        EXPECT_EQ(taps.facts()[0].way, kServer);
        EXPECT_EQ(taps.facts()[0].packet.tap, row.at_entry ? Side::inside : Side::outside);
    }
}

TEST(EvidenceStrays, an_icmp_error_about_what_did_not_leave_is_the_firewalls) {
    TapScript taps;
    taps.send({.at = kMs, .way = kClient, .flags = flag::kSyn}, Fate::dropped);
    taps.icmp(2 * kMs, kClient, 0, false, true);
    const Conversation record = taps.end(60 * kSecond);
    const auto errors = taps.facts(FactKind::icmp_error);
    ASSERT_EQ(errors.size(), 1U) << taps.told();
    EXPECT_EQ(errors[0].grade, Grade::proven);
    EXPECT_TRUE(errors[0].twin_known);
    EXPECT_EQ(record.outcome, Outcome::rejected_icmp);
}

TEST(EvidenceStrays, too_big_was_not_told_to_a_sender_that_goes_on_with_what_is_too_long) {
    struct Row {
        Nanos sent_again;  // what is too long
        const char* told;
    };
    // What enters right behind the error was under way.
    for (const Row& row : {Row{450 * kMs, "icmp_error proven sender_not_told"},
                           Row{110 * kMs, "icmp_error probable nothing_decides"}}) {
        TapScript taps;
        open_connection(taps);
        taps.icmp(100 * kMs, kClient, 301, true, false, 1200);
        taps.send({.at = row.sent_again, .way = kClient, .seq = 301, .bytes = 1400, .ack = 1});
        taps.end(5 * kSecond);
        EXPECT_EQ(taps.told(), row.told);
        EXPECT_TRUE(taps.facts()[0].single_fault);
    }
}

TEST(EvidenceStrays, a_direction_that_both_taps_lack_is_told_by_its_acks) {
    for (const bool carried : {true, false}) {
        TapScript taps;
        if (carried) {  // other conversations of that way are seen at both taps
            for (const Side side : {Side::outside, Side::inside}) {
                taps.health.taps[index(side)][index(kClient)] = {
                    .packets = 50, .first = kMs, .last = 9 * kSecond};
            }
        }
        for (std::uint32_t i = 0; i < 5; ++i) {
            taps.send({.at = (10 + i) * kMs, .way = kServer, .seq = 1, .ack = 1 + 100 * i});
        }
        taps.end(5 * kSecond);
        EXPECT_EQ(taps.told(), carried ? "asymmetric proven receiver_covers"
                                       : "asymmetric probable receiver_covers");
        EXPECT_EQ(taps.facts()[0].way, kClient);
    }
}

TEST(EvidenceStrays, a_direction_that_one_tap_alone_carries_is_a_matter_of_wiring) {
    for (const Side carries : {Side::outside, Side::inside}) {
        TapScript taps;
        taps.health.taps[index(carries)][index(kClient)] = {
            .packets = 50, .first = kMs, .last = 9 * kSecond};
        for (std::uint32_t i = 0; i < 5; ++i) {
            taps.send({.at = (10 + i) * kMs, .way = kServer, .seq = 1, .ack = 1 + 100 * i});
        }
        taps.end(5 * kSecond);
        EXPECT_EQ(taps.told(), "asymmetric unproven receiver_covers");
    }
}

}  // namespace
}  // namespace tw::taps
