// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/summary_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "samples.hpp"
#include "sinks/episode_text.hpp"

namespace {

using namespace tw;
using namespace tw::test;
using event::Outcome;
using event::Resolution;
using event::Verdict;
using stats::Counter;
using testing::HasSubstr;
using testing::Not;

event::Event judged_hole() {
    event::Event event = story_hole();
    event.since = event.time - 20 * kSecond;
    event.subject[0].role = event::Role::fin;
    event.finding = {.verdict = Verdict::never_recovered,
                     .cause = event::Cause::sender_silent,
                     .confidence = event::Confidence::proven,
                     .rule = event::Rule::asked_in_vain,
                     .place = event::Place::sender_to_tap,
                     .asked = 1};
    event.evidence_count = 1;
    event.evidence[0] = {7, event.time, 0, event::Role::dup_ack};
    return event;
}

// The story's capture as `read` sees it; tests change what they are about.
struct Story {
    sinks::Summary summary;
    sinks::RunVerdicts verdicts;
    sinks::CaptureRun run;
    stats::Counters counters;

    Story() {
        run.files = {{.path = "story.pcap",
                      .format = "pcap",
                      .frames = 12,
                      .warning = {},
                      .interfaces = {{.name = "", .link_name = "EN10MB", .frames = 12}}}};
        run.timed = true;
        run.first = kStart;
        run.last = kStart + 26'300 * kMillisecond;
        run.connections_max_v4 = 1000;
        run.connections_max_v6 = 500;
        counters.add(Counter::frames, 12);
        counters.add(Counter::frame_bytes, 1234);
        counters.add(Counter::decoded_segments, 12);
    }
    // The hole and its verdict, the repeat and its own, and what the settler makes of them.
    void add_loss() {
        summary.add(judged_hole());
        event::Event repeat = story_repeat();
        repeat.finding.verdict = Verdict::spurious_retransmission;
        repeat.finding.confidence = event::Confidence::probable;
        repeat.finding.rule = event::Rule::ack_long_before;
        summary.add(repeat);
        tcp::FlagSet flags;
        flags.set(tcp::Flag::lost_segment);
        summary.add(flags);
        event::FlowRecord record = story_record();
        auto& never = record.outcomes[1][static_cast<std::size_t>(Outcome::never_recovered)];
        never = {.bytes = 1010, .segments = 1, .episodes = 1};
        record.outcomes_complete = true;
        summary.add(record);
        verdicts.paths.client_side.bytes_offered = 78;
        verdicts.paths.server_side = {
            .bytes_offered = 1088, .bytes_lost = 1010, .segments_lost = 1, .episodes = 1};
        verdicts.paths.capture.bytes_delivered = 78;
        verdicts.paths.connections = 1;
        verdicts.services = {{.server = story_flow().server, .conversations = 1, .hung = 1}};
    }
    [[nodiscard]] std::string text(const sinks::format::PageStyle& style = {}) const {
        return sinks::summary_text(summary, verdicts, run, counters, style);
    }
    [[nodiscard]] std::string first_lines(std::size_t count) const {
        const std::string all = text();
        std::size_t end = 0;
        for (std::size_t i = 0; i < count; ++i) {
            end = all.find('\n', end) + 1;
        }
        return all.substr(0, end);
    }
};

event::Event acked_hole(std::uint64_t bytes) {
    event::Event event = story_hole();
    event.resolution = Resolution::acknowledged_unseen;
    event.bytes = bytes;
    return event;
}

TEST(SummaryText, the_story_is_told_answer_first) {
    Story story;
    story.add_loss();
    EXPECT_EQ(story.text(),
              R"(story.pcap: 12 frames, 1 connection, 26.3 s from 2024-04-05 19:34:38 UTC
Capture    good: nothing that was acknowledged is missing
Network    lost: client side 0 %, server side 92.8 % (1,010 bytes in 1 segment); never recovered
Services   1 of 1 conversation with 93.184.216.34:80 hung
Worst      stream 0, +20.100 s: server 93.184.216.34:80 sent 1,010 bytes that never reached the tap; the client asked for them (duplicate ACK 1, frame 7), the server did not send them again and closed after 20.0 s idle: never recovered, sender silent; suspect what lies between the tap and the server.
No loss    sent again needlessly 1

Where
                     carried   lost  segments  ACKs   share
  clients - tap     78 bytes      0         0     0     0 %
  tap - servers  1,088 bytes  1,010         1     0  92.8 %
  capture           78 bytes      0         0     -     0 %

Verdicts
  episodes  proven  bytes  verdict (tapwitness list verdicts)
         1       0      0  sent again needlessly
         1       1  1,010  never recovered: sender silent 1

Episodes
    +20.100 s  stream 0: server 93.184.216.34:80 sent 1,010 bytes that never reached the tap; the client asked for them (duplicate ACK 1, frame 7), the server did not send them again and closed after 20.0 s idle: never recovered, sender silent; suspect what lies between the tap and the server.
    +26.200 s  stream 0: client 10.0.0.5:51000 sent the FIN again (frame 11), but the server had acknowledged it: probably a spurious retransmission, nothing was lost.

Flags
  frames  tcp.analysis.
       1  lost_segment   starts beyond the highest bytes seen: what lies between was not captured

Capture
  12 frames read (1,234 bytes on the wire), 12 of them TCP (100 %), 78 bytes of payload
  The file does not say whether packets were dropped while capturing.
  1,010 bytes are in no captured frame: 1 hole in 1 of 1 connection
)");
}

TEST(SummaryText, a_good_capture_without_losses_says_so_in_two_lines) {
    Story story;
    event::FlowRecord record = story_record();
    record.missing_bytes = {};
    record.flags = {};
    record.outcomes_complete = true;
    story.summary.add(record);
    EXPECT_EQ(story.first_lines(4),
              R"(story.pcap: 12 frames, 1 connection, 26.3 s from 2024-04-05 19:34:38 UTC
Capture    good: nothing that was acknowledged is missing
Network    good: nothing was lost on either side of the tap

)");
    for (const char* heading : {"Where", "Verdicts", "Worst", "Services", "What to try"}) {
        EXPECT_THAT(story.text(), Not(HasSubstr(heading))) << heading;
    }
}

TEST(SummaryText, what_the_capture_missed_comes_with_share_and_causes) {
    Story story;
    event::Event missed = acked_hole(12'345);
    missed.finding = {.verdict = Verdict::missed_by_capture,
                      .cause = event::Cause::mirror,
                      .confidence = event::Confidence::proven,
                      .rule = event::Rule::ack_of_unseen};
    story.summary.add(missed);
    story.verdicts.paths.capture = {
        .bytes_delivered = 6'172'500, .bytes_missed = 12'345, .segments_missed = 9, .episodes = 1};
    EXPECT_THAT(story.text(),
                HasSubstr("\nCapture    missed 0.20 %: 12,345 bytes in 9 segments that the "
                          "receivers have (holes by cause: mirror 1)\nNetwork    good: nothing was "
                          "lost on either side of the tap\n"));
    EXPECT_THAT(story.text(), HasSubstr("capture        6.17 MB  12,345         9     -  0.20 %"));
}

TEST(SummaryText, what_many_episodes_share_and_what_is_unknown_is_in_the_answer) {
    Story story;
    story.add_loss();
    verdict::Pattern pattern;
    pattern.id = verdict::PatternId::pmtu_black_hole;
    pattern.matching = pattern.of = 212;
    pattern.delivered_bytes = 1400;
    pattern.lost_bytes = 1401;
    story.verdicts.patterns = {pattern};
    event::Event unknown = story_hole();
    unknown.finding = {.verdict = Verdict::unknown,
                       .cause = event::Cause::not_enough_evidence,
                       .rule = event::Rule::nothing_decides};
    story.summary.add(unknown);
    EXPECT_THAT(story.text(), HasSubstr("\nIn common  "));
    EXPECT_THAT(story.text(), HasSubstr("\nUnknown    1 of 3 episodes: not enough evidence 1\n"));
    EXPECT_THAT(story.text(), HasSubstr("       1       -  1,010  unknown: not enough evidence 1"));
}

TEST(SummaryText, services_share_what_the_good_ones_lack) {
    Story story;
    story.add_loss();
    verdict::Service service{
        .server = story_flow().server, .conversations = 40, .good = 31, .suffered = 2, .hung = 7};
    service.bad_with[static_cast<std::size_t>(Outcome::never_recovered)][1] = 9;
    story.verdicts.services = {service};
    story.summary.add(story_record());  // of one conversation there is no table
    story.verdicts.silent_services = 19;
    EXPECT_THAT(story.text(),
                HasSubstr("\nServices   7 of 40 conversations with 93.184.216.34:80 "
                          "hung, 2 lost something and recovered; all 9 lack bytes of "
                          "the server to the end, and 0 of the 31 others; 19 services "
                          "left a SYN without answer\n"));
    EXPECT_THAT(story.text(),
                HasSubstr("40    31         2     7      0  s2c never recovered: 9 of 9, of the "
                          "others 0"));
}

TEST(SummaryText, one_way_captures_judge_no_network) {
    Story story;
    event::FlowRecord record = story_record();
    record.packets = {0, 5};
    story.summary.add(record);
    EXPECT_THAT(story.text(),
                HasSubstr("Network    cannot be judged: 1 of 1 connection captured in one "
                          "direction only"));
    EXPECT_THAT(story.text(), HasSubstr("captured in one direction only: mirror both directions"));
}

TEST(SummaryText, with_limits_reached_nothing_is_called_good) {
    Story story;
    story.counters.add(Counter::flows_evicted_established, 7);
    const std::string text = story.text();
    EXPECT_THAT(text, Not(HasSubstr("good:")));
    EXPECT_THAT(text, HasSubstr("not everything could be followed"));
    EXPECT_THAT(text, HasSubstr("Network    no loss is certain on either side of the tap"));
    EXPECT_THAT(text, HasSubstr("Limits reached\n  7 flows: "));
    EXPECT_THAT(text, HasSubstr("the table holds 1,000 IPv4 and 500 IPv6 connections"));
}

TEST(SummaryText, lower_bounds_are_called_so) {
    Story story;
    story.add_loss();
    event::FlowRecord record = story_record();
    record.flow.stream = 1;
    record.details_lost = true;
    story.summary.add(record);
    EXPECT_THAT(story.text(), HasSubstr("at least 2,020 bytes are in no captured frame: 1 hole"));
    EXPECT_THAT(story.text(), HasSubstr(">=0"));
}

TEST(SummaryText, episodes_nobody_judged_are_told_as_facts) {
    Story story;
    story.summary.add(story_hole());
    story.summary.add(story_repeat());
    const std::string text = story.text();
    EXPECT_THAT(text, HasSubstr("Network    no loss is certain on either side of the tap"));
    EXPECT_THAT(text, HasSubstr("Holes\n  holes  bytes\n      1  1,010  never seen at all"));
    EXPECT_THAT(text, HasSubstr("Sent again\n"));
    EXPECT_THAT(text, HasSubstr("stream 0: s2c 93.184.216.34:80 -> 10.0.0.5:51000: 1,010 bytes "
                                "[1..1011) never seen: not captured, not acknowledged"));
}

TEST(SummaryText, a_capture_that_missed_bytes_gets_advice_for_a_better_one) {
    Story story;
    story.summary.add(acked_hole(1460));
    event::FlowRecord record = story_record();
    record.outcomes[1][static_cast<std::size_t>(Outcome::missed_by_capture)].bytes = 1460;
    story.summary.add(record);
    const std::string text = story.text();
    EXPECT_THAT(text, HasSubstr("What to try"));
    EXPECT_THAT(text, HasSubstr("-s 128 -f 'host 93.184.216.34 and tcp port 80'"));
    EXPECT_THAT(text, HasSubstr("mount -t tmpfs -o size=2g"));
}

TEST(SummaryText, a_number_that_may_be_a_fin_is_no_certain_byte) {
    Story story;
    event::Event event = acked_hole(1);
    event.fin_possible = true;
    story.summary.add(event);
    EXPECT_THAT(story.text(), HasSubstr("the last number of one may be a FIN, which is no byte"));
    EXPECT_THAT(story.text(), HasSubstr("acknowledged by the receiver; it may be a FIN"));
    event.bytes = 5;
    EXPECT_THAT(sinks::episode_text(event), HasSubstr("the last of them may be a FIN"));
}

TEST(SummaryText, a_sliced_capture_gets_no_advice_to_slice) {
    Story story;
    story.summary.add(acked_hole(1460));
    story.counters.add(Counter::sliced_frames, 12);
    const std::string text = story.text();
    EXPECT_THAT(text, HasSubstr("What to try"));
    EXPECT_THAT(text, Not(HasSubstr("-s 128")));
    EXPECT_THAT(text, HasSubstr("captured shorter than on the wire (snap length): no harm"));
}

TEST(SummaryText, drops_the_file_admits_come_up_front_and_by_interface) {
    Story story;
    story.run.files[0].interfaces = {
        {.name = "eth0\033[2J",
         .link_name = "EN10MB",
         .frames = 12,
         .dropped = 1300,
         .dropped_interface = 1000,
         .dropped_os = 300},
        {.name = "eth1", .link_name = "EN10MB", .frames = 0, .dropped = 0},
    };
    const std::string text = story.text();
    EXPECT_THAT(text, HasSubstr("Capture    dropped 1,300 packets, as the file says"));
    EXPECT_THAT(text, HasSubstr("eth0?[2J (EN10MB): 1,300 packets dropped, 1,000 by the interface, "
                                "300 by the operating system of about 1,312, as the file says"));
    EXPECT_THAT(text, HasSubstr("eth1 (EN10MB): 0 packets dropped"));
    EXPECT_THAT(text, HasSubstr("What to try"));
    EXPECT_EQ(sinks::dropped_packets(story.run), 1300U);
}

TEST(SummaryText, silence_about_drops_is_not_zero) {
    Story story;
    EXPECT_FALSE(sinks::dropped_packets(story.run));
    EXPECT_THAT(story.text(), HasSubstr("does not say whether packets were dropped"));
    story.run.files[0].interfaces[0].dropped = 0;
    EXPECT_EQ(sinks::dropped_packets(story.run), 0U);
    EXPECT_THAT(story.text(), Not(HasSubstr("does not say whether packets were dropped")));
    EXPECT_THAT(story.text(), HasSubstr("is missing, no drops were counted"));
}

TEST(SummaryText, a_file_cut_short_is_said_in_the_answer) {
    Story story;
    story.run.files[0].warning = "story.pcap: ends inside frame 13";
    EXPECT_THAT(story.text(), HasSubstr("\nWarning: story.pcap: ends inside frame 13\n"));
}

TEST(SummaryText, an_interrupted_run_says_so) {
    Story story;
    story.run.interrupted = true;
    EXPECT_THAT(story.text(), HasSubstr("Stopped by the operator"));
}

TEST(SummaryText, frames_that_were_not_analysed_are_listed_with_the_reason) {
    Story story;
    story.counters.add(Counter::decode_not_tcp, 3);
    story.counters.add(Counter::decode_truncated, 2);
    story.counters.add(Counter::super_frames, 4);
    const std::string text = story.text();
    EXPECT_THAT(text, HasSubstr("Not analysed\n  3  frames  IP, but no TCP inside"));
    EXPECT_THAT(text, HasSubstr("2  frames  the capture ends inside a header below TCP"));
    EXPECT_THAT(text, HasSubstr("ethtool -K IFACE gro off"));
}

TEST(SummaryText, a_capture_without_tcp_is_not_called_good) {
    sinks::Summary summary;
    sinks::CaptureRun run;
    stats::Counters counters;
    run.files = {{.path = "dns.pcap", .interfaces = {}}};
    counters.add(Counter::frames, 2);
    counters.add(Counter::decode_not_tcp, 2);
    const std::string text = sinks::summary_text(summary, {}, run, counters, {});
    EXPECT_THAT(text, HasSubstr("No TCP segment was found."));
    EXPECT_THAT(text, Not(HasSubstr("good")));
}

TEST(SummaryText, a_link_type_that_is_not_decoded_is_named) {
    Story story;
    story.run.files[0].interfaces[0].decoded = false;
    story.run.files[0].interfaces[0].link_name = "IEEE802_11";
    EXPECT_THAT(story.text(),
                HasSubstr("(IEEE802_11): 12 frames of a link type that is not decoded"));
}

TEST(SummaryText, filter_and_its_share_are_shown) {
    Story story;
    story.run.filter = "tcp port 80";
    story.counters.add(Counter::decode_filtered, 2);
    EXPECT_THAT(story.text(), HasSubstr("Filter: tcp port 80 (10 of 12 frames match)"));
}

TEST(SummaryText, lines_keep_to_the_terminal_except_tables_and_commands) {
    Story story;
    story.add_loss();
    const std::string text = story.text({.colour = true, .width = 60});
    EXPECT_THAT(
        text,
        HasSubstr("\033[1;31mNetwork    lost: client side 0 %, server side 92.8 % (1,010\033[0m\n"
                  "\033[1;31m           bytes in 1 segment); never recovered"));
    EXPECT_THAT(text, HasSubstr("\n               bytes that never reached the tap"));
}

TEST(SummaryText, output_is_plain_ascii) {
    Story story;
    story.add_loss();
    story.summary.add(acked_hole(5));
    for (const char c : story.text()) {
        ASSERT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7F));
    }
}

TEST(EpisodeText, raw_numbers_where_the_base_is_unknown_and_no_frame_live) {
    event::Event event = story_hole();
    event.seq_base_known = false;
    event.subject[0].frame = 0;
    EXPECT_EQ(sinks::episode_text(event),
              "s2c 93.184.216.34:80 -> 10.0.0.5:51000: 1,010 bytes [5001..6011) never seen: not "
              "captured, not acknowledged");
}

TEST(EpisodeText, relative_numbers_wrap) {
    event::Event event = story_hole();
    event.seq_base = 0xFFFF'FFFF;
    event.seq_begin = 0;
    event.seq_end = 5;
    EXPECT_THAT(sinks::episode_text(event), HasSubstr("[1..6)"));
}

TEST(EpisodeText, each_resolution_of_a_hole_has_its_words) {
    event::Event event = story_hole();
    event.evidence_count = 1;
    event.evidence[0].frame = 9;
    event.resolution = Resolution::filled;
    EXPECT_THAT(sinks::episode_text(event), HasSubstr("captured 6.20 s late (frame 9)"));
    event.resolution = Resolution::filled_after_ack;
    EXPECT_THAT(sinks::episode_text(event), HasSubstr("after the ACK that covers them (frame 9)"));
    event.resolution = Resolution::acknowledged_unseen;
    EXPECT_THAT(sinks::episode_text(event),
                HasSubstr("never captured, but acknowledged by the receiver (frame 9)"));
    event.resolution = Resolution::unknown_limit;
    EXPECT_THAT(sinks::episode_text(event), HasSubstr("a limit was reached"));
}

TEST(EpisodeText, a_run_of_repeats_names_first_and_last_frame) {
    event::Event event = story_repeat();
    event.subjects_count = 2;
    event.subject[1].frame = 19;
    event.repeats_count = 4;
    EXPECT_THAT(sinks::episode_text(event), HasSubstr("4 segments without data"));
    EXPECT_THAT(sinks::episode_text(event), HasSubstr("; frames 11 to 19"));
}

}  // namespace
