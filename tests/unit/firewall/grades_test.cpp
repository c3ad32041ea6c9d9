// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/grades.hpp"

#include <gtest/gtest.h>

#include "unit/firewall/fact_sample.hpp"

namespace tw::firewall {
namespace {

using namespace sample;

Fact single_loss(double seconds) {
    Fact fact = lost(data(), seconds);
    fact.single_fault = true;
    return fact;
}

Fact miss(double seconds, FactKind kind = FactKind::missed_at_exit, Way way = Way::inward) {
    Fact made = fact(kind, data(), seconds);
    made.way = way;
    return made;
}

TEST(Grades, single_loss_is_proven_while_its_exit_tap_misses_nothing) {
    EXPECT_EQ(Grades().settle(single_loss(0)), Grade::proven);
}

TEST(Grades, single_loss_within_10_s_of_a_miss_at_its_exit_tap_is_probable) {
    for (const double apart : {-10.0, -0.1, 0.0, 0.1, 10.0}) {
        Grades grades;
        EXPECT_TRUE(grades.note_miss(miss(apart)));
        EXPECT_EQ(grades.settle(single_loss(0)), Grade::probable) << apart;
    }
}

// So many that one miss says little.
Grades after_many_passed() {
    Grades grades;
    taps::Conversation many = conversation();
    many.ways[0].passed = 100'000'000;
    grades.note_passed(many);
    return grades;
}

TEST(Grades, a_rare_miss_more_than_10_s_away_changes_nothing) {
    for (const double apart : {-10.001, 10.001}) {
        Grades grades = after_many_passed();
        grades.note_miss(miss(apart));
        EXPECT_EQ(grades.settle(single_loss(0)), Grade::proven) << apart;
    }
}

TEST(Grades, misses_that_are_frequent_elsewhere_leave_a_single_loss_probable) {
    Grades grades;
    grades.note_passed(conversation());  // 2,000 packets
    for (int i = 0; i < 20; ++i) {
        grades.note_miss(miss(100));
    }
    EXPECT_EQ(grades.settle(single_loss(0)), Grade::probable);
    Fact tried = single_loss(0);
    tried.proof = Proof::no_copy_leaves;
    tried.attempts = 2;
    EXPECT_EQ(grades.settle(tried), Grade::probable);
    tried.attempts = 4;  // each of them would have been missed
    EXPECT_EQ(grades.settle(tried), Grade::proven);
}

TEST(Grades, a_miss_at_the_other_tap_changes_nothing) {
    Grades grades;
    grades.note_miss(miss(0, FactKind::missed_at_entry));
    grades.note_miss(miss(0, FactKind::missed_at_exit, Way::outward));
    EXPECT_EQ(grades.settle(single_loss(0)), Grade::proven);
}

TEST(Grades, a_miss_of_the_other_way_at_the_exit_tap_counts) {
    Grades grades;
    grades.note_miss(miss(0, FactKind::missed_at_entry, Way::outward));  // enters at the inside
    EXPECT_EQ(grades.settle(single_loss(0)), Grade::probable);
}

TEST(Grades, what_many_copies_show_is_proven_beside_a_miss) {
    Grades grades;
    grades.note_miss(miss(0));
    Fact fact = lost(data());
    fact.proof = Proof::no_copy_leaves;
    EXPECT_EQ(grades.settle(fact), Grade::proven);
}

TEST(Grades, ledger_faults_make_any_absence_probable) {
    Grades grades;
    grades.note_faults(Side::inside, at(0), at(1), event::CaptureFault::loss);
    EXPECT_EQ(grades.settle(lost(data(), 0.5)), Grade::probable);
    EXPECT_EQ(grades.settle(lost(data(), 30)), Grade::proven);
}

TEST(Grades, faults_that_lose_no_frames_do_not_count) {
    for (const event::CaptureFault fault :
         {event::CaptureFault::forward, event::CaptureFault::uncounted,
          event::CaptureFault::stall}) {
        Grades grades;
        grades.note_faults(Side::inside, at(0), at(1), fault);
        EXPECT_EQ(grades.settle(lost(data(), 0.5)), Grade::proven);
        EXPECT_EQ(grades.marked(Side::inside), 0U);
    }
}

TEST(Grades, a_poller_that_is_away_from_a_port_that_does_not_count_may_lose_frames) {
    Grades grades;
    grades.note_faults(
        Side::inside, at(0), at(1),
        event::CaptureFaults(event::CaptureFault::stall) | event::CaptureFault::uncounted);
    EXPECT_EQ(grades.settle(lost(data(), 0.5)), Grade::probable);
}

TEST(Grades, an_interval_that_all_workers_tell_counts_once) {
    Grades grades;
    for (const double from : {0.0, 0.0, 1.0, 1.0}) {
        grades.note_faults(Side::inside, at(from), at(from + 1), event::CaptureFault::loss);
    }
    EXPECT_EQ(grades.marked(Side::inside), 2U);
    EXPECT_EQ(grades.marked(Side::outside), 0U);
}

TEST(Grades, only_what_compares_times_of_two_taps_rests_on_times) {
    EXPECT_TRUE(rests_on_times(Proof::times_only));
    EXPECT_TRUE(rests_on_times(Proof::answered_alone));
    EXPECT_TRUE(rests_on_times(Proof::claimed_sender_speaks));
    EXPECT_FALSE(rests_on_times(Proof::no_copy_leaves));
    EXPECT_FALSE(rests_on_times(Proof::left_later));
    EXPECT_FALSE(rests_on_times(Proof::receiver_asks));
}

TEST(Grades, drops_without_times_make_absences_at_that_tap_probable) {
    const Grades grades;
    EXPECT_EQ(grades.settle(lost(data()), {false, true}), Grade::probable);
    EXPECT_EQ(grades.settle(lost(data()), {true, false}), Grade::proven);
    EXPECT_EQ(grades.settle(reset_to_client(), {false, true}), Grade::probable);
}

TEST(Grades, what_both_taps_show_needs_no_neighbours) {
    Grades grades;
    grades.note_faults(Side::inside, at(0), at(1), event::CaptureFault::loss);
    grades.note_faults(Side::outside, at(0), at(1), event::CaptureFault::loss);
    EXPECT_EQ(grades.settle(fact(FactKind::altered, data(), 0.5), {true, true}), Grade::proven);
}

TEST(Grades, a_path_past_both_taps_may_be_two_mirrors_and_is_never_proven) {
    EXPECT_EQ(Grades().settle(fact(FactKind::asymmetric, data())), Grade::probable);
}

TEST(Grades, where_a_mirror_swaps_packets_no_reordering_is_proven) {
    const Fact late = fact(FactKind::reordered, data(), 0);
    Grades grades;
    EXPECT_TRUE(Grades::depends_on_neighbours(late));
    EXPECT_EQ(grades.settle(late), Grade::proven);
    Fact denied = fact(FactKind::reordered, data(), 5);
    denied.proof = taps::Proof::receiver_in_order;
    EXPECT_TRUE(grades.note_miss(denied));
    EXPECT_EQ(grades.settle(late), Grade::probable);
}

TEST(Grades, never_above_the_facts_own) {
    Fact fact = lost(data());
    fact.grade = Grade::unproven;
    EXPECT_EQ(Grades().settle(fact), Grade::unproven);
    fact.grade = Grade::probable;
    EXPECT_EQ(Grades().settle(fact), Grade::probable);
}

}  // namespace
}  // namespace tw::firewall
