// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/finding_text.hpp"

#include <gtest/gtest.h>

#include <string>

#include "samples.hpp"

namespace {

using namespace tw;
using namespace tw::test;
using event::Cause;
using event::Confidence;
using event::Place;
using event::Resolution;
using event::Role;
using event::Rule;
using event::Verdict;
using sinks::finding_text;
using sinks::side_text;

// The hole of the story, 1010 bytes of the server, with a finding.
event::Event hole(Verdict verdict, Rule rule, Confidence confidence = Confidence::proven) {
    event::Event event = story_hole();
    event.since = event.time - 20 * kSecond;
    event.subject[0].role = Role::opener;
    event.finding.verdict = verdict;
    event.finding.rule = rule;
    event.finding.confidence = confidence;
    event.finding.place = Place::sender_to_tap;
    return event;
}

// 1460 bytes of the server, first captured in frame 5, again in frame 9, 200 ms later.
event::Event repeat(Verdict verdict, Rule rule, Confidence confidence = Confidence::proven) {
    event::Event event = story_hole();
    event.type = event::EventType::repeat;
    event.resolution = Resolution::acknowledged;
    event.bytes = 1460;
    event.seq_end = event.seq_begin + 1460;
    event.repeats_count = 1;
    event.subject[0] = {9, event.time, 0, Role::repeat};
    event.evidence_count = 1;
    event.evidence[0] = {5, event.time - 200 * kMillisecond, 0, Role::original};
    event.finding.verdict = verdict;
    event.finding.rule = rule;
    event.finding.confidence = confidence;
    return event;
}

void add(event::Event& event, Role role, std::uint64_t frame, Nanos after = 0) {
    event.evidence[event.evidence_count++] = {frame, event.time + after, 0, role};
}

TEST(FindingText, nothing_is_said_of_what_was_not_judged) {
    EXPECT_EQ(finding_text(story_hole()), "");
    EXPECT_EQ(side_text(story_hole()), "");
}

TEST(FindingText, the_first_story_a_silent_sender) {
    event::Event event = hole(Verdict::never_recovered, Rule::asked_in_vain);
    event.finding.cause = Cause::sender_silent;
    event.finding.asked = 1;
    event.subject[0].role = Role::fin;
    add(event, Role::dup_ack, 9);
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent 1,010 bytes that never reached the tap; the client "
              "asked for them (duplicate ACK 1, frame 9), the server did not send them again and "
              "closed after 20.0 s idle: never recovered, sender silent; suspect what lies between "
              "the tap and the server.");
    EXPECT_EQ(side_text(event), "between 93.184.216.34 and the tap");
}

TEST(FindingText, the_second_story_a_fin_beyond_the_data) {
    event::Event event =
        hole(Verdict::sequence_overshoot, Rule::fin_one_beyond, Confidence::probable);
    event.bytes = 1;
    event.seq_begin = 6011;
    event.seq_end = 6012;
    event.finding.place = Place::inside_sender;
    event.finding.asked = 2;
    event.subject[0] = {8, event.time, 0, Role::fin};
    add(event, Role::dup_ack, 9);
    add(event, Role::repeat, 10);
    EXPECT_EQ(finding_text(event),
              "the FIN of server 93.184.216.34:80 (frame 8) carries a sequence number one byte "
              "beyond its data; the client asked for it 2 times (duplicate ACK 1011, first in "
              "frame 9), the server repeated only the FIN (frame 10): the byte was probably never "
              "sent; sequence overshoot, a bug of that TCP stack, no packet is missing.");
    EXPECT_EQ(side_text(event), "inside 93.184.216.34");
}

TEST(FindingText, live_a_time_stands_for_a_frame) {
    event::Event event = hole(Verdict::missed_by_capture, Rule::ack_of_unseen);
    event.finding.place = Place::at_tap;
    add(event, Role::ack, 0, 150 * kMillisecond);
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent 1,010 bytes that were not captured; the client has "
              "them (ACK, at 19:34:58.250000Z): missed by the capture, not lost.");
    EXPECT_EQ(side_text(event), "at the tap");
}

TEST(FindingText, a_capture_miss_names_where_it_was_lost) {
    event::Event event = hole(Verdict::missed_by_capture, Rule::ack_of_unseen);
    add(event, Role::ack, 7);
    const std::string fact =
        "server 93.184.216.34:80 sent 1,010 bytes that were not captured; the client has them "
        "(ACK, frame 7): missed by the capture, not lost";
    event.finding.cause = Cause::monitor;
    EXPECT_EQ(finding_text(event), fact + "; the monitor itself lost packets at that time.");
    event.finding.cause = Cause::mirror;
    EXPECT_EQ(finding_text(event),
              fact + "; lost on the way to the monitor, suspect the mirror port or TAP.");
    event.finding.cause = Cause::path;
    EXPECT_EQ(finding_text(event), fact + "; these packets pass the tap on another way.");
}

