// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "firewall/coincidence.hpp"
#include "support/random.hpp"
#include "unit/firewall/story.hpp"

namespace tw::firewall {
namespace {

using test::host;
using test::parameter;
using test::Story;

// Connections, one a second, none of which closes; those beyond the limit are refused.
void connections(Story& story, std::size_t limit, std::uint8_t client = 5,
                 std::uint16_t count = 20) {
    for (std::uint16_t i = 0; i < count; ++i) {
        auto& one = story.conversation(i * kSecond, 100 * kSecond,
                                       host(client, static_cast<std::uint16_t>(40'000 + i)));
        if (i >= limit) {
            story.syn_drop(one, i * kSecond);
        }
    }
}

TEST(LearnConnectionLimit, is_the_number_open_at_the_first_refusal) {
    Story story;
    connections(story, 5);
    // From some moment on all are refused: that may have another reason, until one is let in again.
    EXPECT_EQ(story.learn_by(learn_connection_limit).lessons.at(0).grade_max,
              taps::Grade::probable);
    story.conversation(150 * kSecond, 160 * kSecond, host(5, 50'000));
    const Lessons lessons = story.learn_by(learn_connection_limit);
    ASSERT_EQ(lessons.lessons.size(), 1U);
    EXPECT_EQ(lessons.lessons[0].behaviour, Behaviour::connection_limit);
    EXPECT_EQ(lessons.lessons[0].explained.size(), 15U);
    EXPECT_EQ(lessons.lessons[0].grade_max, taps::Grade::proven);
    EXPECT_EQ(parameter(lessons, "connection_limit")->low, 5.0);
    EXPECT_EQ(parameter(lessons, "connection_limit")->high, 5.0);
}

TEST(LearnConnectionLimit, few_refusals_may_have_hit_the_last_by_chance) {
    EXPECT_GT(chance_of_order(2, 38), 1e-3);
    EXPECT_NEAR(chance_of_order(3, 7) * 120, 1, 1e-9);
    Story story;
    connections(story, 7, 5, 10);
    story.conversation(150 * kSecond, 160 * kSecond, host(5, 50'000));
    const Lessons lessons = story.learn_by(learn_connection_limit);
    ASSERT_EQ(lessons.lessons.size(), 1U);
    EXPECT_EQ(lessons.lessons[0].grade_max, taps::Grade::probable);
}

TEST(LearnConnectionLimit, a_connection_makes_no_room_before_it_is_open) {
    Story story;
    connections(story, 5, 5, 5);
    // A sixth comes about and closes at once; a seventh is refused.
    story.conversation(30 * kSecond, 30 * kSecond + kSecond / 2, host(5, 50'000));
    for (std::uint16_t i = 0; i < 9; ++i) {
        story.syn_drop(story.conversation(40 * kSecond, 50 * kSecond, host(5, 51'000 + i)),
                       40 * kSecond);
    }
    EXPECT_TRUE(story.learn_by(learn_connection_limit).lessons.empty());
}

TEST(LearnConnectionLimit, holds_for_each_client_where_it_does_not_for_all) {
    Story story;
    connections(story, 4, 5);
    connections(story, 4, 6);
    // A third client is let in while eight connections are open.
    story.conversation(50 * kSecond, 100 * kSecond, host(7, 4000));
    const Lessons lessons = story.learn_by(learn_connection_limit);
    ASSERT_EQ(lessons.lessons.size(), 2U);
    EXPECT_EQ(lessons.lessons[0].scope, "client 10.1.0.5");
    EXPECT_EQ(parameter(lessons, "connection_limit")->low, 4.0);
}

TEST(LearnConnectionLimit, short_connections_may_have_been_open_or_not) {
    // Each is over before the next begins, by the packets; 15 others are refused in between.
    Story story;
    connections(story, 2, 5, 2);
    for (std::uint16_t i = 0; i < 10; ++i) {
        const Nanos at = (10 + i) * kSecond;
        story.conversation(at, at + kSecond / 2, host(5, 50'000 + i));
        story.syn_drop(story.conversation(at, at, host(5, 51'000 + i)), at + kSecond / 4);
    }
    const Lessons lessons = story.learn_by(learn_connection_limit);
    ASSERT_EQ(lessons.lessons.size(), 1U);
    EXPECT_EQ(lessons.lessons[0].grade_max, taps::Grade::probable);
}

TEST(LearnConnectionLimit, of_several_scopes_that_fit_each_has_its_number) {
    Story story;
    connections(story, 5);
    for (std::uint16_t i = 0; i < 2; ++i) {
        story.conversation(0, 100 * kSecond, host(5, 60'000 + i), host(81, 443, 2));
    }
    const Lessons lessons = story.learn_by(learn_connection_limit);
    ASSERT_EQ(lessons.lessons.size(), 1U);
    ASSERT_EQ(lessons.parameters.size(), 2U);
    EXPECT_EQ(lessons.parameters[0].scope, "all traffic");
    EXPECT_EQ(lessons.parameters[0].low, 7.0);
    EXPECT_EQ(lessons.parameters[1].scope, "server 10.2.0.80:443");
    EXPECT_EQ(lessons.parameters[1].low, 5.0);
    EXPECT_NE(lessons.lessons[0].sentence.find("or of 5 for server"), std::string::npos);
}

TEST(LearnConnectionLimit, a_connection_let_in_while_more_were_open_contradicts) {
    Story story;
    connections(story, 5);
    story.conversation(1 * kSecond, 100 * kSecond, host(5, 50'000));
    story.conversation(50 * kSecond, 100 * kSecond, host(5, 50'001));
    EXPECT_TRUE(story.learn_by(learn_connection_limit).lessons.empty());
}

TEST(LearnConnectionLimit, a_service_that_nobody_reaches_is_blocked_and_not_full) {
    Story story;
    for (std::uint16_t i = 0; i < 5; ++i) {
        story.conversation(i * kSecond, 100 * kSecond, host(5, 40'000 + i));
    }
    for (std::uint16_t i = 5; i < 10; ++i) {
        auto& one =
            story.conversation(i * kSecond, 100 * kSecond, host(5, 40'000 + i), host(80, 22, 2));
        story.syn_drop(one, i * kSecond);
    }
    EXPECT_TRUE(story.learn_by(learn_connection_limit).lessons.empty());
}

TEST(LearnConnectionLimit, connections_the_policy_refuses_do_not_count) {
    Story story;
    connections(story, 5);
    for (Case& one : story.cases) {
        one.expected = true;
    }
    EXPECT_TRUE(story.learn_by(learn_connection_limit).lessons.empty());
}

TEST(LearnConnectionLimit, closed_connections_make_room_or_linger) {
    for (const bool lingers : {false, true}) {
        Story story;
        for (std::uint16_t i = 0; i < 12; ++i) {
            // Each lasts three seconds: with lingering ones the table still fills up.
            auto& one = story.conversation(i * kSecond, (i + 3) * kSecond + kSecond / 2,
                                           host(5, 40'000 + i));
            if (lingers && i >= 6) {
                story.syn_drop(one, i * kSecond);
            }
        }
        EXPECT_TRUE(story.learn_by(learn_connection_limit).lessons.empty());
        story.conversation(200 * kSecond, 210 * kSecond, host(5, 50'000));
        const Lessons lessons = story.learn_by(learn_connection_limit);
        if (lingers) {
            ASSERT_EQ(lessons.lessons.size(), 1U);
            EXPECT_EQ(parameter(lessons, "connection_limit")->low, 6.0);
            EXPECT_NE(parameter(lessons, "connection_limit")->note, "");
        } else {
            EXPECT_TRUE(lessons.lessons.empty());
        }
    }
}

TEST(LearnConnectionLimit, random_arrivals_give_a_bracket_around_the_truth) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        tw::test::Random random(seed);
        Story story;
        const std::uint32_t limit = random.between(3, 12);
        std::vector<Nanos> ends;
        Nanos now = 0;
        for (std::uint16_t i = 0; i < 200; ++i) {
            now += random.between(1, 400) * kMillisecond;
            std::erase_if(ends, [&](Nanos end) { return end <= now; });
            const Nanos end = now + random.between(500, 3000) * kMillisecond;
            auto& one = story.conversation(now, end, host(5, 40'000 + i));
            if (ends.size() >= limit) {
                story.syn_drop(one, now);
            } else {
                ends.push_back(end);
            }
        }
        const Lessons lessons = story.learn_by(learn_connection_limit);
        if (const Parameter* const found = parameter(lessons, "connection_limit")) {
            EXPECT_LE(*found->low, limit) << "seed " << seed;
            EXPECT_GE(*found->high, limit) << "seed " << seed;
        } else {
            EXPECT_LT(story.cases.size(), 2U) << "seed " << seed;
        }
    }
}

TEST(LearnHalfClose, is_told_where_nothing_leaves_after_one_fin) {
    Story story;
    for (int i = 0; i < 2; ++i) {
        auto& one = story.conversation(0, 200 * kSecond);
        auto& fact = story.drop(one, 130 * kSecond);
        fact.circumstances.after_fin = true;
        fact.circumstances.idle = 121 * kSecond;
    }
    auto& passed = story.conversation(0, 200 * kSecond);
    passed.ending = taps::Ending::half_closed;
    passed.idle_passed = 100 * kSecond;
    const Lessons lessons = story.learn_by(learn_half_close);
    ASSERT_EQ(lessons.lessons.size(), 1U);
    EXPECT_EQ(lessons.lessons[0].behaviour, Behaviour::half_close_cut);
    EXPECT_EQ(parameter(lessons, "half_close_timeout")->low, 100.0);
    EXPECT_EQ(parameter(lessons, "half_close_timeout")->high, 121.0);
}

TEST(LearnHalfClose, late_packets_after_both_fins_and_losses_made_good_are_not) {
    Story story;
    auto& one = story.conversation(0, 200 * kSecond);
    auto& late = story.drop(one, 130 * kSecond);
    late.circumstances.after_fin = true;
    late.circumstances.after_close = true;
    auto& other = story.conversation(0, 200 * kSecond);
    auto& repaired = story.drop(other, 130 * kSecond);
    repaired.circumstances.after_fin = true;
    repaired.cost = kSecond;
    EXPECT_TRUE(story.learn_by(learn_half_close).lessons.empty());
}

TEST(LearnTupleReuse, short_reuse_fails_long_reuse_and_fresh_ports_pass) {
    Story story;
    const auto client = host(5, 40'000);
    story.conversation(0, 10 * kSecond, client);
    auto& soon = story.conversation(15 * kSecond, 16 * kSecond, client);
    auto& fact = story.syn_drop(soon, 15 * kSecond);
    fact.circumstances.since_previous = 5 * kSecond;
    story.conversation(50 * kSecond, 60 * kSecond, client);
    story.conversation(15 * kSecond, 20 * kSecond, host(5, 50'000));
    const Lessons lessons = story.learn_by(learn_tuple_reuse);
    ASSERT_EQ(lessons.lessons.size(), 1U);
    EXPECT_EQ(lessons.lessons[0].behaviour, Behaviour::tuple_reuse_dropped);
    EXPECT_EQ(parameter(lessons, "time_wait")->low, 5.0);
    EXPECT_EQ(parameter(lessons, "time_wait")->high, 34.0);
}

TEST(LearnTupleReuse, reuse_that_passed_sooner_contradicts) {
    Story story;
    const auto client = host(5, 40'000);
    story.conversation(0, 10 * kSecond, client);
    story.conversation(12 * kSecond, 20 * kSecond, client);
    auto& later = story.conversation(25 * kSecond, 26 * kSecond, client);
    story.syn_drop(later, 25 * kSecond).circumstances.since_previous = 5 * kSecond;
    EXPECT_TRUE(story.learn_by(learn_tuple_reuse).lessons.empty());
}

TEST(LearnTupleReuse, where_fresh_ports_fail_too_it_is_not_the_reuse) {
    Story story;
    const auto client = host(5, 40'000);
    auto& first = story.conversation(0, 10 * kSecond, client);
    first.outcome = taps::Outcome::syn_dropped;
    auto& soon = story.conversation(15 * kSecond, 16 * kSecond, client);
    story.syn_drop(soon, 15 * kSecond).circumstances.since_previous = 5 * kSecond;
    EXPECT_TRUE(story.learn_by(learn_tuple_reuse).lessons.empty());
}

// Eight busy conversations of two clients; from 30 s on nothing of the first `broken` leaves.
void failover(Story& story, int broken, Nanos idle = 10 * kMillisecond) {
    for (std::uint16_t i = 0; i < 8; ++i) {
        auto& one = story.passing(i * kSecond, 60 * kSecond,
                                  host(static_cast<std::uint8_t>(5 + i % 2), 40'000 + i));
        if (i < broken) {
            one.ending = taps::Ending::stalled;
            story.drop(one, 30 * kSecond + i * 50 * kMillisecond).circumstances.idle =
                idle + i * 50 * kMillisecond;
        }
    }
    story.conversation(33 * kSecond, 60 * kSecond, host(5, 50'000));
}

TEST(LearnLostState, many_busy_conversations_that_break_at_once_are_one_event) {
    Story story;
    failover(story, 8);
    const Lessons lessons = story.learn_by(learn_lost_state);
    ASSERT_EQ(lessons.lessons.size(), 1U);
    EXPECT_EQ(lessons.lessons[0].behaviour, Behaviour::state_lost_at_once);
    EXPECT_EQ(lessons.lessons[0].explained.size(), 8U);
    EXPECT_EQ(lessons.lessons[0].grade_max, taps::Grade::proven);
    EXPECT_EQ(parameter(lessons, "outage")->high, 3.0);
}

TEST(LearnLostState, conversations_that_went_on_after_the_first_broke_share_no_moment) {
    Story story;
    failover(story, 8);
    for (taps::Fact& fact : story.facts) {
        fact.circumstances.idle = 10 * kMillisecond;
    }
    story.facts[1].circumstances.idle = 40 * kMillisecond;
    EXPECT_TRUE(story.learn_by(learn_lost_state).lessons.empty());
}

TEST(LearnLostState, packets_longer_than_any_that_passed_may_be_lost_for_their_length) {
    Story story;
    failover(story, 8);
    for (taps::Conversation& conversation : story.conversations) {
        conversation.ways[0].longest_passed = 900;
    }
    EXPECT_EQ(story.learn_by(learn_lost_state).lessons.at(0).grade_max, taps::Grade::probable);
}

TEST(LearnLostState, a_few_that_break_among_many_that_go_on_are_not) {
    Story story;
    failover(story, 5);
    for (std::uint16_t i = 0; i < 20; ++i) {
        story.conversation(0, 60 * kSecond, host(9, 60'000 + i));
    }
    EXPECT_TRUE(story.learn_by(learn_lost_state).lessons.empty());
}

TEST(LearnLostState, four_are_not_many_and_idle_ones_may_have_timed_out) {
    Story few;
    failover(few, 4);
    EXPECT_TRUE(few.learn_by(learn_lost_state).lessons.empty());
    Story idle;
    failover(idle, 8, 20 * kSecond);
    EXPECT_TRUE(idle.learn_by(learn_lost_state).lessons.empty());
}

TEST(LearnLostState, where_new_connections_break_as_well_it_is_no_lost_state) {
    Story story;
    failover(story, 8);
    story.drop(story.conversations.back(), 34 * kSecond);
    EXPECT_TRUE(story.learn_by(learn_lost_state).lessons.empty());
}

TEST(LearnLostState, losses_at_one_moment_that_are_made_good_are_not) {
    Story story;
    failover(story, 8);
    for (taps::Fact& fact : story.facts) {
        fact.cost = 300 * kMillisecond;
    }
    EXPECT_TRUE(story.learn_by(learn_lost_state).lessons.empty());
}

// Packets of a service, of two conversations by turns: lost above a length, passed below.
Story black_hole(std::uint16_t passes_up_to, std::initializer_list<std::uint16_t> lost) {
    Story story;
    for (int i = 0; i < 2; ++i) {
        story.conversation(0, 60 * kSecond).ways[0].longest_passed = passes_up_to;
    }
    for (int i = 0; i < 50; ++i) {
        story.pass(i * kMillisecond, passes_up_to);
    }
    Nanos at = kSecond;
    for (const std::uint16_t bytes : lost) {
        at += kSecond;
        story.drop(story.conversations[story.facts.size() % 2], at).packet.ip_bytes = bytes;
    }
    return story;
}

TEST(LearnMtu, packets_longer_than_any_that_passed_fall_into_a_black_hole) {
    Story story = black_hole(1400, {1500, 1500, 1500, 1500});
    const Lessons lessons = story.learn_by(learn_mtu);
    ASSERT_EQ(lessons.lessons.size(), 1U);
    EXPECT_EQ(lessons.lessons[0].behaviour, Behaviour::pmtud_black_hole);
    EXPECT_EQ(lessons.lessons[0].grade_max, taps::Grade::proven);
    EXPECT_EQ(lessons.lessons[0].explained.size(), 4U);
    EXPECT_EQ(parameter(lessons, "mtu")->low, 1400.0);
    EXPECT_EQ(parameter(lessons, "mtu")->high, 1500.0);
}

TEST(LearnMtu, a_wide_bracket_or_few_samples_are_probable) {
    Story wide = black_hole(300, {1500, 1500, 1500, 1500});
    EXPECT_EQ(wide.learn_by(learn_mtu).lessons.at(0).grade_max, taps::Grade::probable);
    Story few = black_hole(1400, {1500, 1500});
    EXPECT_EQ(few.learn_by(learn_mtu).lessons.at(0).grade_max, taps::Grade::probable);
}

TEST(LearnMtu, a_shorter_packet_lost_or_a_longer_one_passed_contradicts) {
    EXPECT_TRUE(black_hole(1400, {1500, 1500, 900}).learn_by(learn_mtu).lessons.empty());
    EXPECT_TRUE(black_hole(1500, {1500, 1500, 1500}).learn_by(learn_mtu).lessons.empty());
}

TEST(LearnMtu, silence_a_dead_path_and_packets_below_any_mtu_have_other_causes) {
    Story idle = black_hole(300, {1500, 1500});
    idle.facts[0].circumstances.idle = 5 * kSecond;
    EXPECT_TRUE(idle.learn_by(learn_mtu).lessons.empty());
    Story dead = black_hole(300, {1500, 1500});
    dead.conversations[0].ways[0].pure_acks_lost = 2;
    EXPECT_TRUE(dead.learn_by(learn_mtu).lessons.empty());
    EXPECT_TRUE(black_hole(300, {500, 500}).learn_by(learn_mtu).lessons.empty());
}

TEST(LearnMtu, packets_answered_by_a_reset_were_refused_not_swallowed) {
    Story story = black_hole(300, {1500, 1500, 1500});
    for (taps::Fact& fact : story.facts) {
        fact.proof = taps::Proof::answered_alone;
    }
    EXPECT_TRUE(story.learn_by(learn_mtu).lessons.empty());
}

TEST(LearnMtu, the_silence_between_repeats_is_the_senders_own) {
    Story story = black_hole(1400, {1500, 1500, 1500, 1500});
    for (std::size_t i : {2U, 3U}) {
        story.facts[i].circumstances.idle = 3 * kSecond;
    }
    EXPECT_EQ(story.learn_by(learn_mtu).lessons.size(), 1U);
}

TEST(LearnMtu, one_conversation_is_enough_where_its_bytes_left_in_shorter_packets) {
    Story story;
    auto& one = story.conversation(0, 60 * kSecond);
    one.ways[0].longest_passed = 1400;
    for (int i = 1; i <= 3; ++i) {
        auto& fact = story.drop(one, i * kSecond);
        fact.packet.ip_bytes = 1500;
        fact.cost = kSecond / 2;
    }
    EXPECT_EQ(story.learn_by(learn_mtu).lessons.size(), 1U);
    story.facts[0].cost = 0;
    EXPECT_TRUE(story.learn_by(learn_mtu).lessons.empty());
}

TEST(LearnMtu, senders_that_were_told_are_in_no_black_hole) {
    Story story = black_hole(1400, {1500, 1500});
    taps::Fact& icmp = story.drop(story.conversations[0], 3 * kSecond);
    icmp.kind = taps::FactKind::icmp_error;
    icmp.packet.kind = taps::PacketKind::icmp_error;
    icmp.packet.icmp_type = 3;
    icmp.packet.icmp_code = 4;
    icmp.packet.icmp_mtu = 1400;
    icmp.packet.tap = taps::Side::outside;
    const Lessons lessons = story.learn_by(learn_mtu);
    EXPECT_TRUE(lessons.lessons.empty());
    ASSERT_NE(parameter(lessons, "mtu"), nullptr);
    EXPECT_NE(parameter(lessons, "mtu")->note.find("1400"), std::string::npos);
}

}  // namespace
}  // namespace tw::firewall
