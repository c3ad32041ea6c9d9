// SPDX-License-Identifier: BSD-3-Clause
// A good firewall passes, a leaky one fails by name, what nobody saw is said to be so, and what is
// not proven decides nothing.
#include "firewall/policy_run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "unit/firewall/policy_sample.hpp"

namespace tw::firewall {
namespace {

using taps::Conversation;
using taps::Fact;
using taps::FactKind;
using taps::Grade;
using taps::Outcome;
using test::conversation;
using test::fact_of;
using test::rule_of;
using test::sample_policy;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// web over https passes, ssh is dropped, http is rejected with a reset; all from the outside.
[[nodiscard]] Policy three_rules() {
    Policy policy = sample_policy();
    policy.services.push_back({"http", {{80, 80}}});
    policy.rules = {rule_of("web", Expect::pass), rule_of("no ssh", Expect::drop),
                    rule_of("no http", Expect::reject)};
    policy.rules[0].services = {0};
    policy.rules[1].services = {1};
    policy.rules[2].services = {2};
    policy.rules[2].with = With::tcp_reset;
    return policy;
}

struct Trial {
    Policy policy = three_rules();
    std::vector<Conversation> conversations;
    std::deque<Fact> facts;
    std::vector<Case> cases;
    taps::Passage passage{Backing::lazy};
    Report report;