TEST(FindingText, a_capture_miss_by_sack) {
    event::Event event = hole(Verdict::missed_by_capture, Rule::sack_of_unseen);
    event.bytes = 1;
    event.fin_possible = true;
    add(event, Role::sack, 7);
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent 1 byte or the FIN that was not captured; the client "
              "has it (SACK, frame 7): missed by the capture, not lost.");
}

TEST(FindingText, lost_before_the_tap) {
    event::Event event = hole(Verdict::lost_before_tap, Rule::newer_timestamp);
    event.resolution = Resolution::filled;
    event.time_end = event.time + 212 * kMillisecond;
    event.finding.asked = 3;
    event.finding.cost = 212 * kMillisecond;
    add(event, Role::dup_ack, 7);
    add(event, Role::filler, 12);
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent 1,010 bytes that did not reach the tap; the client "
              "asked for them 3 times (first in frame 7); sent again and captured "
              "212 ms later (frame 12): lost between 93.184.216.34 and the tap.");
    event.finding.asked = 0;
    event.finding.cost = 1'020 * kMillisecond;
    event.finding.confidence = Confidence::probable;
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent 1,010 bytes that did not reach the tap; sent again "
              "and captured 212 ms later (frame 12): probably lost between 93.184.216.34 and the "
              "tap; it cost 1.02 s.");
}

TEST(FindingText, reordered_before_the_tap) {
    event::Event event = hole(Verdict::reordered_before_tap, Rule::short_lag, Confidence::probable);
    event.resolution = Resolution::filled;
    event.time_end = event.time + 120 * kMicrosecond;
    add(event, Role::filler, 7);
    EXPECT_EQ(finding_text(event),
              "1,010 bytes of server 93.184.216.34:80 were overtaken by later ones (frame 6) and "
              "captured 120 us late (frame 7): probably reordered between 93.184.216.34 and the "
              "tap, nothing was lost.");
}

TEST(FindingText, never_recovered_by_cause) {
    event::Event event = hole(Verdict::never_recovered, Rule::asked_in_vain);
    event.finding.cause = Cause::retransmissions_lost;
    event.finding.asked = 12;
    add(event, Role::sack, 9);
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent 1,010 bytes that never reached the tap; the client "
              "asked for them 12 times (first in frame 9), the server sent other bytes again "
              "but these never came: never recovered, retransmissions lost; suspect what lies "
              "between the tap and the server.");
    event = hole(Verdict::never_recovered, Rule::never_asked, Confidence::probable);
    event.finding.cause = Cause::capture_ended;
    event.time_end = event.time + 40 * kMillisecond;
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent 1,010 bytes that never reached the tap; the client "
              "never asked for them, and the capture ends 40.0 ms after the first sign (frame 6): "
              "never recovered while captured, how it went on is not known; probably lost between "
              "the tap and the server.");
    event.finding.cause = Cause::sender_silent;
    add(event, Role::rst, 11);
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent 1,010 bytes that never reached the tap; the client "
              "never asked for them, the server did not send them again and reset the connection: "
              "never recovered, sender silent; probably lost between the tap and the server.");
}

TEST(FindingText, reordered_in_the_capture) {
    event::Event event = hole(Verdict::reordered_in_capture, Rule::data_after_its_ack);
    add(event, Role::ack, 6);
    add(event, Role::filler, 7);
    EXPECT_EQ(finding_text(event),
              "1,010 bytes of server 93.184.216.34:80 were captured (frame 7) after the ACK that "
              "covers them (frame 6): reordered in the capture, nothing is missing.");
}

