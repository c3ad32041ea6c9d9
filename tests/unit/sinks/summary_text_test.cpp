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
using event::Resolution;
using stats::Counter;
using testing::HasSubstr;
using testing::Not;

// The story's capture as `read` sees it; tests change what they are about.
struct Story {
    sinks::Summary summary;
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
    void add_missing() {
        summary.add(story_hole());
        summary.add(story_repeat());
        tcp::FlagSet flags;
        flags.set(tcp::Flag::lost_segment);
        summary.add(flags);
        summary.add(story_record());
    }
    [[nodiscard]] std::string text(const sinks::format::PageStyle& style = {}) const {
        return sinks::summary_text(summary, run, counters, style);
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
    story.add_missing();
    EXPECT_EQ(story.text(),
              R"(story.pcap: 12 frames, 1 connection, 26.3 s from 2024-04-05 19:34:38 UTC

1,010 bytes are missing: 1 hole in 1 of 1 connection.
All of them were never seen at all: neither captured nor acknowledged.
1 segment (0 bytes) was sent again although captured before.
No sign that the capture lost packets.

Holes
  holes  bytes
      1  1,010  never seen at all: neither captured nor acknowledged

Sent again
  runs  segments  bytes
     1         1      0  acknowledged after the repeat

Worst connections
     stream  client -> server                    packets  missing  acked  filled  repeats  first hole
  1       0  10.0.0.5:51000 -> 93.184.216.34:80       12    1,010      0       0        1   +20.100 s
  Bytes. acked: missing here, but acknowledged by the receiver; filled: captured later; repeats: segments flagged retransmission; --: no SYN seen, which side is the client is a guess. In Wireshark: tcp.stream eq N.

Episodes
    +20.100 s  s2c 93.184.216.34:80 -> 10.0.0.5:51000: 1,010 bytes [1..1011) never seen: not captured, not acknowledged; first noticed in frame 6
    +26.200 s  c2s 10.0.0.5:51000 -> 93.184.216.34:80: 1 segment without data [79..80) sent again, acknowledged afterwards (frame 12); frame 11

Flags
  frames  tcp.analysis.
       1  lost_segment   starts beyond the highest bytes seen: what lies between was not captured

Capture
  12 frames read (1,234 bytes on the wire), 12 of them TCP (100 %), 78 bytes of payload
  The file does not say whether packets were dropped while capturing.
)");
}

TEST(SummaryText, a_clean_capture_says_that_nothing_is_missing) {
    Story story;
    event::FlowRecord record = story_record();
    record.missing_bytes = {};
    record.flags = {};
    story.summary.add(record);
    const std::string text = story.text();
    EXPECT_THAT(text, HasSubstr("No bytes are missing"));
    EXPECT_THAT(text, HasSubstr("No sign that the capture lost packets."));
    EXPECT_THAT(text, Not(HasSubstr("What to try")));
    EXPECT_THAT(text, Not(HasSubstr("Worst connections")));
}

TEST(SummaryText, with_limits_reached_nothing_missing_is_not_claimed) {
    Story story;
    story.counters.add(Counter::flows_evicted_established, 7);
    const std::string text = story.text();
    EXPECT_THAT(text, Not(HasSubstr("No bytes are missing:")));
    EXPECT_THAT(text, HasSubstr("not everything could be followed"));
    EXPECT_THAT(text, HasSubstr("Limits reached\n  7 flows: "));
    EXPECT_THAT(text, HasSubstr("the table holds 1,000 IPv4 and 500 IPv6 connections"));
}

TEST(SummaryText, lower_bounds_are_called_so) {
    Story story;
    event::FlowRecord record = story_record();
    record.details_lost = true;
    story.summary.add(story_hole());
    story.summary.add(record);
    EXPECT_THAT(story.text(), HasSubstr("At least 1,010 bytes are missing"));
    EXPECT_THAT(story.text(), HasSubstr(">=1,010"));
}

TEST(SummaryText, bytes_that_only_records_count_are_missing_too) {
    Story story;
    story.summary.add(story_hole());
    event::FlowRecord record = story_record();
    record.missing_bytes = {0, 5000};
    story.summary.add(record);
    EXPECT_THAT(story.text(), HasSubstr("5,000 bytes are missing"));
    EXPECT_THAT(story.text(), HasSubstr("1,010 bytes of them were never seen"));
}

TEST(SummaryText, acknowledged_bytes_mean_that_the_capture_missed_them) {
    Story story;
    story.summary.add(acked_hole(1460));
    event::FlowRecord record = story_record();
    record.missing_bytes = {0, 1460};
    story.summary.add(record);
    const std::string text = story.text();
    EXPECT_THAT(text, HasSubstr("All of them were acknowledged: the receivers have them, this "
                                "capture missed them."));
    EXPECT_THAT(text, Not(HasSubstr("No sign that the capture")));
    EXPECT_THAT(text, HasSubstr("What to try"));
    EXPECT_THAT(text, HasSubstr("-s 128 -f 'host 93.184.216.34 and tcp port 80'"));
    EXPECT_THAT(text, HasSubstr("mount -t tmpfs -o size=2g"));
}

TEST(SummaryText, a_number_that_may_be_a_fin_is_no_certain_byte) {
    Story story;
    event::Event event = acked_hole(1);
    event.fin_possible = true;
    story.summary.add(event);
    EXPECT_THAT(story.text(), HasSubstr("The last byte of one hole may be a FIN"));
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
    EXPECT_THAT(text, HasSubstr("The capture admits that it dropped 1,300 packets"));
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
    EXPECT_THAT(story.text(), HasSubstr("it counted none itself"));
}

TEST(SummaryText, a_file_cut_short_is_said_in_the_answer) {
    Story story;
    story.run.files[0].warning = "story.pcap: ends inside frame 13";
    EXPECT_THAT(story.text(), HasSubstr("\nWarning: story.pcap: ends inside frame 13\n"));
    EXPECT_THAT(story.text(), Not(HasSubstr("No sign that")));
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
    const std::string text = sinks::summary_text(summary, run, counters, {});
    EXPECT_THAT(text, HasSubstr("No TCP segment was found."));
    EXPECT_THAT(text, Not(HasSubstr("No bytes are missing")));
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

TEST(SummaryText, mostly_one_way_traffic_is_advised_about) {
    Story story;
    event::FlowRecord record = story_record();
    record.packets = {0, 5};
    story.summary.add(record);
    EXPECT_THAT(story.text(), HasSubstr("captured in one direction only: mirror both directions"));
}

TEST(SummaryText, lines_keep_to_the_terminal_except_tables_and_commands) {
    Story story;
    story.add_missing();
    const std::string text = story.text({.colour = true, .width = 60});
    EXPECT_THAT(text, HasSubstr("\033[1;31m1,010 bytes are missing: "));
    EXPECT_THAT(text, HasSubstr("\n               bytes [1..1011) never"));
}

TEST(SummaryText, output_is_plain_ascii) {
    Story story;
    story.add_missing();
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
