// SPDX-License-Identifier: BSD-3-Clause
// Traits, rewrites and lessons as findings.
#include "firewall/findings.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "unit/firewall/fact_sample.hpp"

namespace tw::firewall {
namespace {

using namespace sample;
using enum Behaviour;
using taps::Rewrite;

RewriteRow row(Rewrite rewrite, std::uint64_t changed, std::uint64_t of) {
    RewriteRow made;
    made.rewrite = rewrite;
    made.count.changed = changed;
    made.count.of = of;
    return made;
}

struct ToldRun {
    Scene scene;
    Lessons lessons;
    Confidence confidence;
    Totals totals;

    std::vector<Finding> findings() {
        const Cases cases = scene.cases();
        const std::vector<Told> told = classify(cases, lessons.lessons);
        const Excerpts excerpts(16);
        return make_findings({cases, told, lessons, excerpts, confidence, totals});
    }
    std::vector<Behaviour> behaviours() {
        std::vector<Behaviour> result;
        for (const Finding& finding : findings()) {
            result.push_back(finding.behaviour);
        }
        return result;
    }
};

using Behaviours = std::vector<Behaviour>;

TEST(Findings, nothing_happened_gives_none) {
    ToldRun told;
    told.scene.conversations = {conversation()};
    EXPECT_EQ(told.behaviours(), Behaviours{});
}

TEST(Findings, headers_are_rewritten_as_a_habit_or_not_at_all) {
    ToldRun told;
    told.lessons.rewrites = {row(Rewrite::ect_cleared, 90, 100)};
    EXPECT_EQ(told.behaviours(), Behaviours{header_rewritten});
    EXPECT_NE(told.findings()[0].sentence.find("ect cleared on 90 of 100 packets inward"),
              std::string::npos)
        << told.findings()[0].sentence;
    told.lessons.rewrites = {row(Rewrite::window, 2, 100)};
    EXPECT_EQ(told.behaviours(), Behaviours{});
    told.lessons.rewrites = {row(Rewrite::ip_id, 9, 100)};
    EXPECT_EQ(told.behaviours(), Behaviours{});
    told.lessons.rewrites = {row(Rewrite::dscp, 9, 1000)};
    EXPECT_EQ(told.behaviours(), Behaviours{});
}

TEST(Findings, a_ttl_that_falls_by_steps_is_no_rewrite) {
    ToldRun told;
    told.lessons.rewrites = {row(Rewrite::ttl, 100, 100)};
    told.confidence.health.ttl_fall[0] = {0, 0, 0, 100, 0};  // -1, 0, 1, 2, other
    EXPECT_EQ(told.behaviours(), Behaviours{});
    told.confidence.health.ttl_fall[0] = {0, 10, 80, 10, 0};  // mirrors before or behind routing
    EXPECT_EQ(told.behaviours(), Behaviours{});
    told.confidence.health.ttl_fall[0] = {0, 0, 0, 0, 100};
    EXPECT_EQ(told.behaviours(), Behaviours{header_rewritten});
}

TEST(Findings, what_the_policy_allows_is_expected) {
    ToldRun told;
    told.scene.conversations = {conversation()};
    told.scene.conversations[0].pairing = taps::Pairing::same_tuple_isn;
    told.scene.conversations[0].ways[0].isn_left = 78;
    EXPECT_FALSE(told.findings().at(0).expected);
    told.scene.policy.expect_rewrites = taps::bit(Rewrite::isn);
    EXPECT_TRUE(told.findings().at(0).expected);
}

TEST(Findings, options_that_are_taken_off_and_ends_that_disagree_are_not_told_both) {
    ToldRun told;
    told.scene.conversations = {conversation()};
    told.lessons.rewrites = {row(Rewrite::window_scale_removed, 10, 10)};
    EXPECT_EQ(told.behaviours(), Behaviours{options_stripped});
    auto& server = told.scene.conversations[0].ways[taps::index(Way::outward)];
    server.options_left = taps::option_bit::kMss;
    EXPECT_EQ(told.behaviours(), Behaviours{options_stripped_one_way});
}

TEST(Findings, what_was_rewritten_which_way_is_as_sure_as_the_sides) {
    ToldRun told;
    told.lessons.rewrites = {row(Rewrite::ect_cleared, 90, 100)};
    told.totals.conversations = 20;
    told.confidence.health.untold_sides = 2;
    EXPECT_EQ(told.findings().at(0).grade, Grade::proven);
    told.confidence.health.untold_sides = 3;
    EXPECT_EQ(told.findings().at(0).grade, Grade::probable);
}

TEST(Findings, packets_of_a_proxied_connection_are_its_evidence_and_no_cases_of_their_own) {
    ToldRun told;
    for (std::uint64_t id = 1; id <= 3; ++id) {
        taps::Conversation one = conversation(id);
        one.outcome = taps::Outcome::answered_by_firewall;
        told.scene.conversations.push_back(one);
        told.scene.facts.push_back(
            fact(FactKind::injected, packet(flag::kSyn | flag::kAck), 0, id));
        told.scene.facts.back().grade = Grade::probable;
    }
    const std::vector<Finding> findings = told.findings();
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].behaviour, syn_proxy);
    EXPECT_EQ(findings[0].cases, 3U);
    EXPECT_EQ(findings[0].proven, 3U);  // each alone may be a miss of the capture, three are not
}