TEST(FindingText, lost_after_the_tap) {
    event::Event event = repeat(Verdict::lost_after_tap, Rule::receiver_lacked);
    event.finding.place = Place::tap_to_receiver;
    event.finding.asked = 3;
    event.finding.cost = 200 * kMillisecond;
    add(event, Role::dup_ack, 6);
    EXPECT_EQ(finding_text(event),
              "1,460 bytes of server 93.184.216.34:80 passed the tap (frame 5); the client asked "
              "for them 3 times (first in frame 6); sent again 200 ms later "
              "(frame 9): lost between the tap and 10.0.0.5.");
    event = repeat(Verdict::lost_after_tap, Rule::echo_of_repeat);
    event.finding.place = Place::tap_to_receiver;
    add(event, Role::ack, 10);
    EXPECT_EQ(finding_text(event),
              "1,460 bytes of server 93.184.216.34:80 passed the tap (frame 5); sent again 200 ms "
              "later (frame 9) and only then acknowledged (frame 10): lost between the tap and "
              "10.0.0.5.");
    event.resolution = Resolution::never;
    event.finding.confidence = Confidence::probable;
    event.subjects_count = 2;
    event.subject[1] = {19, event.time + 3 * kSecond, 0, Role::repeat};
    event.repeats_count = 3;
    event.finding.cost = 3'200 * kMillisecond;
    EXPECT_EQ(finding_text(event),
              "1,460 bytes of server 93.184.216.34:80 passed the tap (frame 5); sent again 200 ms "
              "later (frames 9 to 19), but never acknowledged: probably lost between the tap and "
              "10.0.0.5; it cost 3.20 s.");
}

TEST(FindingText, an_ack_lost_on_its_way_back) {
    event::Event event = repeat(Verdict::ack_lost, Rule::ack_long_before);
    event.finding.place = Place::tap_to_sender;
    event.finding.lag = 180 * kMillisecond;
    add(event, Role::ack, 6);
    EXPECT_EQ(finding_text(event),
              "the client acknowledged 1,460 bytes of server 93.184.216.34:80 (frame 6), yet the "
              "server sent them again 180 ms later (frame 9): the ACK was lost between the tap and "
              "93.184.216.34.");
    event.repeats_count = 3;
    event.subject[event.subjects_count++] = {12, event.time + kMillisecond, 0, Role::repeat};
    EXPECT_EQ(finding_text(event),
              "the client acknowledged 1,460 bytes of server 93.184.216.34:80 (first in frame 6), "
              "yet the server sent them again 180 ms later (frames 9 to 12): the ACK was lost "
              "between the tap and 93.184.216.34.");
}

// The first copy of a SYN or SYN/ACK is among the subjects, not the evidence; only the last repeat
// is named.
TEST(FindingText, a_handshake_tells_its_first_copy_from_the_repeats) {
    event::Event event = repeat(Verdict::ack_lost, Rule::ack_long_before, Confidence::probable);
    event.type = event::EventType::handshake;
    event.bytes = 0;
    event.seq_begin = event.seq_base;
    event.subject[0] = {2, event.time, 0, Role::original};
    event.subject[event.subjects_count++] = {9, event.time + kSecond, 0, Role::repeat};
    event.evidence_count = 0;
    add(event, Role::ack, 3);
    event.finding.lag = kSecond;
    event.finding.place = Place::tap_to_sender;
    EXPECT_EQ(finding_text(event),
              "the client acknowledged the SYN/ACK of server 93.184.216.34:80 (frame 3), yet the "
              "server sent it again 1.00 s later (frame 9): the ACK was probably lost between the "
              "tap and 93.184.216.34.");
    event.finding.verdict = Verdict::spurious_retransmission;
    event.finding.rule = Rule::ack_just_before;
    event.repeats_count = 3;
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent the SYN/ACK again (3 times, the last in frame 9), but "
              "the ACK (frame 3) was still on its way to the server: probably a spurious "
              "retransmission, nothing was lost.");
    event.repeats_count = 1;
    event.finding.verdict = Verdict::lost_after_tap;
    event.finding.rule = Rule::receiver_lacked;
    event.finding.place = Place::tap_to_receiver;
    event.evidence[0] = {8, event.time + kSecond, 0, Role::syn};
    add(event, Role::ack, 10);
    EXPECT_EQ(finding_text(event),
              "the SYN/ACK of server 93.184.216.34:80 passed the tap (frame 2); the client "
              "repeated its SYN (frame 8); sent again 1.00 s later (frame 9) and only then "
              "acknowledged (frame 10): probably lost between the tap and 10.0.0.5.");
    event.finding.verdict = Verdict::duplicated_by_mirror;
    event.subject[1].time = event.time + 9 * kMicrosecond;
    EXPECT_EQ(finding_text(event),
              "one frame of server 93.184.216.34:80 was captured twice, 9.00 us apart (frames 2 "
              "and 9): probably duplicated by the mirror, sent once.");
    event.finding.verdict = Verdict::lost_before_tap;
    event.finding.rule = Rule::echo_of_original;
    event.finding.place = Place::sender_to_tap;
    event.time_end = event.time + kSecond;
    event.evidence[0].frame = 1;
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 answered the first SYN (frame 1), but its SYN/ACK did not "
              "reach the tap; sent again and captured 1.00 s after that SYN (frame 9): probably "
              "lost between 93.184.216.34 and the tap.");
}

