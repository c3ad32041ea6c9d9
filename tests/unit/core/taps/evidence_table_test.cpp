// SPDX-License-Identifier: BSD-3-Clause
// The decision table, row by row: facts that must lead to a verdict, and facts that nearly do.
#include "core/taps/evidence_table.hpp"

#include <gtest/gtest.h>

namespace tw::taps {
namespace {

void expect(const LossFacts& facts, FactKind kind, Grade grade, Proof proof) {
    const Decision decision = decide(facts);
    ASSERT_TRUE(decision.concluded);
    EXPECT_TRUE(decision.tell);
    EXPECT_EQ(name(decision.kind), name(kind));
    EXPECT_EQ(name(decision.grade), name(grade));
    EXPECT_EQ(name(decision.proof), name(proof));
}

void expect_wait(const LossFacts& facts) {
    EXPECT_FALSE(decide(facts).concluded);
}

TEST(EvidenceTable, without_evidence_kept_nothing_is_claimed) {
    expect({.limit_reached = true, .covered_unseen = true, .attempts = 9}, FactKind::unproven,
           Grade::unproven, Proof::limit_reached);
}

TEST(EvidenceTable, a_miss_is_proven_only_of_the_one_copy_that_can_have_arrived) {
    const LossFacts facts{.covered_unseen = true, .only_copy = true, .no_time_to_repeat = true};
    expect(facts, FactKind::missed_at_exit, Grade::proven, Proof::receiver_covers);
    EXPECT_FALSE(decide(facts).single_fault);
    LossFacts near = facts;
    near.only_copy = false;
    expect(near, FactKind::missed_at_exit, Grade::probable, Proof::receiver_covers);
    near = facts;
    near.no_time_to_repeat = false;
    expect(near, FactKind::missed_at_exit, Grade::probable, Proof::receiver_covers);
    near.echoes_it = true;
    expect(near, FactKind::missed_at_exit, Grade::proven, Proof::receiver_covers);
    near = facts;
    near.interchangeable = true;
    expect(near, FactKind::missed_at_exit, Grade::probable, Proof::receiver_covers);
    near = facts;
    near.raced = true;
    expect(near, FactKind::unproven, Grade::unproven, Proof::nothing_decides);
    near.echoes_later = true;  // the ACK that a mirror showed first was for the later copy
    expect(near, FactKind::lost_between, Grade::probable, Proof::left_later);
    near.asks = 1;
    expect(near, FactKind::lost_between, Grade::probable, Proof::receiver_asks);
}

TEST(EvidenceTable, a_syn_that_the_firewall_answers_by_itself_was_meant_for_it) {
    const Decision taken = decide({.syn = true, .answered_for = true, .covered_unseen = true});
    EXPECT_TRUE(taken.concluded);
    EXPECT_FALSE(taken.tell);
}

TEST(EvidenceTable, a_later_copy_that_left_and_was_then_acknowledged_proves_a_loss) {
    const LossFacts facts{.covered_after = true,
                          .left_later = true,
                          .settled = true,
                          .copies_left = 1,
                          .copies_left_ever = 1};
    expect(facts, FactKind::lost_between, Grade::proven, Proof::left_later);
    EXPECT_TRUE(decide(facts).single_fault);
    LossFacts near = facts;
    near.settled = false;
    expect_wait(near);
    near = facts;
    near.duplicates_told = 1;
    expect(near, FactKind::missed_at_exit, Grade::probable, Proof::receiver_covers);
    near.copies_left_ever = 2;
    expect(near, FactKind::lost_between, Grade::proven, Proof::left_later);
    near = facts;
    near.echoes_before = true;
    expect(near, FactKind::missed_at_exit, Grade::probable, Proof::receiver_covers);
    near = facts;
    near.copies_left = 2;  // packets are lost beyond the exit tap as well
    expect(near, FactKind::lost_between, Grade::probable, Proof::left_later);
    near = facts;
    near.too_soon = true;
    expect(near, FactKind::lost_between, Grade::probable, Proof::left_later);
    near.asks = 1;
    expect(near, FactKind::lost_between, Grade::proven, Proof::left_later);
}

TEST(EvidenceTable, a_receiver_that_answers_no_copy_lets_nothing_be_said) {
    LossFacts facts{.silent = true, .left_later = true, .copies_left = 1};
    expect_wait(facts);
    facts.last_call = true;
    expect(facts, FactKind::unproven, Grade::unproven, Proof::nothing_decides);
    facts.silent = false;
    expect(facts, FactKind::lost_between, Grade::probable, Proof::left_later);
    facts.asks = 1;
    expect(facts, FactKind::lost_between, Grade::proven, Proof::receiver_asks);
}

TEST(EvidenceTable, what_never_left_needs_two_copies_an_ask_or_a_refusal) {
    expect_wait({});
    expect({.last_call = true}, FactKind::unproven, Grade::unproven, Proof::nothing_decides);
    expect({.syn = true, .last_call = true}, FactKind::lost_between, Grade::probable,
           Proof::no_copy_leaves);
    expect({.attempts = 2}, FactKind::lost_between, Grade::proven, Proof::no_copy_leaves);
    expect({.asks = 1}, FactKind::lost_between, Grade::proven, Proof::receiver_asks);
    expect({.silent = true, .refused = true}, FactKind::lost_between, Grade::proven,
           Proof::answered_alone);
    expect({.way_blocked = true}, FactKind::lost_between, Grade::proven, Proof::no_copy_leaves);
}

TEST(EvidenceTable, many_copies_stand_alone_only_while_the_receiver_is_alive) {
    EXPECT_TRUE(decide({.attempts = 3}).single_fault);
    EXPECT_FALSE(decide({.attempts = 4}).single_fault);
    EXPECT_TRUE(decide({.silent = true, .attempts = 9}).single_fault);
}

TEST(EvidenceTable, an_ack_that_the_exit_tap_missed_forbids_an_accusation) {
    LossFacts facts{.asks = 1, .attempts = 5, .told_elsewhere = true};
    expect_wait(facts);
    facts.last_call = true;
    expect(facts, FactKind::unproven, Grade::unproven, Proof::nothing_decides);
    facts.asks = 0;
    expect(facts, FactKind::unproven, Grade::unproven, Proof::nothing_decides);
    facts.attempts = 1;
    expect(facts, FactKind::missed_at_exit, Grade::probable, Proof::receiver_covers);
}

TEST(EvidenceTable, what_a_receiver_refuses_is_lost_only_if_it_refuses_nothing) {
    LossFacts facts{.beyond_window = true, .attempts = 3};
    expect_wait(facts);
    facts.silent = true;
    expect(facts, FactKind::lost_between, Grade::proven, Proof::no_copy_leaves);
    facts.silent = false;
    facts.unanswered = true;  // it goes on with other things
    expect(facts, FactKind::lost_between, Grade::proven, Proof::no_copy_leaves);
    facts.attempts = 2;
    expect_wait(facts);
}

TEST(EvidenceTable, a_repeat_of_what_had_left_is_suppressed) {
    expect({.repeat = true, .left_before = true, .covered_before = true}, FactKind::suppressed,
           Grade::probable, Proof::copy_left_before);
    expect({.repeat = true, .left_before = true, .covered_after = true}, FactKind::suppressed,
           Grade::probable, Proof::copy_left_before);
    // Nobody has answered yet: the next copy may tell more.
    expect_wait({.repeat = true, .left_before = true});
}

TEST(EvidenceTable, repeats_the_receiver_waits_for_in_vain_are_held_back) {
    LossFacts facts{.last_call = true, .repeat = true, .left_before = true, .silent = true};
    facts.attempts = 2;
    expect(facts, FactKind::suppressed, Grade::probable, Proof::no_copy_leaves);
    facts.attempts = 1;
    expect(facts, FactKind::suppressed, Grade::probable, Proof::copy_left_before);
}

TEST(EvidenceTable, keep_alives_that_nobody_answers_do_not_arrive) {
    LossFacts facts{.repeat = true,
                    .left_before = true,
                    .covered_before = true,
                    .acknowledged_old = true,
                    .silent = true,
                    .attempts = 3};
    expect(facts, FactKind::lost_between, Grade::proven, Proof::no_copy_leaves);
    EXPECT_TRUE(decide(facts).single_fault);
    facts.silent = false;
    expect(facts, FactKind::suppressed, Grade::probable, Proof::copy_left_before);
}

TEST(EvidenceTable, acknowledged_before_it_was_shown_is_a_late_mirror_not_a_loss) {
    expect({.covered_before = true}, FactKind::missed_at_exit, Grade::probable,
           Proof::receiver_covers);
    expect({.repeat = true, .covered_before = true}, FactKind::unproven, Grade::unproven,
           Proof::nothing_decides);
}

TEST(EvidenceTable, bytes_that_left_in_other_packets_are_not_told_of) {
    const Decision passed = decide({.left_without_entry = true});
    EXPECT_TRUE(passed.concluded);
    EXPECT_FALSE(passed.tell);
    LossFacts facts{.left_without_entry = true, .same_bounds = true};
    expect_wait(facts);
    facts.last_call = true;
    expect(facts, FactKind::unproven, Grade::unproven, Proof::nothing_decides);
    facts.asks = 1;
    expect(facts, FactKind::lost_between, Grade::probable, Proof::receiver_asks);
}

}  // namespace
}  // namespace tw::taps
