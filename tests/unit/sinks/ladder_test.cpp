// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/ladder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "ladder_sample.hpp"

namespace {

using namespace tw;
using namespace tw::test;
using event::Confidence;
using event::Direction;
using event::Place;
using event::Role;
using event::Rule;
using event::Verdict;
using testing::HasSubstr;
using testing::Not;

TEST(Ladder, the_story_reads_from_top_to_bottom) {
    Ladder ladder;
    ladder.handshake();
    ladder.send({.flags = kPshBit | kAckBit, .seq = 1, .ack = 1, .payload = 78, .at = 10'200'000});
    ladder.send({.from_client = false, .seq = 1, .ack = 79, .at = 20'200'000});
    ladder.send({.from_client = false,
                 .flags = kFinBit | kAckBit,
                 .seq = 1011,
                 .ack = 79,
                 .at = 20'020'200'000,
                 .marks = marked(tcp::Flag::lost_segment)});
    ladder.send({.seq = 79, .ack = 1, .at = 20'020'300'000});
    event::Event event = hole(6, 1, 1011);
    event.finding = {.verdict = Verdict::never_recovered,
                     .cause = event::Cause::sender_silent,
                     .confidence = Confidence::probable,
                     .rule = Rule::asked_in_vain,
                     .place = Place::sender_to_tap};
    event.evidence_count = 1;
    event.evidence[0] = {.frame = 7, .time = kStart, .role = Role::dup_ack};
    ladder.log.add(event);
    const std::vector<std::string> lines = lines_of(ladder.lane());
    const std::vector<std::string> golden{
        R"( seconds frame client 10.0.0.5:51000          tap       93.184.216.34:80 server)",
        R"( 0.000000     1 | SYN seq 0 --------------------+----------------------------->|)",
        R"(                |   MSS 1460, WS 7; win 500     |                              |)",
        R"( 0.010000     2 |<------------------------------+------------- SYN seq 0 ack 1 |)",
        R"(                |                               |        no options; win 500   |)",
        R"( 0.010100     3 | ack 1 ------------------------+----------------------------->|)",
        R"( 0.010200     4 | PSH seq 1 len 78 ack 1 -------+----------------------------->|)",
        R"( 0.020200     5 |<------------------------------+---------------------- ack 79 |)",
        R"(                |                               | X..... 1,010 bytes [1..1011) |)",
        R"(                |                    #1: probably never reached the tap here   |)",
        R"(                |                        +20.000 s idle                        |)",
        R"(20.020200     6 |<------------------------------+--------- FIN seq 1011 ack 79 |)",
        R"(                |                         [lost_segment]; #1: shows the hole   |)",
        R"(                += #1 never_recovered (sender_silent), probable ===============+)",
    };
    ASSERT_GT(lines.size(), golden.size());
    EXPECT_EQ(
        std::vector(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(golden.size())),
        golden);
    EXPECT_EQ(lines.back(),
              "                |   #1: asks for the bytes      |                              |");
}

TEST(Ladder, what_was_lost_ends_where_it_was_lost) {
    Ladder ladder;
    ladder.handshake();
    ladder.send({.from_client = false, .seq = 1, .ack = 1, .payload = 1000, .at = 11'000'000});
    ladder.send({.from_client = false, .seq = 1001, .ack = 1, .payload = 1000, .at = 12'000'000});
    ladder.send({.from_client = false, .seq = 1, .ack = 1, .payload = 1000, .at = 19'000'000});
    event::Event event = story_repeat();
    event.direction = Direction::s2c;
    event.seq_begin = 5001;
    event.seq_end = 6001;
    event.subject[0].frame = 6;
    event.evidence_count = 0;
    event.finding = {.verdict = Verdict::lost_after_tap,
                     .confidence = Confidence::proven,
                     .rule = Rule::receiver_lacked,
                     .place = Place::tap_to_receiver};
    ladder.log.add(event);
    const std::string text = ladder.text();
    EXPECT_THAT(line_with(text, "0.011000 "),
                HasSubstr("|               X---------------+--------- seq 1 len 1000 ack 1 |"));
    EXPECT_THAT(line_with(text, "0.012000 "), HasSubstr("|<----"));
    EXPECT_THAT(line_with(text, "0.019000 "), HasSubstr("|<----"));
    EXPECT_THAT(text, HasSubstr("#1: lost after the tap"));
    EXPECT_THAT(text, HasSubstr("between the tap and the client"));
}

TEST(Ladder, what_the_capture_missed_went_on_to_its_receiver) {
    Ladder ladder;
    ladder.handshake();
    ladder.send({.seq = 1, .ack = 1461, .at = 12'000'000});
    event::Event event = hole(4, 1, 1461);
    event.finding = {.verdict = Verdict::missed_by_capture,
                     .confidence = Confidence::proven,
                     .rule = Rule::ack_of_unseen,
                     .place = Place::at_tap};
    ladder.log.add(event);
    EXPECT_THAT(line_with(ladder.text(), "[1..1461)"),
                HasSubstr("|<..............................X........ 1,460 bytes [1..1461) |"));
}

TEST(Ladder, bytes_that_were_never_sent_end_at_their_sender) {
    Ladder ladder;
    ladder.handshake();
    ladder.send({.from_client = false, .flags = kFinBit | kAckBit, .seq = 2, .ack = 1});
    event::Event event = hole(4, 1, 2);
    event.finding = {.verdict = Verdict::sequence_overshoot,
                     .confidence = Confidence::probable,
                     .rule = Rule::fin_one_beyond,
                     .place = Place::inside_sender};
    ladder.log.add(event);
    const std::string text = ladder.text();
    EXPECT_THAT(text,
                HasSubstr("|                               |               X 1 byte [1..2) |\n"));
    EXPECT_THAT(text, HasSubstr("#1: probably never sent"));
}

TEST(Ladder, bytes_that_came_late_are_not_crossed_out) {
    Ladder ladder;
    ladder.handshake();
    ladder.send({.from_client = false, .seq = 1001, .ack = 1, .payload = 1000, .at = 11'000'000});
    ladder.send({.from_client = false, .seq = 1, .ack = 1, .payload = 1000, .at = 11'100'000});
    event::Event event = hole(4, 1, 1001);
    event.finding = {.verdict = Verdict::reordered_before_tap,
                     .confidence = Confidence::proven,
                     .rule = Rule::short_lag,
                     .place = Place::sender_to_tap};
    ladder.log.add(event);
    const std::string line = line_with(ladder.text(), "[1..1001)");
    EXPECT_THAT(line, HasSubstr("~"));
    EXPECT_THAT(line, Not(HasSubstr("X")));
}

TEST(Ladder, a_lost_acknowledgement_ends_before_its_sender) {
    Ladder ladder;
    ladder.handshake();
    ladder.send({.from_client = false, .seq = 1, .ack = 1, .payload = 1000, .at = 11'000'000});
    ladder.send({.seq = 1, .ack = 1001, .at = 11'100'000});
    ladder.send({.from_client = false, .seq = 1, .ack = 1, .payload = 1000, .at = 911'000'000});
    event::Event event = story_repeat();
    event.direction = Direction::s2c;
    event.subject[0] = {.frame = 6, .time = kStart, .role = Role::repeat};
    event.evidence[0] = {.frame = 5, .time = kStart, .role = Role::ack};
    event.finding = {.verdict = Verdict::ack_lost,
                     .confidence = Confidence::probable,
                     .rule = Rule::ack_long_before,
                     .place = Place::tap_to_sender};
    ladder.log.add(event);
    EXPECT_THAT(line_with(ladder.text(), "ack 1001"),
                HasSubstr("| ack 1001 ---------------------+---------------X               |"));
}

TEST(Ladder, stretches_in_order_become_one_line_with_their_sums) {
    Ladder ladder;
    ladder.handshake();
    for (std::uint32_t i = 0; i < 400; ++i) {
        ladder.send({.from_client = false,
                     .seq = 1 + i * 1000,
                     .ack = 1,
                     .payload = 1000,
                     .at = 11'000'000 + Nanos{i} * 1'000'000});
    }
    const std::string text = ladder.text();
    // 403 segments; the first five and the last four are shown.
    EXPECT_THAT(text,
                HasSubstr(":         394 segments, 394,000 bytes, 395 ms, in order         :"));
    EXPECT_THAT(text, HasSubstr("\n394 segments folded: --all shows them.\n"));
    EXPECT_LT(lines_of(text).size(), 40U);
    const std::string all = ladder.text({.all = true});
    EXPECT_THAT(all, Not(HasSubstr("in order")));
    EXPECT_GT(lines_of(all).size(), 403U);
}

TEST(Ladder, a_fold_names_what_is_not_in_order) {
    Ladder ladder;
    ladder.handshake();
    for (std::uint32_t i = 0; i < 100; ++i) {
        ladder.send(
            {.seq = 1, .ack = 1, .at = 11'000'000, .marks = marked(tcp::Flag::duplicate_ack)});
    }
    EXPECT_THAT(ladder.text(), HasSubstr(", 94 duplicate_ack"));
}

TEST(Ladder, every_line_of_the_ladder_has_one_width_and_no_blank_at_its_end) {
    for (const std::size_t width : {0U, 20U, 72U, 80U, 100U, 500U}) {
        for (const bool ascii : {true, false}) {
            Ladder ladder;
            ladder.handshake();
            event::Event event = hole(3, 1, 1011);
            ladder.log.add(event);
            const sinks::LadderStyle style{.page = {.width = width}, .ascii = ascii};
            const std::string text = ladder.text({}, style);
            std::set<std::size_t> widths;
            for (const std::string& line : lines_of(text)) {
                EXPECT_FALSE(line.ends_with(' ')) << line;
                if (line.ends_with("|") || line.ends_with("\u2502")) {
                    widths.insert(columns_of(line));
                }
            }
            ASSERT_EQ(widths.size(), 1U);
            EXPECT_EQ(*widths.begin(), width == 0    ? 80U
                                       : width > 132 ? 132U
                                       : width < 80  ? std::max<std::size_t>(width, 71)
                                                     : width);
            const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
                return static_cast<unsigned char>(c) < 0x80;
            });
            EXPECT_EQ(plain, ascii);
        }
    }
}

TEST(Ladder, the_longest_addresses_stand_on_lines_of_their_own) {
    Ladder ladder;
    for (flow::Endpoint* end :
         {&ladder.subject.record.flow.client, &ladder.subject.record.flow.server}) {
        end->v6 = true;
        end->port = 65535;
        end->address = {0x20, 0x01, 0x1d, 0xb8, 0x33, 0x33, 0x44, 0x44,
                        0x55, 0x55, 0x66, 0x66, 0x77, 0x77, 0x88, 0x88};
    }
    ladder.handshake();
    const std::string text = ladder.text();
    EXPECT_THAT(text, HasSubstr("frame client [2001:1db8:3333:4444:5555:6666:7777:8888]:65535\n"));
    EXPECT_THAT(text, HasSubstr(" [2001:1db8:3333:4444:5555:6666:7777:8888]:65535 server\n"));
}

TEST(Ladder, timestamps_stand_where_a_rule_compares_them) {
    Ladder ladder;
    ladder.handshake();
    const std::vector<std::uint8_t> options{1, 1, 8, 10, 0, 0, 1, 0, 0, 0, 2, 0};
    ladder.send({.from_client = false, .seq = 1001, .payload = 10, .options = options});
    ladder.send({.from_client = false, .seq = 1, .payload = 1000, .options = options});
    ladder.send({.from_client = false, .seq = 1011, .payload = 10, .options = options});
    event::Event event = hole(4, 1, 1001);
    event.finding = {.verdict = Verdict::lost_before_tap,
                     .confidence = Confidence::proven,
                     .rule = Rule::newer_timestamp,
                     .place = Place::sender_to_tap};
    event.evidence_count = 1;
    event.evidence[0] = {.frame = 5, .time = kStart, .role = Role::filler};
    ladder.log.add(event);
    const std::string text = ladder.text();
    std::size_t count = 0;
    for (const std::string& line : lines_of(text)) {
        count += line.find("TSval 256 TSecr 512") != std::string::npos ? 1U : 0U;
    }
    EXPECT_EQ(count, 2U);  // the hole's and the filler's, not the third
}

TEST(Ladder, frames_that_are_not_there_and_times_out_of_range_do_no_harm) {
    Ladder ladder;
    ladder.send({.at = INT64_MAX - kStart});
    ladder.send({.at = INT64_MIN + 1});
    event::Event event = hole(99, 1, 1011);
    ladder.log.add(event);
    event.subjects_count = 0;
    event.time = INT64_MAX;
    event.seq_end = event.seq_begin;
    ladder.log.add(event);
    EXPECT_THAT(ladder.text(), HasSubstr("2 holes"));
}

TEST(Ladder, a_connection_without_rows_has_a_head_all_the_same) {
    EXPECT_THAT(Ladder().text(), HasSubstr("10.0.0.5:51000 -> 93.184.216.34:80"));
}

}  // namespace