TEST(FindingText, a_spurious_retransmission_by_rule_and_cause) {
    event::Event event = repeat(Verdict::spurious_retransmission, Rule::dsack);
    add(event, Role::dsack, 10);
    event.finding.cause = Cause::late_original;
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent 1,460 bytes again (frame 9), but the client reports "
              "them as received twice (DSACK, frame 10): a spurious retransmission, nothing was "
              "lost; the first copy was only late.");
    event = repeat(Verdict::spurious_retransmission, Rule::ack_just_before, Confidence::probable);
    event.finding.cause = Cause::early_timer;
    add(event, Role::ack, 8);
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent 1,460 bytes again (frame 9), but the ACK (frame 8) was "
              "still on its way to the server: probably a spurious retransmission, nothing was "
              "lost; the timer fired too early.");
    event.evidence_count = 1;  // that ACK is forgotten
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent 1,460 bytes again (frame 9), but the client had "
              "acknowledged them, when is not known: probably a spurious retransmission, nothing "
              "was lost; the timer fired too early.");
    event = repeat(Verdict::spurious_retransmission, Rule::sacked_before);
    add(event, Role::sack, 8);
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent 1,460 bytes again (frame 9), but the client had "
              "reported them as received (SACK, frame 8): a spurious retransmission, nothing was "
              "lost.");
    event = repeat(Verdict::spurious_retransmission, Rule::passed_over, Confidence::probable);
    add(event, Role::ack, 10);
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent 1,460 bytes again (frame 9), but the ACK (frame 10) "
              "passed over them together with others below, the client never waited for them: "
              "probably a spurious retransmission, nothing was lost.");
}

TEST(FindingText, a_repeat_without_data_is_a_syn_or_a_fin) {
    event::Event event = repeat(Verdict::spurious_retransmission, Rule::none);
    event.bytes = 0;
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent the FIN again (frame 9), but the client had "
              "acknowledged it: a spurious retransmission, nothing was lost.");
    event.seq_begin = event.seq_base;
    EXPECT_EQ(finding_text(event),
              "server 93.184.216.34:80 sent the SYN/ACK again (frame 9), but the client had "
              "acknowledged it: a spurious retransmission, nothing was lost.");
}

TEST(FindingText, duplicates) {
    event::Event event = repeat(Verdict::duplicated_by_mirror, Rule::same_frame);
    event.evidence[0].time = event.time - 12 * kMicrosecond;
    EXPECT_EQ(finding_text(event),
              "one frame of server 93.184.216.34:80 was captured twice, 12.0 us apart (frames 5 "
              "and 9): duplicated by the mirror, sent once.");
    event.repeats_count = 12;
    EXPECT_EQ(finding_text(event),
              "12 frames of server 93.184.216.34:80 were captured twice, the first 12.0 us apart "
              "(frames 5 and 9): duplicated by the mirror, sent once.");
    event = repeat(Verdict::duplicated_in_network, Rule::same_frame_later, Confidence::probable);
    event.finding.place = Place::sender_to_tap;
    EXPECT_EQ(finding_text(event),
              "one segment of server 93.184.216.34:80 passed the tap twice, 200 ms apart (frames 5 "
              "and 9): probably duplicated in the network between 93.184.216.34 and the tap, "
              "nothing was lost.");
    event.evidence_count = 0;
    event.finding.place = Place::tap_to_receiver;
    EXPECT_EQ(finding_text(event),
              "one segment of server 93.184.216.34:80 arrived twice (frame 9): probably duplicated "
              "in the network between the tap and 10.0.0.5, nothing was lost.");
}

