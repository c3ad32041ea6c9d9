// SPDX-License-Identifier: BSD-3-Clause
// A rule that limits the time a packet takes is held to its own packets' times.
#include "firewall/timed_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall/policy_run.hpp"
#include "unit/firewall/policy_sample.hpp"

namespace tw::firewall {
namespace {

using taps::Conversation;
using taps::Outcome;
using test::conversation;
using test::rule_of;
using testing::ElementsAre;
using testing::HasSubstr;

// https and ssh pass within 1 ms at p99; nothing is asked of the rest.
[[nodiscard]] Policy timed() {
    Policy policy = test::sample_policy();
    policy.rules = {rule_of("web", Expect::pass), rule_of("ssh", Expect::pass),
                    rule_of("rest", Expect::any)};
    policy.rules[0].services = {0};
    policy.rules[1].services = {1};
    for (const std::size_t rule : {0U, 1U}) {
        policy.rules[rule].limits.latency_p99_max = kMillisecond;
    }
    return policy;
}

// 100 packets of a class.
void pass(taps::Passage& passage, std::uint8_t timed_class, Nanos transit) {
    taps::Packet in;
    in.flags = decode::tcp_flag::kAck;
    for (int i = 0; i < 100; ++i) {
        in.time = kSecond + i * kMillisecond;
        taps::Packet out = in;
        out.time += transit;
        passage.passed({.entered = in, .left = out, .timed_class = timed_class}, 0);
    }
}

TEST(TimedRules, a_conversation_is_of_the_class_of_its_rule) {
    const Policy policy = timed();
    EXPECT_THAT(timed_classes(policy), ElementsAre(1, 2, 0));
    const TimedRules rules(policy);
    EXPECT_EQ(rules.class_of(conversation(Outcome::established, 443)), 1);
    EXPECT_EQ(rules.class_of(conversation(Outcome::established, 22)), 2);
    EXPECT_EQ(rules.class_of(conversation(Outcome::established, 80)), 0);
}

TEST(TimedRules, one_rule_passes_where_another_is_slow) {
    const Policy policy = timed();
    const std::vector<Conversation> conversations{conversation(Outcome::established, 443),
                                                  conversation(Outcome::established, 22)};
    taps::Passage passage(Backing::lazy);
    pass(passage, 1, 100 * kMicrosecond);
    pass(passage, 2, 3 * kMillisecond);
    Report report;
    run_policy({policy, conversations, {}, {}, passage}, report);
    EXPECT_EQ(report.policy[0].limits.at(0).result, RowResult::pass);
    const LimitRow& slow = report.policy[1].limits.at(0);
    EXPECT_EQ(slow.result, RowResult::fail);
    EXPECT_THAT(slow.measured, HasSubstr("p99 3"));
    EXPECT_EQ(slow.measured.find("of all traffic"), std::string::npos);
}

TEST(TimedRules, rules_beyond_the_classes_have_none) {
    Policy policy;
    for (int i = 0; i < taps::Passage::kTimedClasses + 1; ++i) {
        policy.rules.push_back(rule_of("timed", Expect::pass));
        policy.rules.back().limits.latency_max = kMillisecond;
    }
    const auto classes = timed_classes(policy);
    EXPECT_EQ(classes.front(), 1);
    EXPECT_EQ(classes[taps::Passage::kTimedClasses - 1], taps::Passage::kTimedClasses);
    EXPECT_EQ(classes.back(), 0);
}

}  // namespace
}  // namespace tw::firewall
