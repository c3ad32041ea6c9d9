// SPDX-License-Identifier: BSD-3-Clause
// Each rule by the facts that must lead to it, and by those that nearly do.
#include "core/tcp/judge.hpp"

#include <gtest/gtest.h>

namespace tw::tcp {
namespace {

using event::Cause;
using event::Confidence;
using event::Finding;
using event::Place;
using event::Rule;
using event::Verdict;

constexpr PathTimes kPath{.to_sender = 40 * kMillisecond, .to_receiver = 20 * kMillisecond};

void expect(const Finding& finding, Verdict verdict, Rule rule, Confidence confidence) {
    EXPECT_EQ(name(finding.verdict), name(verdict));
    EXPECT_EQ(name(finding.rule), name(rule));
    EXPECT_EQ(name(finding.confidence), name(confidence));
}

TEST(JudgeFill, newer_timestamp_proves_a_loss_before_the_tap_while_the_capture_is_clean) {
    const Finding finding = judge_fill({.by_timestamp = Order::later, .lag = kSecond});
    expect(finding, Verdict::lost_before_tap, Rule::newer_timestamp, Confidence::proven);
    EXPECT_TRUE(finding.if_capture_clean);
    EXPECT_TRUE(finding.excluded.has(Verdict::reordered_before_tap));
    EXPECT_EQ(finding.place, Place::sender_to_tap);
    EXPECT_EQ(finding.cost, kSecond);
}

TEST(JudgeFill, ack_field_and_ip_identification_speak_where_there_is_no_timestamp) {
    expect(judge_fill({.by_ack = Order::later}), Verdict::lost_before_tap, Rule::higher_ack_field,
           Confidence::proven);
    expect(judge_fill({.by_ip_id = Order::later}), Verdict::lost_before_tap, Rule::later_ip_id,
           Confidence::proven);
    expect(judge_fill({.by_ip_id = Order::earlier, .asked = 1}), Verdict::reordered_before_tap,
           Rule::earlier_ip_id, Confidence::proven);
}

TEST(JudgeFill, a_delayed_original_is_proven_only_where_the_receiver_saw_the_gap_too) {
    expect(judge_fill({.by_timestamp = Order::earlier, .asked = 1}), Verdict::reordered_before_tap,
           Rule::older_timestamp, Confidence::proven);
    const Finding finding = judge_fill({.by_timestamp = Order::earlier});
    expect(finding, Verdict::reordered_before_tap, Rule::older_timestamp, Confidence::probable);
    EXPECT_TRUE(finding.possible.has(Verdict::reordered_in_capture));
}

TEST(JudgeFill, contradicting_orders_prove_nothing) {
    const Finding finding =
        judge_fill({.by_timestamp = Order::later, .by_ack = Order::earlier, .lag = kSecond / 2});
    EXPECT_EQ(finding.confidence, Confidence::probable);
}

TEST(JudgeFill, sooner_than_the_sender_could_answer_it_was_only_late) {
    FillFacts facts{
        .asked = 3, .lag = 30 * kMillisecond, .since_ask = 25 * kMillisecond, .path = kPath};
    expect(judge_fill(facts), Verdict::reordered_before_tap, Rule::short_lag, Confidence::probable);
    facts.since_ask = 41 * kMillisecond;
    expect(judge_fill(facts), Verdict::lost_before_tap, Rule::asked_and_waited,
           Confidence::probable);
}

TEST(JudgeFill, a_duplicate_report_may_mean_a_missed_first_copy_or_a_doubled_filler) {
    const Finding finding = judge_fill({.by_timestamp = Order::later, .dsack = true});
    expect(finding, Verdict::unknown, Rule::dsack_of_filler, Confidence::none);
    EXPECT_TRUE(finding.possible.has(Verdict::missed_by_capture));
    EXPECT_TRUE(finding.possible.has(Verdict::lost_before_tap));
}

TEST(JudgeFill, a_copy_sent_before_the_filler_and_captured_after_it_was_overtaken) {
    expect(judge_fill({.by_timestamp = Order::later, .original_came = true}),
           Verdict::reordered_before_tap, Rule::original_came, Confidence::probable);
    expect(judge_repeat({.kind = RepeatKind::overtaken}), Verdict::reordered_before_tap,
           Rule::original_came, Confidence::probable);
}

TEST(JudgeFill, another_copy_after_the_filler_may_be_the_late_original) {
    expect(judge_fill({.by_ip_id = Order::later, .repeated = true}), Verdict::lost_before_tap,
           Rule::later_ip_id, Confidence::probable);
}

TEST(JudgeFill, data_captured_after_its_ack_is_the_order_of_the_capture_unless_sent_later) {
    expect(judge_fill({.after_ack = true}), Verdict::reordered_in_capture, Rule::data_after_its_ack,
           Confidence::probable);
    expect(judge_fill({.by_timestamp = Order::later, .after_ack = true}),
           Verdict::missed_by_capture, Rule::ack_of_unseen, Confidence::probable);
}

TEST(JudgeFill, a_duplicate_report_adds_no_doubt_where_what_was_acknowledged_was_sent_again) {
    const FillFacts facts{.by_timestamp = Order::later, .after_ack = true, .dsack = true};
    expect(judge_fill(facts), Verdict::missed_by_capture, Rule::ack_of_unseen,
           Confidence::probable);
    EXPECT_TRUE(judge_fill(facts).possible.has(Verdict::reordered_in_capture));
}

TEST(JudgeFill, a_duplicate_report_behind_the_ack_may_be_a_doubled_filler_captured_late) {
    const Finding finding = judge_fill({.after_ack = true, .dsack = true});
    expect(finding, Verdict::unknown, Rule::dsack_of_filler, Confidence::none);
    EXPECT_TRUE(finding.possible.has(Verdict::reordered_in_capture));
    EXPECT_TRUE(finding.possible.has(Verdict::missed_by_capture));
}

TEST(JudgeFill, nothing_decides_between_a_fast_repair_and_a_slow_path) {
    const Finding finding = judge_fill({.lag = 100 * kMillisecond, .path = kPath});
    expect(finding, Verdict::unknown, Rule::nothing_decides, Confidence::none);
    EXPECT_EQ(finding.cause, Cause::not_enough_evidence);
    EXPECT_TRUE(finding.possible.has(Verdict::lost_before_tap));
}

RepeatFacts plain() {
    return {.apart = 300 * kMillisecond,
            .bytes = 1000,
            .reports = true,
            .answered = true,
            .answer_lag = 25 * kMillisecond,
            .receiver_heard = true,
            .path = kPath};
}

TEST(JudgeRepeat, the_echo_of_a_repeat_that_was_asked_for_proves_a_loss_after_the_tap) {
    RepeatFacts facts = plain();
    facts.echoes_repeat = true;
    facts.asked = 3;
    const Finding finding = judge_repeat(facts);
    expect(finding, Verdict::lost_after_tap, Rule::echo_of_repeat, Confidence::proven);
    EXPECT_TRUE(finding.if_capture_clean);
    EXPECT_EQ(finding.place, Place::tap_to_receiver);
    EXPECT_EQ(finding.cost, 300 * kMillisecond);
}

TEST(JudgeRepeat, an_echo_of_what_nobody_asked_for_proves_nothing) {
    // R may have had the bytes, echoed the needless repeat, and its DSACK was lost.
    RepeatFacts facts = plain();
    facts.echoes_repeat = true;
    expect(judge_repeat(facts), Verdict::lost_after_tap, Rule::echo_of_repeat,
           Confidence::probable);
    facts.asked = 3;
    facts.reports = false;  // nor need it have said so
    EXPECT_EQ(judge_repeat(facts).confidence, Confidence::probable);
}

TEST(JudgeRepeat, a_duplicate_report_may_be_about_a_copy_of_the_repeat) {
    RepeatFacts facts = plain();
    facts.dsacked = 1000;
    facts.doubled = true;
    expect(judge_repeat(facts), Verdict::spurious_retransmission, Rule::dsack,
           Confidence::probable);
    facts.asked = 3;
    expect(judge_repeat(facts), Verdict::lost_after_tap, Rule::receiver_lacked,
           Confidence::probable);
    const Finding copy = judge_repeat(
        {.kind = RepeatKind::copy, .apart = kMillisecond, .doubled = true, .dsacked = 1000});
    expect(copy, Verdict::duplicated_by_mirror, Rule::same_frame, Confidence::probable);
    EXPECT_TRUE(copy.possible.has(Verdict::duplicated_in_network));
}

TEST(JudgeFill, a_duplicate_report_may_be_about_a_copy_of_the_filler) {
    FillFacts facts{.by_timestamp = Order::later, .dsack = true, .lag = 20 * kMillisecond};
    EXPECT_EQ(judge_fill(facts).verdict, Verdict::unknown);
    facts.doubled = true;
    EXPECT_EQ(judge_fill(facts).verdict, Verdict::lost_before_tap);
}

TEST(JudgeRepeat, a_duplicate_report_for_all_of_it_makes_it_spurious) {
    RepeatFacts facts = plain();
    facts.dsacked = 1000;
    expect(judge_repeat(facts), Verdict::spurious_retransmission, Rule::dsack,
           Confidence::probable);
    facts.echoes_original = true;  // it was not the repeat that the network doubled
    expect(judge_repeat(facts), Verdict::spurious_retransmission, Rule::dsack, Confidence::proven);
    facts.asked = 3;
    EXPECT_EQ(judge_repeat(facts).cause, Cause::late_original);
}

TEST(JudgeRepeat, an_ack_that_moves_on_with_the_repeat_is_probably_a_loss_after_the_tap) {
    expect(judge_repeat(plain()), Verdict::lost_after_tap, Rule::ack_jump, Confidence::probable);
    RepeatFacts facts = plain();
    facts.answer_lag = 2 * kMillisecond;  // the repeat cannot have arrived yet
    expect(judge_repeat(facts), Verdict::spurious_retransmission, Rule::answer_too_soon,
           Confidence::probable);
}

TEST(JudgeRepeat, sooner_than_any_timer_and_unasked_it_was_captured_twice) {
    RepeatFacts facts = plain();
    facts.apart = 900 * kMicrosecond;
    expect(judge_repeat(facts), Verdict::duplicated_by_mirror, Rule::no_time_to_repeat,
           Confidence::probable);
    facts.asked = 1;
    EXPECT_EQ(judge_repeat(facts).verdict, Verdict::lost_after_tap);
}

TEST(JudgeRepeat, an_ack_of_unknown_time_decides_nothing) {
    const Finding finding = judge_repeat({.kind = RepeatKind::acknowledged, .bytes = 1000});
    expect(finding, Verdict::unknown, Rule::nothing_decides, Confidence::none);
    EXPECT_EQ(finding.lag, 0);
}

TEST(JudgeFill, no_path_holds_a_segment_back_for_seconds) {
    expect(judge_fill({.by_ack = Order::earlier, .lag = 6 * kSecond}), Verdict::lost_before_tap,
           Rule::asked_and_waited, Confidence::probable);
}

TEST(JudgeRepeat, without_a_word_of_the_receiver_nothing_is_claimed) {
    RepeatFacts facts = plain();
    facts.answered = facts.receiver_heard = false;
    expect(judge_repeat(facts), Verdict::unknown, Rule::nothing_decides, Confidence::none);
}

TEST(JudgeRepeat, the_ack_was_lost_if_there_was_time_for_it_to_arrive) {
    RepeatFacts facts{.kind = RepeatKind::acknowledged,
                      .ack_lag = 200 * kMillisecond,
                      .bytes = 1000,
                      .path = kPath};
    Finding finding = judge_repeat(facts);
    expect(finding, Verdict::ack_lost, Rule::ack_long_before, Confidence::probable);
    EXPECT_EQ(finding.place, Place::tap_to_sender);
    facts.ack_lag = 20 * kMillisecond;
    finding = judge_repeat(facts);
    expect(finding, Verdict::spurious_retransmission, Rule::ack_just_before, Confidence::probable);
    EXPECT_EQ(finding.cause, Cause::early_timer);
}

TEST(JudgeRepeat, a_copy_is_the_mirrors_unless_late_or_reported) {
    RepeatFacts facts{.kind = RepeatKind::copy, .apart = kMillisecond, .bytes = 1000};
    expect(judge_repeat(facts), Verdict::duplicated_by_mirror, Rule::same_frame,
           Confidence::probable);
    facts.ttl_differs = facts.named = true;
    expect(judge_repeat(facts), Verdict::duplicated_by_mirror, Rule::same_frame,
           Confidence::proven);
    facts.apart = 11 * kMillisecond;
    expect(judge_repeat(facts), Verdict::duplicated_in_network, Rule::same_frame_later,
           Confidence::probable);
    facts.dsacked = 1000;
    expect(judge_repeat(facts), Verdict::duplicated_in_network, Rule::dsack, Confidence::proven);
    facts.apart = kMillisecond;
    expect(judge_repeat(facts), Verdict::duplicated_in_network, Rule::dsack, Confidence::probable);
}

OpenFacts open_hole() {
    return {.bytes = 1010,
            .asked = 1,
            .asked_for = 6 * kSecond,
            .sender_closed = true,
            .fin_opened = true,
            .receiver_heard = true,
            .path = kPath};
}

TEST(JudgeOpen, a_sender_that_closes_instead_of_answering_was_silent) {
    const Finding finding = judge_open(open_hole());
    expect(finding, Verdict::never_recovered, Rule::asked_in_vain, Confidence::proven);
    EXPECT_EQ(finding.cause, Cause::sender_silent);
    EXPECT_EQ(finding.place, Place::sender_to_tap);
}

TEST(JudgeOpen, a_sender_that_repaired_others_tried) {
    OpenFacts facts = open_hole();
    facts.others_refilled = true;
    EXPECT_EQ(judge_open(facts).cause, Cause::retransmissions_lost);
}

TEST(JudgeOpen, before_the_sender_could_answer_the_capture_ended) {
    OpenFacts facts = open_hole();
    facts.sender_closed = false;
    facts.asked_for = kMillisecond;
    const Finding finding = judge_open(facts);
    EXPECT_EQ(finding.cause, Cause::capture_ended);
    EXPECT_EQ(finding.confidence, Confidence::probable);
}

TEST(JudgeOpen, one_byte_below_a_fin_that_is_all_the_sender_repeats_is_an_overshoot) {
    OpenFacts facts = open_hole();
    facts.bytes = 1;
    facts.fins_repeated = 1;
    expect(judge_open(facts), Verdict::sequence_overshoot, Rule::fin_one_beyond,
           Confidence::probable);
    facts.bytes = 2;
    EXPECT_EQ(judge_open(facts).verdict, Verdict::never_recovered);
}

TEST(JudgeOpen, what_nobody_asked_for_may_have_arrived) {
    OpenFacts facts = open_hole();
    facts.asked = 0;
    const Finding finding = judge_open(facts);
    expect(finding, Verdict::unknown, Rule::never_asked, Confidence::none);
    EXPECT_TRUE(finding.possible.has(Verdict::missed_by_capture));
}

TEST(JudgeMissed, an_ack_of_unseen_bytes_is_proof) {
    expect(judge_missed(false), Verdict::missed_by_capture, Rule::ack_of_unseen,
           Confidence::proven);
    expect(judge_missed(true), Verdict::missed_by_capture, Rule::sack_of_unseen,
           Confidence::proven);
}

}  // namespace
}  // namespace tw::tcp
