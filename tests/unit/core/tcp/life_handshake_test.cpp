// SPDX-License-Identifier: BSD-3-Clause
// Handshakes: each rule with one that must raise it and near misses that must not.
#include "unit/core/tcp/life_talk.hpp"

namespace tw::tcp {
namespace {

Conversation handshake_with_stamps() {
    Conversation talk;
    talk.client("S", {.options = stamps(100, 0)});
    talk.server("SA", {.options = stamps(900, 100)});
    talk.client("A", {.options = stamps(101, 900)});
    return talk;
}

TEST(LifeHandshake, repeated_syn_without_any_answer_is_unanswered) {
    Conversation talk;
    talk.client("S").wait(kSecond).client("S", {.seq = 0});
    talk.wait(2 * kSecond).client("S", {.seq = 0});
    const auto events = events_of(talk, EventType::handshake);
    expect_one(events, Verdict::syn_unanswered, Rule::syn_without_answer, Confidence::probable,
               Direction::c2s);
    EXPECT_EQ(events[0].repeats_count, 2U);
    EXPECT_EQ(events[0].finding.cost, 3 * kSecond);
    EXPECT_EQ(events[0].finding.place, Place::beyond_tap);
    EXPECT_TRUE(events[0].finding.possible.has(Verdict::lost_after_tap));
    EXPECT_TRUE(events[0].finding.possible.has(Verdict::lost_before_tap));
    ASSERT_EQ(events[0].subjects_count, 2U);
    EXPECT_EQ(events[0].subject[0].frame, 1U);
    EXPECT_EQ(events[0].subject[1].frame, 3U);
    EXPECT_EQ(events[0].resolution, Resolution::never);
}

TEST(LifeHandshake, single_syn_is_counted_and_no_episode) {
    PipelineRun run;
    Conversation talk;
    talk.client("S");
    tell(run, talk);
    run.finish();
    EXPECT_TRUE(run.events().empty());
    EXPECT_EQ(run.count(Counter::flows_syn_unanswered), 1U);
}

TEST(LifeHandshake, refused_syn_is_not_unanswered) {
    Conversation talk;
    talk.client("S").server("RA");
    expect_silence(talk);
    // Windows asks three times although it was told.
    talk.wait(kSecond / 2).client("S", {.seq = 0}).server("RA", {.seq = 0});
    talk.wait(kSecond / 2).client("S", {.seq = 0}).server("RA", {.seq = 0});
    expect_silence(talk);
}

TEST(LifeHandshake, answer_that_echoes_the_second_syn_shows_the_first_was_lost_behind_the_tap) {
    Conversation talk;
    talk.client("S", {.options = stamps(100, 0)});
    talk.wait(kSecond).client("S", {.seq = 0, .options = stamps(1100, 0)});
    talk.server("SA", {.options = stamps(900, 1100)}).client("A", {.options = stamps(1101, 900)});
    talk.client("PA", {.bytes = 10, .options = stamps(1102, 900)});
    talk.server("A", {.options = stamps(901, 1102)});
    const auto events = events_of(talk, EventType::handshake);
    expect_one(events, Verdict::lost_after_tap, Rule::echo_of_repeat, Confidence::probable,
               Direction::c2s);
    EXPECT_EQ(events[0].finding.place, Place::tap_to_receiver);
    EXPECT_EQ(events[0].finding.cost, kSecond + kMillisecond);
    EXPECT_EQ(events[0].resolution, Resolution::acknowledged);
    ASSERT_EQ(events[0].evidence_count, 1U);
    EXPECT_EQ(events[0].evidence[0].frame, 3U);
}

TEST(LifeHandshake, answer_that_echoes_the_first_syn_shows_that_an_answer_was_lost) {
    Conversation talk;
    talk.client("S", {.options = stamps(100, 0)});
    talk.wait(kSecond).client("S", {.seq = 0, .options = stamps(1100, 0)});
    talk.server("SA", {.options = stamps(900, 100)}).client("A", {.options = stamps(1101, 900)});
    const auto events = events_of(talk, EventType::handshake);
    expect_one(events, Verdict::lost_before_tap, Rule::echo_of_original, Confidence::probable,
               Direction::s2c);
    EXPECT_EQ(events[0].finding.place, Place::sender_to_tap);
}

TEST(LifeHandshake, without_timestamps_nobody_can_tell_syn_from_answer) {
    Conversation talk;
    talk.client("S").wait(kSecond).client("S", {.seq = 0}).server("SA").client("A");
    const auto events = events_of(talk, EventType::handshake);
    expect_one(events, Verdict::unknown, Rule::nothing_decides, Confidence::none, Direction::c2s);
    EXPECT_EQ(events[0].finding.cause, Cause::not_enough_evidence);
    EXPECT_TRUE(events[0].finding.possible.has(Verdict::lost_after_tap));
    EXPECT_TRUE(events[0].finding.possible.has(Verdict::lost_before_tap));
}

TEST(LifeHandshake, syn_again_after_a_captured_answer_shows_the_answer_was_lost_behind_the_tap) {
    Conversation talk;
    talk.client("S", {.options = stamps(100, 0)}).server("SA", {.options = stamps(900, 100)});
    talk.wait(kSecond).client("S", {.seq = 0, .options = stamps(1100, 0)});
    talk.server("SA", {.seq = 0, .options = stamps(1901, 100)});
    talk.client("A", {.options = stamps(1101, 1901)});
    const auto events = events_of(talk, EventType::handshake);
    expect_one(events, Verdict::lost_after_tap, Rule::echo_of_repeat, Confidence::probable,
               Direction::s2c);
    ASSERT_EQ(events[0].subjects_count, 2U);
    EXPECT_EQ(events[0].subject[0].frame, 2U);
    EXPECT_EQ(events[0].subject[1].frame, 4U);
    EXPECT_EQ(events[0].evidence[0].frame, 3U);
    EXPECT_EQ(events[0].evidence[1].frame, 5U);
    EXPECT_EQ(events[0].time_end, events[0].evidence[1].time);
}

// The tap is near the server, the client 1.2 s away: its second SYN had left before the answer
// came.
TEST(LifeHandshake, syn_again_while_the_answer_is_on_its_way_is_spurious) {
    Conversation talk;
    talk.client("S", {.options = stamps(100, 0)}).server("SA", {.options = stamps(900, 100)});
    talk.wait(kSecond).client("S", {.seq = 0, .options = stamps(1100, 0)});
    talk.server("SA", {.seq = 0, .options = stamps(1901, 100)});
    talk.wait(200 * kMillisecond).client("A", {.options = stamps(1300, 900)});
    const auto events = events_of(talk, EventType::handshake);
    expect_one(events, Verdict::spurious_retransmission, Rule::ack_just_before,
               Confidence::probable, Direction::c2s);
    EXPECT_EQ(events[0].finding.cause, Cause::early_timer);
    EXPECT_EQ(events[0].finding.cost, 0);
}

// The captured ACK cannot answer a SYN/ACK that came after it: the first one arrived, whatever the
// client's second SYN says.
TEST(LifeHandshake, syn_again_and_an_ack_before_the_second_answer_shows_the_first_arrived) {
    Conversation talk;
    talk.client("S").server("SA").wait(500 * kMillisecond).client("S", {.seq = 0});
    talk.wait(kMillisecond).client("A").wait(700 * kMillisecond).server("SA", {.seq = 0});
    talk.client("A");
    const auto events = events_of(talk, EventType::handshake);
    expect_one(events, Verdict::spurious_retransmission, Rule::ack_just_before,
               Confidence::probable, Direction::c2s);
    EXPECT_EQ(events[0].finding.place, Place::inside_sender);
}

TEST(LifeHandshake, syn_ack_again_after_the_captured_ack_shows_that_the_ack_was_lost) {
    Conversation talk = handshake_with_stamps();
    talk.wait(kSecond).server("SA", {.seq = 0, .options = stamps(1900, 100)});
    talk.client("A", {.options = stamps(1101, 900)});
    talk.client("PA", {.bytes = 10, .options = stamps(1102, 900)}).server("A");
    const auto events = events_of(talk, EventType::handshake);
    expect_one(events, Verdict::ack_lost, Rule::ack_long_before, Confidence::probable,
               Direction::s2c);
    EXPECT_EQ(events[0].finding.place, Place::tap_to_sender);
    EXPECT_EQ(events[0].finding.lag, kSecond);
    EXPECT_EQ(events[0].resolution, Resolution::acknowledged_before);
    EXPECT_EQ(events[0].evidence[0].frame, 3U);
}

// The tap is near the client, the server far away and impatient.
TEST(LifeHandshake, syn_ack_again_before_the_ack_can_have_arrived_is_spurious) {
    Conversation talk;
    talk.client("S").wait(800 * kMillisecond).server("SA").client("A");
    talk.wait(kSecond).server("SA", {.seq = 0}).client("A");
    const auto events = events_of(talk, EventType::handshake);
    expect_one(events, Verdict::spurious_retransmission, Rule::ack_just_before,
               Confidence::probable, Direction::s2c);
}

TEST(LifeHandshake, ack_that_echoes_the_second_syn_ack_shows_the_first_was_lost) {
    Conversation talk;
    talk.client("S", {.options = stamps(100, 0)}).server("SA", {.options = stamps(900, 100)});
    talk.wait(kSecond).server("SA", {.seq = 0, .options = stamps(1900, 100)});
    talk.client("A", {.options = stamps(1101, 1900)});
    const auto events = events_of(talk, EventType::handshake);
    expect_one(events, Verdict::lost_after_tap, Rule::echo_of_repeat, Confidence::probable,
               Direction::s2c);
}

TEST(LifeHandshake, ack_that_echoes_the_first_syn_ack_shows_it_had_arrived) {
    Conversation talk;
    talk.client("S", {.options = stamps(100, 0)}).server("SA", {.options = stamps(900, 100)});
    talk.wait(kSecond).server("SA", {.seq = 0, .options = stamps(1900, 100)});
    talk.client("A", {.options = stamps(1101, 900)});
    const auto events = events_of(talk, EventType::handshake);
    expect_one(events, Verdict::spurious_retransmission, Rule::echo_of_original,
               Confidence::probable, Direction::s2c);
    EXPECT_EQ(events[0].finding.place, Place::receiver_to_tap);
}

TEST(LifeHandshake, syn_ack_again_and_a_client_that_never_answers_stays_open) {
    Conversation talk;
    talk.client("S").server("SA").wait(kSecond).server("SA", {.seq = 0});
    const auto events = events_of(talk, EventType::handshake);
    expect_one(events, Verdict::unknown, Rule::nothing_decides, Confidence::none, Direction::s2c);
    EXPECT_EQ(events[0].resolution, Resolution::never);
}

TEST(LifeHandshake, frames_captured_twice_are_copies_of_the_mirror) {
    Conversation talk;
    talk.client("S", {.ip_id = 7}).wait(20 * kMicrosecond).client("S", {.seq = 0, .ip_id = 7});
    talk.server("SA").client("A").server("A");
    const auto events = events_of(talk, EventType::handshake);
    expect_one(events, Verdict::duplicated_by_mirror, Rule::same_frame, Confidence::probable,
               Direction::c2s);
    EXPECT_EQ(events[0].finding.cost, 0);
}

TEST(LifeHandshake, the_same_syn_too_late_for_a_mirror_was_doubled_by_the_network) {
    Conversation talk;
    talk.client("S", {.ip_id = 7}).wait(40 * kMillisecond).client("S", {.seq = 0, .ip_id = 7});
    talk.server("SA").client("A").server("A");
    expect_one(events_of(talk, EventType::handshake), Verdict::duplicated_in_network,
               Rule::same_frame_later, Confidence::probable, Direction::c2s);
    // Another frame is no copy, but nobody repeats a SYN so soon: nothing is said.
    Conversation other;
    other.client("S", {.ip_id = 7}).wait(40 * kMillisecond).client("S", {.seq = 0, .ip_id = 8});
    expect_silence(other.server("SA").client("A").server("A"));
}

TEST(LifeHandshake, ordinary_handshake_says_nothing) {
    Conversation talk;
    talk.handshake().client("PA", {.bytes = 100}).server("A").server("PA", {.bytes = 100});
    talk.client("A").client("FA").server("FA").client("A");
    expect_silence(talk);
}

TEST(LifeHandshake, episodes_leave_repeated_syns_alone) {
    Conversation talk;
    talk.client("S").wait(kSecond).client("S", {.seq = 0}).server("SA").client("A");
    EXPECT_TRUE(events_of(talk, EventType::repeat).empty());
}

}  // namespace
}  // namespace tw::tcp