TEST(Findings, behind_a_known_syn_proxy_the_servers_numbers_show_the_others) {
    ToldRun told;
    told.scene.conversations = {conversation(1), conversation(2)};
    for (taps::Conversation& one : told.scene.conversations) {
        one.ways[taps::index(Way::outward)].isn_left = 78;
    }
    EXPECT_EQ(told.behaviours(), Behaviours{isn_rewritten});
    told.scene.conversations[0].outcome = taps::Outcome::answered_by_firewall;
    told.lessons.rewrites = {row(Rewrite::window, 50, 100)};
    EXPECT_EQ(told.behaviours(), Behaviours{syn_proxy});
    EXPECT_EQ(told.findings()[0].conversations, 2U);
    EXPECT_EQ(told.findings()[0].grade, Grade::probable);  // two SYN/ACKs may have been missed
    told.scene.conversations = {conversation(1), conversation(2), conversation(3)};
    for (taps::Conversation& one : told.scene.conversations) {
        one.outcome = taps::Outcome::answered_by_firewall;
    }
    EXPECT_EQ(told.findings()[0].grade, Grade::proven);
    told.confidence.miss_rate = {0, 0.01};
    EXPECT_EQ(told.findings()[0].grade, Grade::probable);
    told.confidence.miss_rate = {};
    // Where the server's numbers are all that differs, times alone tell an answer from a rewriting.
    for (taps::Conversation& one : told.scene.conversations) {
        one.ways[taps::index(Way::outward)].isn_left = 78;
    }
    EXPECT_EQ(told.findings()[0].grade, Grade::probable);
}

TEST(Findings, a_lesson_without_cases_is_told_with_its_own_numbers) {
    ToldRun told;
    Lesson spike;
    spike.behaviour = latency_spike;
    spike.count = 40;
    spike.first = at(5);
    spike.last = at(6);
    spike.sentence = "up to 80.0 ms";
    told.lessons.lessons = {spike};
    const std::vector<Finding> findings = told.findings();
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].cases, 40U);
    EXPECT_EQ(findings[0].first, at(5));
    EXPECT_NE(findings[0].sentence.find("delayed 40 packets"), std::string::npos);
    EXPECT_NE(findings[0].sentence.find("; up to 80.0 ms"), std::string::npos);
}

TEST(Findings, what_a_proxy_holds_is_no_proven_standstill) {
    ToldRun told;
    Lesson spike;
    spike.behaviour = latency_spike;
    spike.count = 40;
    spike.grade_max = Grade::proven;
    told.lessons.lessons = {spike};
    ASSERT_EQ(told.findings().size(), 1U);
    EXPECT_EQ(told.findings()[0].grade, Grade::proven);
    taps::Conversation one = conversation();
    one.outcome = taps::Outcome::answered_by_firewall;
    told.scene.conversations = {one};
    const std::vector<Finding> findings = told.findings();
    ASSERT_EQ(findings.size(), 2U);
    const Finding& held = findings[findings[0].behaviour == latency_spike ? 0 : 1];
    EXPECT_EQ(held.behaviour, latency_spike);
    EXPECT_EQ(held.grade, Grade::probable);
}

TEST(Findings, each_behaviour_can_be_said) {
    for (const BehaviourInfo& info : behaviour_table()) {
        ToldRun told;
        told.scene.conversations = {conversation()};
        told.scene.facts = {lost(data())};
        Lesson lesson;
        lesson.behaviour = info.id;
        lesson.explained = {0};
        told.lessons.lessons = {lesson};
        const std::vector<Finding> findings = told.findings();
        ASSERT_EQ(findings.size(), 1U) << info.name;
        EXPECT_EQ(findings[0].behaviour, info.id);
        EXPECT_EQ(findings[0].sentence.find('{'), std::string::npos) << findings[0].sentence;
        EXPECT_EQ(findings[0].advice, info.advice);
    }
}

TEST(Findings, scope_is_what_all_connections_share) {
    ToldRun told;
    told.scene.facts = {lost(data(), 0, 1), lost(data(), 1, 2)};
    EXPECT_EQ(told.findings()[0].scope, "server 10.0.0.5:443");
    told.scene.facts[1].server.fill(endpoint({10, 0, 0, 5}, 80));
    EXPECT_EQ(told.findings()[0].scope, "server 10.0.0.5");
    told.scene.facts[1].server.fill(endpoint({10, 0, 0, 6}, 443));
    EXPECT_EQ(told.findings()[0].scope, "client 192.0.2.10");
    told.scene.facts[1].client.fill(endpoint({192, 0, 2, 11}, 1));
    EXPECT_EQ(told.findings()[0].scope, "port 443");
    told.scene.facts[1].server.fill(endpoint({10, 0, 0, 6}, 80));
    EXPECT_EQ(told.findings()[0].scope, "all traffic");
}

TEST(Findings, excluded_explanations_name_the_taps) {
    ToldRun told;
    told.scene.facts = {lost(data())};
    const Finding finding = told.findings().at(0);
    EXPECT_GE(finding.excluded.size(), 3U);
    told.scene.facts[0].grade = Grade::probable;
    EXPECT_TRUE(told.findings().at(0).excluded.empty());
}

}  // namespace
}  // namespace tw::firewall
