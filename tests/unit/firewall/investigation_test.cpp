// SPDX-License-Identifier: BSD-3-Clause
// From facts to notices and to a report.
#include "firewall/investigation.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/firewall/fact_sample.hpp"

namespace tw::firewall {
namespace {

using namespace sample;
using enum Behaviour;

Fact single_loss(double seconds, std::uint64_t conversation = 1) {
    Fact fact = lost(data(1, 1010), seconds, conversation);
    fact.single_fault = true;
    cite(fact, Side::outside, taps::Part::subject, 12);
    return fact;
}
Fact miss(double seconds) {
    return fact(FactKind::missed_at_exit, data(), seconds);
}

// Both taps saw the same 1,000 packets each way, a router between them.
Confidence good() {
    Confidence confidence;
    confidence.taps[0].name = "outside";
    confidence.taps[1].name = "inside";
    for (TapReport& tap : confidence.taps) {
        tap.first = at(0);
        tap.last = at(60);
    }
    for (const Way way : {Way::inward, Way::outward}) {
        for (int i = 0; i < 20; ++i) {
            taps::Packet left = data();
            left.time = kMillisecond;
            left.ttl = 63;
            confidence.health.pair(way, data(), left);
        }
        for (auto& tap : confidence.health.taps) {
            tap[taps::index(way)].packets = 1000;
            tap[taps::index(way)].first = at(0);
            tap[taps::index(way)].last = at(60);
        }
    }
    confidence.health.conversations_at_both = 1;
    return confidence;
}

class Investigated : public testing::Test {
  protected:
    Policy policy;
    InvestigationOptions options;
    taps::Passage passage{Backing::lazy};