TEST(FindingText, connections) {
    event::Event event = hole(Verdict::one_sided, Rule::one_direction);
    EXPECT_EQ(finding_text(event),
              "of the connection between server 93.184.216.34:80 and client 10.0.0.5:51000 only "
              "what the client sent was captured: one-sided; an asymmetric path, or a mirror of "
              "one direction.");
    event = repeat(Verdict::syn_unanswered, Rule::syn_without_answer);
    event.direction = event::Direction::c2s;
    event.type = event::EventType::handshake;
    event.repeats_count = 3;
    event.time_end = event.time + 7 * kSecond;
    event.subjects_count = 2;
    event.subject[0].frame = 1;
    event.subject[1] = {4, event.time_end, 0, Role::syn};
    EXPECT_EQ(finding_text(event),
              "client 10.0.0.5:51000 asked server 93.184.216.34:80 for a connection, 4 times in "
              "7.00 s (frames 1 to 4), and nothing came back: unanswered; a filter dropped it, or "
              "nobody is there.");
    event = repeat(Verdict::rst_by_third_party, Rule::foreign_ttl, Confidence::probable);
    EXPECT_EQ(finding_text(event),
              "the reset in the name of server 93.184.216.34:80 (frame 9) has another TTL than its "
              "segments: probably sent by a third party; suspect a firewall, IPS or load balancer "
              "on the path.");
    event = hole(Verdict::receiver_limited, Rule::zero_window);
    event.type = event::EventType::stall;
    event.time_end = event.time + 3200 * kMillisecond;
    EXPECT_EQ(finding_text(event),
              "client 10.0.0.5:51000 kept its window closed for 3.20 s (frame 6): receiver "
              "limited, the application on 10.0.0.5 does not read fast enough; nothing was lost.");
}

TEST(FindingText, unknown_says_what_was_missing_to_tell) {
    event::Event event = hole(Verdict::unknown, Rule::nothing_decides, Confidence::none);
    event.resolution = Resolution::filled;
    event.time_end = event.time + 50 * kMillisecond;
    event.finding.cause = Cause::not_enough_evidence;
    event.finding.possible.add(Verdict::lost_before_tap);
    event.finding.possible.add(Verdict::reordered_before_tap);
    add(event, Role::filler, 7);
    EXPECT_EQ(finding_text(event),
              "1,010 bytes of server 93.184.216.34:80 were captured 50.0 ms late (frame 7): what "
              "happened is not known; possible: lost before the tap, reordered before the tap.");
    event.resolution = Resolution::unknown_limit;
    event.finding.cause = Cause::limit;
    EXPECT_EQ(finding_text(event),
              "1,010 bytes of server 93.184.216.34:80 were not captured (frame 6): "
              "what happened is not known; a limit was reached and it was not followed to its "
              "end.");
    event = repeat(Verdict::unknown, Rule::capture_faults, Confidence::none);
    event.finding.cause = Cause::capture_loss_interval;
    EXPECT_EQ(finding_text(event),
              "1,460 bytes of server 93.184.216.34:80 were sent again (frame 9): what happened is "
              "not known; the capture itself lost packets at that time.");
}

TEST(FindingText, each_verdict_cause_and_rule_gives_one_clean_sentence) {
    for (const event::VerdictInfo& verdict : event::verdict_table()) {
        for (const event::CauseInfo& cause : event::cause_table()) {
            for (const event::RuleInfo& rule : event::rule_table()) {
                for (event::Event event :
                     {hole(verdict.id, rule.id), repeat(verdict.id, rule.id)}) {
                    event.finding.cause = cause.id;
                    const std::string text = finding_text(event);
                    if (verdict.id == Verdict::none) {
                        EXPECT_EQ(text, "");
                        continue;
                    }
                    ASSERT_FALSE(text.empty());
                    EXPECT_EQ(text.back(), '.') << text;
                    EXPECT_EQ(text.find("  "), std::string::npos) << text;
                    EXPECT_EQ(text.find(" ,"), std::string::npos) << text;
                    EXPECT_EQ(text.find(" ;"), std::string::npos) << text;
                    EXPECT_EQ(text.find(" :"), std::string::npos) << text;
                    EXPECT_EQ(text.find(".."), std::string::npos) << text;
                }
            }
        }
    }
}

TEST(SideText, each_place_by_address_and_direction) {
    event::Event event = hole(Verdict::lost_before_tap, Rule::none);
    const auto at = [&event](Place place) {
        event.finding.place = place;
        return side_text(event);
    };
    EXPECT_EQ(at(Place::tap_to_receiver), "between the tap and 10.0.0.5");
    EXPECT_EQ(at(Place::receiver_to_tap), "between 10.0.0.5 and the tap");
    EXPECT_EQ(at(Place::tap_to_sender), "between the tap and 93.184.216.34");
    EXPECT_EQ(at(Place::inside_receiver), "after the tap, inside 10.0.0.5");
    EXPECT_EQ(at(Place::beyond_tap), "on one side of the tap, which one is not known");
    event.direction = event::Direction::c2s;
    EXPECT_EQ(at(Place::sender_to_tap), "between 10.0.0.5 and the tap");
    event.flow.client.v6 = true;
    event.flow.client.address = {0x20, 0x01, 0x0d, 0xb8};
    EXPECT_EQ(at(Place::sender_to_tap), "between 2001:db8:: and the tap");
}

}  // namespace