    const Conversation& add(Outcome outcome, std::uint16_t port) {
        return conversations.emplace_back(conversation(outcome, port));
    }
    void fact(const Conversation& of, FactKind kind, Behaviour behaviour,
              Grade grade = Grade::proven, bool expected = false) {
        const Fact& fact = facts.emplace_back(fact_of(of, kind));
        cases.push_back({&fact, grade, behaviour, expected});
    }
    // A connection attempt that the firewall ended, and how far that is proven.
    void stopped(Outcome outcome, std::uint16_t port, Grade grade = Grade::proven) {
        const Conversation& of = add(outcome, port);
        const bool reset = outcome == Outcome::rejected_rst;
        fact(of, reset ? FactKind::reset_origin : FactKind::lost_between,
             reset ? Behaviour::reset_by_firewall : Behaviour::syn_dropped, grade, port != 443);
    }
    void good_traffic() {
        conversations.reserve(64);
        for (int i = 0; i < 3; ++i) {
            add(Outcome::established, 443);
            stopped(Outcome::syn_dropped, 22);
            stopped(Outcome::rejected_rst, 80);
        }
    }
    void judge() { run_policy({policy, conversations, cases, cases, passage}, report); }
    [[nodiscard]] std::vector<RowResult> results() const {
        std::vector<RowResult> all;
        for (const PolicyRow& row : report.policy) {
            all.push_back(row.result);
        }
        return all;
    }
};

constexpr RowResult kPass = RowResult::pass;
constexpr RowResult kFail = RowResult::fail;
constexpr RowResult kUntested = RowResult::untested;
constexpr RowResult kInconclusive = RowResult::inconclusive;

TEST(PolicyRun, a_good_firewall_passes) {
    Trial run;
    run.good_traffic();
    run.report.verdict = "nothing was lost";
    run.judge();
    EXPECT_THAT(run.results(), ElementsAre(kPass, kPass, kPass));
    EXPECT_EQ(run.report.exit_code, 0);
    EXPECT_THAT(run.report.why_exit, IsEmpty());
    EXPECT_EQ(run.report.verdict, "PASS: 3 of 3 rules kept. nothing was lost");
    EXPECT_EQ(run.report.policy[0].connections, 3U);
    EXPECT_EQ(run.report.policy[2].expectation, "reject with tcp-reset");
    for (const CheckRow& check : run.report.checks) {
        EXPECT_EQ(check.result, kPass) << check.name << ": " << check.why;
    }
}

TEST(PolicyRun, a_leak_fails_with_its_rule_and_its_connections) {
    Trial run;
    run.good_traffic();
    const Conversation& leak = run.add(Outcome::established, 22);
    run.judge();
    EXPECT_THAT(run.results(), ElementsAre(kPass, kFail, kPass));
    EXPECT_EQ(run.report.exit_code, 1);
    const PolicyRow& row = run.report.policy[1];
    EXPECT_EQ(row.against, 1U);
    ASSERT_EQ(row.examples.size(), 1U);
    EXPECT_EQ(row.examples[0].id, leak.id);
    EXPECT_THAT(run.report.why_exit,
                ElementsAre(AllOf(HasSubstr("rule \"no ssh\" expects drop: 1 of 4 connections"),
                                  HasSubstr("10.20.0.10:22 at 19:34:38"))));
    EXPECT_EQ(row.why, "1 of 4 connections were not dropped in silence (established 1)");
    EXPECT_THAT(run.report.verdict, HasSubstr("FAIL: 2 of 3 rules kept, 1 broken"));
}

// Outcomes by which a packet of a forbidden connection came through, or its sender was told.
TEST(PolicyRun, every_way_through_is_a_leak) {
    for (const Outcome outcome : {Outcome::established, Outcome::refused_by_server,
                                  Outcome::server_silent, Outcome::syn_ack_dropped}) {
        Trial run;
        run.add(outcome, 22);
        run.add(outcome, 80);
        run.judge();
        EXPECT_THAT(run.results(), ElementsAre(kUntested, kFail, kFail)) << name(outcome);
    }
    Trial told;
    told.conversations.reserve(8);
    told.stopped(Outcome::rejected_rst, 22);
    told.stopped(Outcome::syn_dropped, 80);
    told.judge();
    EXPECT_THAT(told.results(), ElementsAre(kUntested, kFail, kFail));
}

TEST(PolicyRun, a_connection_under_way_leaks_only_if_something_passed) {
    Trial run;
    run.conversations.reserve(8);
    run.add(Outcome::midway, 22);
    run.judge();
    EXPECT_EQ(run.results()[1], kInconclusive);
    run.conversations[0].ways[1].passed = 1;
    run.judge();
    EXPECT_EQ(run.results()[1], kFail);
    run.conversations[0].client_known = false;
    run.judge();
    EXPECT_EQ(run.results()[1], kInconclusive) << "who is the client is a guess";
}

TEST(PolicyRun, a_blocked_connection_fails_only_if_the_block_is_proven) {
    for (const auto& [grade, result] :
         {std::pair{Grade::proven, kFail}, std::pair{Grade::probable, kInconclusive},
          std::pair{Grade::unproven, kInconclusive}}) {
        Trial run;
        run.conversations.reserve(8);
        run.add(Outcome::established, 443);
        run.stopped(Outcome::syn_dropped, 443, grade);
        run.judge();
        EXPECT_EQ(run.results()[0], result) << name(grade);
        EXPECT_EQ(run.report.exit_code, result == kFail ? 1 : 4) << name(grade);
    }
}

// The SYN's own loss is proven, and told as the probable reset that answered it.
TEST(PolicyRun, what_another_case_tells_still_proves_that_an_attempt_was_stopped) {
    Trial run;
    run.conversations.reserve(4);
    run.stopped(Outcome::rejected_rst, 443, Grade::probable);
    std::vector<Case> settled = run.cases;
    const Fact& syn = run.facts.emplace_back(fact_of(run.conversations[0], FactKind::lost_between));
    settled.push_back({&syn, Grade::proven, Behaviour::syn_dropped, false});
    run_policy({run.policy, run.conversations, run.cases, settled, run.passage}, run.report);
    EXPECT_EQ(run.results()[0], kFail);
    run.judge();
    EXPECT_EQ(run.results()[0], kInconclusive);
}

TEST(PolicyRun, an_attempt_that_the_capture_leaves_open_decides_nothing) {
    Trial run;
    run.conversations.reserve(8);
    run.add(Outcome::incomplete, 443);
    run.add(Outcome::incomplete, 22);
    run.judge();
    EXPECT_THAT(run.results(), ElementsAre(kInconclusive, kInconclusive, kUntested));
    run.add(Outcome::established, 443);
    run.stopped(Outcome::syn_dropped, 22);
    run.judge();
    EXPECT_THAT(run.results(), ElementsAre(kPass, kPass, kUntested));
    EXPECT_EQ(run.report.policy[0].undecided, 1U);
}

TEST(PolicyRun, a_rule_without_traffic_is_untested_and_counts_if_required) {
    Trial run;
    run.conversations.reserve(8);
    run.add(Outcome::established, 443);
    run.judge();
    EXPECT_THAT(run.results(), ElementsAre(kPass, kUntested, kUntested));
    EXPECT_EQ(run.report.exit_code, 0);
    run.policy.require_seen = {1};
    run.judge();
    EXPECT_EQ(run.report.exit_code, 4);
    EXPECT_THAT(run.report.why_exit, ElementsAre(HasSubstr("rule \"no ssh\" untested: no conn")));
    run.policy.require_seen = {0};
    run.policy.connections_min = 2;
    run.judge();
    EXPECT_EQ(run.results()[0], kUntested);
    EXPECT_THAT(run.report.why_exit, ElementsAre(HasSubstr("coverage.min_connections asks for 2")));
    run.policy.fail_on = 0;
    run.judge();
    EXPECT_EQ(run.report.exit_code, 0);
}

TEST(PolicyRun, a_tap_that_cannot_be_judged_by_makes_all_inconclusive) {
    Trial run;
    run.good_traffic();
    run.add(Outcome::established, 22);
    run.report.confidence.trust = Trust::unusable;
    run.report.confidence.doubts = {
        {"one_direction", Trust::unusable, "tap inside does not carry the outward direction", ""}};
    run.judge();
    EXPECT_THAT(run.results(), ElementsAre(kInconclusive, kInconclusive, kInconclusive));
    EXPECT_EQ(run.report.exit_code, 4);
    EXPECT_THAT(run.report.why_exit,
                ElementsAre("capture unusable: tap inside does not carry the outward direction"));
    run.policy.fail_on = 0;
    run.judge();
    EXPECT_EQ(run.report.exit_code, 4);
}

TEST(PolicyRun, with_reduced_trust_a_drop_must_be_proven_and_a_leak_stays_one) {
    Trial run;
    run.conversations.reserve(8);
    run.report.confidence.trust = Trust::reduced;
    run.add(Outcome::established, 443);
    run.stopped(Outcome::syn_dropped, 22, Grade::probable);
    run.judge();
    EXPECT_THAT(run.results(), ElementsAre(kPass, kInconclusive, kUntested));
    EXPECT_EQ(run.report.exit_code, 4);
    run.cases[0].grade = Grade::proven;
    run.policy.fail_on = 0;
    run.judge();
    EXPECT_EQ(run.results()[1], kPass);
    EXPECT_EQ(run.report.exit_code, 0);
    run.policy.fail_on = kFailOnDefault;
    run.judge();
    EXPECT_EQ(run.report.exit_code, 4) << "capture_unhealthy";
    run.add(Outcome::established, 22);
    run.judge();
    EXPECT_EQ(run.report.exit_code, 1);
}

TEST(PolicyRun, a_rejection_must_come_as_asked) {
    struct Row {
        With with;
        bool v6;
        std::uint8_t code;
        RowResult result;
    };
    constexpr Row kRows[] = {
        {With::any, false, 0, kPass},
        {With::tcp_reset, false, 13, kFail},
        {With::icmp_admin_prohibited, false, 13, kPass},
        {With::icmp_admin_prohibited, false, 10, kPass},
        {With::icmp_admin_prohibited, false, 3, kFail},
        {With::icmp_admin_prohibited, true, 1, kPass},
        {With::icmp_admin_prohibited, true, 4, kFail},
        {With::icmp_port, false, 3, kPass},
        {With::icmp_port, true, 4, kPass},
        {With::icmp_port, false, 13, kFail},
    };
    for (const Row& row : kRows) {
        Trial run;
        run.policy.rules[2].with = row.with;
        run.fact(run.add(Outcome::rejected_icmp, 80), FactKind::icmp_error,
                 Behaviour::rejected_by_icmp, Grade::proven, true);
        run.facts[0].packet.icmp_code = row.code;
        run.facts[0].packet.v6 = row.v6;
        run.judge();
        EXPECT_EQ(run.results()[2], row.result)
            << static_cast<int>(row.with) << " code " << int{row.code} << (row.v6 ? " v6" : "");
    }
    Trial reset;
    reset.policy.rules[2].with = With::icmp_port;
    reset.conversations.reserve(4);
    reset.stopped(Outcome::rejected_rst, 80);
    reset.judge();
    EXPECT_EQ(reset.results()[2], kFail);
}

TEST(PolicyRun, any_agrees_with_everything_and_report_only_fails_nothing) {
    Trial run;
    run.conversations.reserve(8);
    run.policy.rules[1].expect = Expect::any;
    run.policy.rules[2].report_only = true;
    run.add(Outcome::established, 22);
    run.add(Outcome::established, 80);
    run.judge();
    EXPECT_THAT(run.results(), ElementsAre(kUntested, kPass, kFail));
    EXPECT_EQ(run.report.exit_code, 0);
}

TEST(PolicyRun, fail_on_chooses_what_fails) {
    Trial run;
    run.conversations.reserve(8);
    run.add(Outcome::established, 22);
    run.stopped(Outcome::syn_dropped, 443);
    const auto code_with = [&](FailOn reason) {
        run.policy.fail_on = static_cast<std::uint8_t>(reason);
        run.judge();
        return run.report.exit_code;
    };
    EXPECT_EQ(code_with(FailOn::policy_leak), 1);
    EXPECT_THAT(run.report.why_exit, ElementsAre(HasSubstr("no ssh")));
    EXPECT_EQ(code_with(FailOn::policy_block), 1);
    EXPECT_THAT(run.report.why_exit, ElementsAre(HasSubstr("web")));
    EXPECT_EQ(code_with(FailOn::proven_drop), 1);
    EXPECT_EQ(code_with(FailOn::limits), 0);
    EXPECT_EQ(code_with(FailOn::findings), 0);
}

TEST(PolicyRun, a_proven_drop_fails_unless_the_policy_or_a_limit_wants_it_so) {
    const auto code_with = [](auto change) {
        Trial run;
        run.conversations.reserve(8);
        const Conversation& made = run.add(Outcome::established, 443);
        run.fact(made, FactKind::lost_between, Behaviour::packet_dropped);
        run.facts[0].in_handshake = false;
        change(run);
        run.judge();
        return run.report.exit_code;
    };
    EXPECT_EQ(code_with([](Trial&) {}), 1);
    EXPECT_EQ(code_with([](Trial& run) { run.cases[0].grade = Grade::probable; }), 0);
    EXPECT_EQ(code_with([](Trial& run) { run.cases[0].expected = true; }), 0);
    EXPECT_EQ(code_with([](Trial& run) { run.cases[0].behaviour = Behaviour::late_after_close; }),
              0);
    EXPECT_EQ(code_with([](Trial& run) { run.policy.rules[0].expect = Expect::any; }), 0);
    EXPECT_EQ(code_with([](Trial& run) { run.policy.rules[0].limits.loss_max = 0.5; }), 0);
    EXPECT_EQ(code_with([](Trial& run) { run.policy.rules[0].limits.loss_max = 0.01; }), 1);
    EXPECT_EQ(code_with([](Trial& run) { run.policy = sample_policy(); }), 0) << "nothing asked";
    EXPECT_EQ(code_with([](Trial& run) { run.facts[0].server[0].port = 8080; }), 1);
    EXPECT_EQ(code_with([](Trial& run) {
                  run.facts[0].server[0].port = run.facts[0].server[1].port = 8080;
              }),
              0)
        << "of no rule";
    // After a longer silence than the one asked for, a time-out may drop.
    EXPECT_EQ(code_with([](Trial& run) {
                  run.policy.rules[0].limits.idle_timeout_min = kSecond;
                  run.conversations[0].idle_passed = kSecond;
                  run.cases[0].behaviour = Behaviour::idle_timeout;
                  run.facts[0].circumstances.idle = 3 * kSecond;
              }),
              0);
}

TEST(PolicyRun, a_rule_is_no_better_than_its_limits_but_for_those_untested) {
    const auto result_with = [](auto change) {
        Trial run;
        run.conversations.reserve(8);
        run.add(Outcome::established, 443);
        change(run);
        run.judge();
        return run.report.policy[0];
    };
    const auto lossy = [](Trial& run) {
        run.fact(run.conversations[0], FactKind::lost_between, Behaviour::packet_dropped);
        run.policy.rules[0].limits.loss_max = 0.01;
    };
    const PolicyRow broken = result_with(lossy);
    EXPECT_EQ(broken.result, kFail);
    EXPECT_EQ(broken.against, 0U);
    EXPECT_THAT(broken.why, HasSubstr("; loss is broken"));
    EXPECT_EQ(result_with([&](Trial& run) {
                  lossy(run);
                  run.cases[0].grade = Grade::probable;
                  run.conversations[0].ways[0].lost = 1;
              }).result,
              kInconclusive);
    EXPECT_EQ(result_with([](Trial& run) {
                  run.policy.rules[0].limits.idle_timeout_min = kSecond;
              }).result,
              kPass);
    // Each copy that entered and did not leave is a packet.
    EXPECT_EQ(result_with([&](Trial& run) {
                  lossy(run);
                  run.facts[0].attempts = 4;
              })
                  .limits[0]
                  .measured,
              "20.0 % (4 of 20 packets)");
    // Nothing is said twice, and what is broken is not a block.
    Trial run;
    run.conversations.reserve(8);
    run.add(Outcome::established, 443);
    lossy(run);
    run.judge();
    EXPECT_THAT(run.report.why_exit, ElementsAre(HasSubstr("loss <= 1 % asked, 5.0 %")));
}

TEST(PolicyRun, harm_fails_only_where_findings_is_asked_for) {
    Trial run;
    run.fact(run.add(Outcome::established, 443), FactKind::altered, Behaviour::payload_altered);
    run.judge();
    EXPECT_EQ(run.report.exit_code, 0);
    run.policy.fail_on |= static_cast<std::uint8_t>(FailOn::findings);
    run.judge();
    EXPECT_EQ(run.report.exit_code, 1);
    EXPECT_THAT(run.report.why_exit, ElementsAre(HasSubstr("1 case proven to damage")));
}

TEST(PolicyRun, connections_of_no_rule_are_counted) {
    Trial run;
    run.add(Outcome::established, 8080);
    run.judge();
    EXPECT_EQ(run.report.outside_policy, 1U);
    EXPECT_THAT(run.results(), ElementsAre(kUntested, kUntested, kUntested));
}

TEST(PolicyRun, findings_are_linked_to_the_rules_their_evidence_falls_under) {
    Trial run;
    run.conversations.reserve(8);
    const Conversation& made = run.add(Outcome::established, 443);
    Finding finding;
    finding.id = 7;
    finding.evidence.resize(2);
    finding.evidence[0].fact = finding.evidence[1].fact = fact_of(made, FactKind::lost_between);
    run.report.findings = {finding};
    run.judge();
    EXPECT_THAT(run.report.policy[0].findings, ElementsAre(7U));
    EXPECT_THAT(run.report.policy[1].findings, IsEmpty());
}

TEST(PolicyRun, without_a_policy_nothing_is_judged_but_an_unusable_capture) {
    Trial run;
    run.policy = {};
    run.report.verdict = "2 packets lost";
    run.stopped(Outcome::syn_dropped, 443);
    run.judge();
    EXPECT_EQ(run.report.exit_code, 0);
    EXPECT_EQ(run.report.verdict, "2 packets lost");
    EXPECT_THAT(run.report.policy, IsEmpty());
    EXPECT_EQ(run.report.outside_policy, 0U);
    run.report.confidence.trust = Trust::reduced;
    run.judge();
    EXPECT_EQ(run.report.exit_code, 0);
    run.report.confidence.trust = Trust::unusable;
    run.judge();
    EXPECT_EQ(run.report.exit_code, 4);
}

}  // namespace
}  // namespace tw::firewall