    Report report_of(const std::vector<Fact>& facts) {
        Investigation investigation(policy, options);
        for (const Fact& fact : facts) {
            investigation.add(fact);
        }
        investigation.add(conversation());
        return investigation.report(good(), passage);
    }
    static std::vector<Behaviour> behaviours(const Report& report) {
        std::vector<Behaviour> result;
        for (const Finding& finding : report.findings) {
            result.push_back(finding.behaviour);
        }
        return result;
    }
};

using Behaviours = std::vector<Behaviour>;

TEST_F(Investigated, the_response_that_never_left_is_one_proven_finding_with_its_ladder) {
    Investigation investigation(policy, options);
    Fact response = single_loss(0.1);
    response.way = Way::outward;
    response.cites[0].tap = Side::inside;
    taps::Excerpt excerpt;
    excerpt.fact = response.id;
    excerpt.count = 3;
    investigation.add(response);
    investigation.add(excerpt);
    investigation.add(conversation());
    const Report report = investigation.report(good(), passage);
    ASSERT_EQ(behaviours(report), Behaviours{packet_dropped});
    const Finding& finding = report.findings[0];
    EXPECT_EQ(finding.grade, Grade::proven);
    EXPECT_EQ(finding.cases, 1U);
    EXPECT_EQ(finding.bytes, 1010U);
    EXPECT_EQ(finding.conversations, 1U);
    EXPECT_EQ(finding.scope, "server 10.0.0.5:443");
    ASSERT_EQ(finding.evidence.size(), 1U);
    EXPECT_EQ(finding.evidence[0].excerpt.count, 3);
    EXPECT_EQ(
        finding.sentence,
        "The firewall between the outside and inside taps did not pass 1 of the 1,000 packets "
        "that entered (0.10 %; 1,010 bytes) of 1 connection, server 10.0.0.5:443, at "
        "1970-01-01 00:16:40 UTC");
    EXPECT_EQ(finding.evidence[0].sentence,
              "server 10.0.0.5:443 -> 192.0.2.10:40001: data seq 1, 1,010 bytes, frame 12 at the "
              "inside tap: not seen to leave at the outside tap; the receiver asked for the bytes: "
              "duplicate ACKs, or a hole in its SACK");
    EXPECT_EQ(report.verdict, "The capture is good. " + finding.sentence + ".");
}

TEST_F(Investigated, a_probable_loss_is_never_worded_as_a_deed) {
    Investigation investigation(policy, options);
    investigation.add(single_loss(1));
    investigation.add(miss(5));
    taps::Conversation one = conversation();
    one.ways[0].missed_at_exit = 20;
    one.ways[0].lost_beyond = 10;
    investigation.add(one);
    const Report report = investigation.report(good(), passage);
    ASSERT_EQ(behaviours(report), Behaviours{packet_dropped});
    EXPECT_EQ(report.findings[0].grade, Grade::probable);
    EXPECT_NE(report.findings[0].sentence.find("probably did not pass"), std::string::npos);
    EXPECT_TRUE(report.findings[0].has_chance);  // missed at the exit tap, and lost beyond it
    EXPECT_NEAR(report.findings[0].chance_of_error, 20.0 / 2020 * 10 / 1000, 1e-9);
    EXPECT_NE(report.findings[0].evidence[0].sentence.find("(probable)"), std::string::npos);
}

TEST_F(Investigated, misses_of_the_capture_and_losses_outside_give_no_finding) {
    Investigation investigation(policy, options);
    investigation.add(miss(1));
    taps::Conversation one = conversation();
    one.ways[0].lost_beyond = 3;
    one.ways[1].lost_before = 4;
    investigation.add(one);
    const Report report = investigation.report(good(), passage);
    EXPECT_TRUE(report.findings.empty());
    EXPECT_EQ(report.totals.lost_outside, 7U);
    EXPECT_NE(report.verdict.find("7 packets were lost outside the taps"), std::string::npos);
}

TEST_F(Investigated, an_unusable_capture_gives_its_doubt_and_no_finding) {
    Investigation investigation(policy, options);
    investigation.add(single_loss(0));
    Confidence swapped = good();
    swapped.health.negative_transits = {20, 20};
    const Report report = investigation.report(swapped, passage);
    EXPECT_TRUE(report.findings.empty());
    EXPECT_EQ(report.confidence.trust, Trust::unusable);
    EXPECT_EQ(report.verdict.rfind("No verdict:", 0), 0U) << report.verdict;
}

TEST_F(Investigated, drops_that_the_capture_counted_at_the_exit_tap_leave_nothing_proven) {
    Investigation investigation(policy, options);
    investigation.add(lost(data(), 0));
    investigation.add(conversation());
    Confidence dropping = good();
    dropping.taps[1].drops_known = true;
    dropping.taps[1].dropped = 1;
    EXPECT_EQ(investigation.report(dropping, passage).findings[0].grade, Grade::probable);
    dropping.taps[1].ledger_faults = 1;  // these have times, and none is near
    EXPECT_EQ(investigation.report(dropping, passage).findings[0].grade, Grade::proven);
}

TEST_F(Investigated, what_the_policy_wants_is_no_headline) {
    policy.defaults = {{.name = "default", .expect = Expect::drop}};
    Fact fact = lost(packet(flag::kSyn), 0);
    fact.proof = Proof::no_copy_leaves;
    const Report report = report_of({fact, single_loss(1)});
    for (const Finding& finding : report.findings) {
        EXPECT_TRUE(finding.expected) << finding.sentence;
    }
    policy.defaults[0].expect = Expect::pass;
    EXPECT_FALSE(report_of({fact}).findings[0].expected);
}

TEST_F(Investigated, the_gravest_finding_comes_first_and_ids_follow) {
    Fact late = fact(FactKind::late_lost, packet(flag::kAck), 0);
    const Report report = report_of({late, fact(FactKind::altered, data(), 1), single_loss(2)});
    EXPECT_EQ(behaviours(report), (Behaviours{packet_dropped, payload_altered, late_after_close}));
    EXPECT_EQ(report.findings[0].id, 1U);
    EXPECT_EQ(report.findings[2].id, 3U);
}

TEST_F(Investigated, all_copies_of_a_packet_are_counted) {
    Fact tried = single_loss(0);
    tried.proof = Proof::no_copy_leaves;
    tried.attempts = 5;
    const Report report = report_of({tried});
    EXPECT_EQ(report.findings[0].cases, 5U);
    EXPECT_EQ(report.findings[0].bytes, 5050U);
    EXPECT_EQ(report.findings[0].proven, 5U);
}

TEST_F(Investigated, evidence_shows_different_connections_and_the_best_first) {
    Fact weak = single_loss(0, 1);
    weak.grade = Grade::probable;
    const Report report = report_of(
        {weak, single_loss(1, 2), single_loss(2, 2), single_loss(3, 3), single_loss(4, 4)});
    ASSERT_EQ(report.findings[0].evidence.size(), Finding::kEvidenceMax);
    std::vector<std::uint64_t> shown;
    for (const Evidence& evidence : report.findings[0].evidence) {
        EXPECT_EQ(evidence.grade, Grade::proven);
        shown.push_back(evidence.fact.conversation);
    }
    EXPECT_EQ(shown, (std::vector<std::uint64_t>{2, 3, 4}));
}

// --- live

TEST_F(Investigated, a_notice_comes_at_once_and_again_when_settled) {
    Investigation investigation(policy, options);
    investigation.add(single_loss(0));
    const auto first = investigation.next_notice();
    ASSERT_TRUE(first);
    EXPECT_EQ(first->behaviour, packet_dropped);
    EXPECT_EQ(first->grade, Grade::proven);
    EXPECT_FALSE(first->settled);
    investigation.advance(at(12));
    EXPECT_FALSE(investigation.next_notice());
    investigation.advance(at(13.001));
    const auto second = investigation.next_notice();
    ASSERT_TRUE(second);
    EXPECT_EQ(second->id, first->id);
    EXPECT_TRUE(second->settled);
    EXPECT_EQ(second->grade, Grade::proven);
    EXPECT_FALSE(investigation.next_notice());
}

TEST_F(Investigated, a_miss_meanwhile_settles_it_as_probable) {
    Investigation investigation(policy, options);
    investigation.add(single_loss(0));
    investigation.add(miss(9));
    investigation.finish();
    std::vector<Notice> notices;
    while (const auto notice = investigation.next_notice()) {
        notices.push_back(*notice);
    }
    ASSERT_EQ(notices.size(), 3U);
    EXPECT_FALSE(notices[1].behaviour);  // the miss itself
    EXPECT_TRUE(notices[1].settled);
    EXPECT_TRUE(notices[2].settled);
    EXPECT_EQ(notices[2].grade, Grade::probable);
}

TEST_F(Investigated, a_miss_that_comes_too_late_is_said_again) {
    Investigation investigation(policy, options);
    investigation.add(single_loss(0));
    investigation.advance(at(30));
    investigation.add(miss(5));
    std::vector<Grade> grades;
    while (const auto notice = investigation.next_notice()) {
        grades.push_back(notice->grade);
    }
    EXPECT_EQ(grades,
              (std::vector<Grade>{Grade::proven, Grade::proven, Grade::probable, Grade::proven}));
}

TEST_F(Investigated, the_ledgers_word_settles_as_well) {
    Investigation investigation(policy, options);
    investigation.add(lost(data(), 0));
    investigation.add_faults(Side::inside, at(-1), at(1), event::CaptureFault::loss);
    investigation.finish();
    EXPECT_EQ(investigation.next_notice()->grade, Grade::proven);
    EXPECT_EQ(investigation.next_notice()->grade, Grade::probable);
}

TEST_F(Investigated, skew_lowers_what_rests_on_times_and_nothing_else) {
    for (const auto& [skew, grade] :
         {std::pair(kMillisecond, Grade::proven), std::pair(20 * kMillisecond, Grade::probable)}) {
        Investigation investigation(policy, options);
        investigation.add(conversation(1));
        taps::Conversation told = conversation(2);
        told.ways[taps::index(taps::Way::inward)].fins_left = 1;  // the server knows, too
        investigation.add(told);
        Fact dropped = lost(data(), 0);
        dropped.proof = Proof::no_copy_leaves;
        investigation.add(dropped);
        Fact reset = reset_to_client(0, 2);
        reset.proof = Proof::claimed_sender_speaks;
        investigation.add(reset);
        Confidence confidence = good();
        confidence.skew = skew;
        const Report report = investigation.report(std::move(confidence), passage);
        ASSERT_EQ(report.findings.size(), 2U);
        for (const Finding& finding : report.findings) {
            EXPECT_EQ(finding.grade,
                      finding.behaviour == Behaviour::reset_by_firewall ? grade : Grade::proven);
        }
    }
}

TEST_F(Investigated, intervals_that_the_ledger_marks_are_a_doubt_of_the_report) {
    Investigation investigation(policy, options);
    investigation.add(lost(data(), 0));
    investigation.add_faults(Side::inside, at(-1), at(1), event::CaptureFault::loss);
    const Report report = investigation.report(good(), passage);
    EXPECT_EQ(report.confidence.taps[1].ledger_faults, 1U);
    EXPECT_EQ(report.confidence.trust, Trust::reduced);
}

TEST_F(Investigated, limits_are_counted_and_said) {
    options.facts_max = 1;
    options.conversations_max = 1;
    Investigation investigation(policy, options);
    investigation.add(single_loss(0));
    investigation.add(single_loss(1));
    investigation.add(conversation(1));
    investigation.add(conversation(2));
    investigation.add_limit("taps.in_flight_full", 3);
    investigation.add_limit("taps.untouched", 0);
    const Report report = investigation.report(good(), passage);
    EXPECT_EQ(report.totals.limits_reached, (std::vector<std::pair<std::string, std::uint64_t>>{
                                                {"firewall.conversations_not_kept", 1},
                                                {"firewall.facts_not_kept", 1},
                                                {"taps.in_flight_full", 3}}));
    EXPECT_EQ(report.totals.facts[static_cast<std::size_t>(FactKind::lost_between)], 2U);
    EXPECT_EQ(report.confidence.trust, Trust::reduced);
}

// --- totals

TEST_F(Investigated, connections_open_at_one_time) {
    Investigation investigation(policy, options);
    for (std::uint64_t id = 1; id <= 3; ++id) {
        taps::Conversation one = conversation(id, 10.0 * static_cast<double>(id));
        one.last = one.first + 15 * kSecond;
        investigation.add(one);
    }
    const Report report = investigation.report(good(), passage);
    EXPECT_EQ(report.totals.concurrent_max, 2U);
    EXPECT_EQ(report.totals.conversations, 3U);
    EXPECT_EQ(report.totals.ways[0].entered, 3000U);
}

}  // namespace
}  // namespace tw::firewall
