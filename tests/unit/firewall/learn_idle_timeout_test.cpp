// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "support/random.hpp"
#include "unit/firewall/story.hpp"

namespace tw::firewall {
namespace {

using test::kT0;
using test::parameter;
using test::Story;

// A conversation that was silent for a time; with a time-out below it nothing passes any more.
void silence(Story& story, Nanos gap, bool passes) {
    auto& one = story.conversation(0, 2 * gap);
    one.ways[0].longest_passed = 1000;  // as long as what is lost
    if (passes) {
        one.idle_passed = gap;
        one.idle_passed_way = {gap, gap};
        return;
    }
    one.ending = taps::Ending::stalled;
    story.drop(one, gap).circumstances.idle = gap;
}

TEST(LearnIdleTimeout, lies_between_the_longest_that_passed_and_the_shortest_that_failed) {
    Story story;
    for (Nanos gap = 1; gap <= 8; ++gap) {
        silence(story, gap * kSecond, gap <= 3);
    }
    story.conversation(-10 * kSecond, 60 * kSecond);  // busy all the time
    const Lessons lessons = story.learn_by(learn_idle_timeout);
    ASSERT_EQ(lessons.lessons.size(), 1U);
    EXPECT_EQ(lessons.lessons[0].behaviour, Behaviour::idle_timeout);
    EXPECT_EQ(lessons.lessons[0].grade_max, taps::Grade::proven);
    EXPECT_EQ(lessons.lessons[0].explained.size(), 5U);
    EXPECT_EQ(lessons.lessons[0].scope, "all traffic");
    const Parameter* const timeout = parameter(lessons, "idle_timeout");
    ASSERT_NE(timeout, nullptr);
    EXPECT_EQ(timeout->low, 3.0);
    EXPECT_EQ(timeout->high, 4.0);
    EXPECT_EQ(timeout->samples, 8U);
}

TEST(LearnIdleTimeout, a_reset_in_answer_is_a_failure_too) {
    Story story;
    silence(story, 100 * kSecond, true);
    for (const Nanos gap : {350 * kSecond, 380 * kSecond}) {
        auto& one = story.conversation(0, 400 * kSecond);
        story.reset(one, gap + 10 * kSecond).circumstances.idle = gap;
    }
    story.conversation(-10 * kSecond, 500 * kSecond);
    const Lessons lessons = story.learn_by(learn_idle_timeout);
    EXPECT_EQ(parameter(lessons, "idle_timeout")->high, 350.0);
    EXPECT_NE(lessons.lessons[0].sentence.find("the firewall answered with 2 resets"),
              std::string::npos)
        << lessons.lessons[0].sentence;
}

TEST(LearnIdleTimeout, everything_lost_afterwards_is_explained_with_it) {
    Story story;
    silence(story, 3 * kSecond, true);
    auto& one = story.conversation(0, 20 * kSecond);
    story.drop(one, 5 * kSecond).circumstances.idle = 5 * kSecond;
    story.drop(one, 6 * kSecond).circumstances.idle = 6 * kSecond;
    story.reset(one, 7 * kSecond);
    EXPECT_EQ(story.learn_by(learn_idle_timeout).lessons.at(0).explained.size(), 3U);
}

TEST(LearnIdleTimeout, a_loss_after_silence_that_is_made_good_is_none) {
    Story story;
    auto& one = story.conversation(0, 20 * kSecond);
    auto& fact = story.drop(one, 5 * kSecond);
    fact.circumstances.idle = 5 * kSecond;
    fact.cost = 200 * kMillisecond;
    EXPECT_TRUE(story.learn_by(learn_idle_timeout).lessons.empty());
}

TEST(LearnIdleTimeout, silence_that_follows_a_loss_is_the_senders_waiting) {
    Story story;
    auto& one = story.conversation(0, 20 * kSecond);
    story.drop(one, 5 * kSecond).circumstances.idle = 10 * kMillisecond;
    story.drop(one, 8 * kSecond).circumstances.idle = 3 * kSecond;
    EXPECT_TRUE(story.learn_by(learn_idle_timeout).lessons.empty());
}

TEST(LearnIdleTimeout, what_lies_outside_the_window_has_its_own_cause) {
    Story story;
    auto& one = story.conversation(0, 20 * kSecond);
    auto& fact = story.drop(one, 5 * kSecond);
    fact.circumstances.idle = 3 * kSecond;
    fact.circumstances.window_known = true;
    fact.circumstances.in_window = false;
    EXPECT_TRUE(story.learn_by(learn_idle_timeout).lessons.empty());
}

TEST(LearnIdleTimeout, silences_with_a_moment_in_common_may_have_lost_their_state_just_then) {
    Story story;
    silence(story, 5 * kSecond, false);
    silence(story, 6 * kSecond, false);
    EXPECT_EQ(story.learn_by(learn_idle_timeout).lessons.at(0).grade_max, taps::Grade::probable);
    // One that went on across it shows that the table was not lost.
    story.conversation(-10 * kSecond, 60 * kSecond);
    EXPECT_EQ(story.learn_by(learn_idle_timeout).lessons.at(0).grade_max, taps::Grade::proven);
}

TEST(LearnIdleTimeout, a_longer_silence_that_passed_contradicts) {
    Story story;
    silence(story, 4 * kSecond, false);
    silence(story, 5 * kSecond, false);
    silence(story, 9 * kSecond, true);
    const Lessons lessons = story.learn_by(learn_idle_timeout);
    EXPECT_TRUE(lessons.lessons.empty());
    ASSERT_NE(parameter(lessons, "idle_timeout"), nullptr);
    EXPECT_FALSE(parameter(lessons, "idle_timeout")->low.has_value());
}

TEST(LearnIdleTimeout, servers_with_time_outs_of_their_own_are_told_apart) {
    Story story;
    const auto https = test::host(80, 443, 2);
    const auto ssh = test::host(80, 22, 2);
    auto& held = story.conversation(0, 100 * kSecond, test::host(5, 4000), ssh);
    held.idle_passed = 60 * kSecond;
    for (std::uint16_t i = 0; i < 3; ++i) {
        auto& one = story.conversation(0, 100 * kSecond, test::host(5, 5000 + i), https);
        story.drop(one, 30 * kSecond).circumstances.idle = (30 + i) * kSecond;
    }
    const Lessons lessons = story.learn_by(learn_idle_timeout);
    ASSERT_EQ(lessons.lessons.size(), 1U);
    EXPECT_EQ(lessons.lessons[0].scope, "server 10.2.0.80:443");
}

TEST(LearnIdleTimeout, packets_of_one_way_only_may_keep_the_state_alive) {
    Story story;
    for (Nanos gap = 2; gap <= 8; gap += 2) {
        auto& one = story.passing(0, 40 * kSecond, test::host(5, 4000));
        if (gap <= 4) {
            one.idle_passed_way = {gap * kSecond, 0};
            continue;
        }
        auto& fact = story.drop(one, gap * kSecond);
        fact.circumstances.idle = 500 * kMillisecond;  // the other way was talking
        fact.circumstances.idle_same_way = gap * kSecond;
    }
    story.conversation(-10 * kSecond, 60 * kSecond);
    const Lessons lessons = story.learn_by(learn_idle_timeout);
    ASSERT_EQ(lessons.lessons.size(), 1U);
    EXPECT_EQ(parameter(lessons, "idle_timeout")->low, 4.0);
    EXPECT_EQ(parameter(lessons, "idle_timeout")->high, 6.0);
    EXPECT_NE(parameter(lessons, "idle_timeout")->note.find("same direction"), std::string::npos);
}

TEST(LearnIdleTimeout, one_packet_sent_once_is_probable_at_most) {
    Story story;
    silence(story, 2 * kSecond, true);
    auto& one = story.conversation(0, 20 * kSecond);
    auto& fact = story.drop(one, 5 * kSecond);
    fact.circumstances.idle = 5 * kSecond;
    fact.attempts = 1;
    EXPECT_EQ(story.learn_by(learn_idle_timeout).lessons.at(0).grade_max, taps::Grade::probable);
}

TEST(LearnIdleTimeout, one_conversation_that_broke_gives_no_parameter) {
    Story story;
    silence(story, 2 * kSecond, true);
    silence(story, 5 * kSecond, false);
    story.conversation(-10 * kSecond, 60 * kSecond);
    const Lessons one = story.learn_by(learn_idle_timeout);
    EXPECT_EQ(one.lessons.size(), 1U);
    EXPECT_EQ(parameter(one, "idle_timeout"), nullptr);
    silence(story, 6 * kSecond, false);
    EXPECT_NE(parameter(story.learn_by(learn_idle_timeout), "idle_timeout"), nullptr);
}

TEST(LearnIdleTimeout, packets_longer_than_any_that_passed_may_be_lost_for_their_length) {
    Story story;
    silence(story, 2 * kSecond, true);
    silence(story, 5 * kSecond, false);
    silence(story, 7 * kSecond, false);
    story.conversation(-10 * kSecond, 60 * kSecond);
    EXPECT_EQ(story.learn_by(learn_idle_timeout).lessons.at(0).grade_max, taps::Grade::proven);
    for (taps::Conversation& conversation : story.conversations) {
        conversation.ways[0].longest_passed = 900;
    }
    const Lessons lessons = story.learn_by(learn_idle_timeout);
    EXPECT_EQ(lessons.lessons.at(0).grade_max, taps::Grade::probable);
    EXPECT_EQ(parameter(lessons, "idle_timeout"), nullptr);
}

TEST(LearnIdleTimeout, the_bracket_always_holds_the_truth) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        tw::test::Random random(seed);
        Story story;
        const Nanos truth = random.between(1500, 300'000) * kMillisecond;
        for (int i = 0; i < 20; ++i) {
            const Nanos gap = random.between(1000, 600'000) * kMillisecond;
            silence(story, gap, gap < truth);
        }
        const Lessons lessons = story.learn_by(learn_idle_timeout);
        const Parameter* const timeout = parameter(lessons, "idle_timeout");
        if (timeout == nullptr) {
            continue;  // nothing failed
        }
        EXPECT_LE(*timeout->low, seconds(truth)) << "seed " << seed;
        EXPECT_GE(*timeout->high, seconds(truth)) << "seed " << seed;
    }
}

}  // namespace
}  // namespace tw::firewall
