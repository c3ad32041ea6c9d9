// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/ladder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "core/decode/decoded.hpp"
#include "samples.hpp"
#include "sinks/ladder_log.hpp"
#include "sinks/ladder_plan.hpp"

namespace {

using namespace tw;
using namespace tw::test;
using event::Confidence;
using event::Direction;
using event::Place;
using event::Role;
using event::Rule;
using event::Verdict;
using sinks::LadderLog;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint8_t kSynBit = decode::tcp_flag::kSyn;
constexpr std::uint8_t kAckBit = decode::tcp_flag::kAck;
constexpr std::uint8_t kPshBit = decode::tcp_flag::kPsh;
constexpr std::uint8_t kFinBit = decode::tcp_flag::kFin;

struct Sent {
    bool from_client = true;
    std::uint8_t flags = kAckBit;
    std::uint32_t seq = 0;
    std::uint32_t ack = 0;
    std::uint32_t payload = 0;
    Nanos at = 0;
    tcp::FlagSet marks{};
    std::vector<std::uint8_t> options{};
};

[[nodiscard]] tcp::FlagSet marked(tcp::Flag flag) {
    tcp::FlagSet set;
    set.set(flag);
    return set;
}

// The connection of samples.hpp: the client is side 0, its ISN 1000, the server's 5000.
class Ladder {
  public:
    explicit Ladder(const sinks::LadderLogOptions& options = {}) : log(options) {
        subject.record = story_record();
        subject.files = {"trace.pcap"};
    }

    void send(const Sent& sent) {
        decode::Decoded found;
        found.outcome = stats::Counter::decoded_segments;
        found.sender = sent.from_client ? 0 : 1;
        decode::Segment& segment = found.segment;
        segment.seq = (sent.from_client ? 1000U : 5000U) + sent.seq;
        segment.ack = (sent.from_client ? 5000U : 1000U) + sent.ack;
        segment.payload_bytes = sent.payload;
        segment.flags = sent.flags;
        segment.window = 500;
        segment.payload_known = true;
        segment.header_complete = true;
        segment.options = sent.options.data();
        segment.options_bytes = static_cast<std::uint8_t>(sent.options.size());
        Frame frame;
        frame.time = kStart + sent.at;
        frame.number = ++frames;
        Observation observation;
        observation.tcp = true;
        observation.flags = sent.marks;
        log.add(frame, found, observation);
    }

    void handshake() {
        send({.flags = kSynBit, .options = {2, 4, 5, 180, 1, 3, 3, 7}});
        send({.from_client = false, .flags = kSynBit | kAckBit, .ack = 1, .at = 10'000'000});
        send({.seq = 1, .ack = 1, .at = 10'100'000});
    }

    [[nodiscard]] std::string text(const sinks::LadderView& view = {},
                                   const sinks::LadderStyle& style = {.ascii = true}) const {
        std::string text;
        sinks::write_ladder(log, subject, view, style, [&text](std::string_view piece) {
            text += piece;
            return true;
        });
        return text;
    }
    // From the line that names the ends to the blank line behind the ladder.
    [[nodiscard]] std::string lane() const {
        const std::string whole = text();
        const std::size_t begin = whole.find(" seconds frame");
        return whole.substr(begin, whole.find("\n\n", begin) + 1 - begin);
    }

    LadderLog log;
    sinks::LadderSubject subject;
    std::uint64_t frames = 0;
};

[[nodiscard]] std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

[[nodiscard]] event::Event hole(std::uint64_t opener, std::uint32_t begin, std::uint32_t end) {
    event::Event event = story_hole();
    event.seq_begin = 5000 + begin;
    event.seq_end = 5000 + end;
    event.bytes = end - begin;
    event.subject[0] = {.frame = opener, .time = kStart, .role = Role::opener};
    return event;
}

// What is drawn of one line: the lane, without time and frame.
[[nodiscard]] std::string line_with(const std::string& text, std::string_view part) {
    for (const std::string& line : lines_of(text)) {
        if (line.find(part) != std::string::npos) {
            return line;
        }
    }
    return "no line with " + std::string(part);
}

[[nodiscard]] std::size_t columns_of(const std::string& line) {
    return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

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

TEST(Ladder, memory_is_bounded_and_totals_stay_right) {
    Ladder ladder({.rows_max = 256});
    ladder.handshake();
    for (std::uint32_t i = 0; i < 20'000; ++i) {
        const bool strange = i % 50 == 0;
        ladder.send({.from_client = false,
                     .seq = 1 + i * 100,
                     .ack = 1,
                     .payload = 100,
                     .at = 11'000'000 + Nanos{i} * 1000,
                     .marks = strange ? marked(tcp::Flag::lost_segment) : tcp::FlagSet{}});
    }
    ASSERT_LE(ladder.log.rows().size(), 256U);
    EXPECT_EQ(ladder.log.rows().front().frame, 1U);
    EXPECT_EQ(ladder.log.rows().back().frame, 20'003U);
    const sinks::LadderPlan plan = sinks::plan_ladder(ladder.log, {.all = true});
    std::uint64_t segments = 0;
    std::uint64_t bytes = 0;
    for (const sinks::LadderItem& item : plan.items) {
        if (item.kind == sinks::LadderItem::Kind::segment) {
            ++segments;
            bytes += ladder.log.rows()[item.index].payload_bytes;
        }
    }
    for (const sinks::LadderFold& fold : plan.folds) {
        segments += fold.count();
        bytes += fold.bytes[0] + fold.bytes[1];
    }
    EXPECT_EQ(segments, 20'003U);
    EXPECT_EQ(bytes, 2'000'000U);
    EXPECT_THAT(ladder.text({.all = true}), HasSubstr("Kept of a connection: 256 segments"));
}

TEST(Ladder, of_many_episodes_the_gravest_are_shown_and_all_are_counted) {
    Ladder ladder;
    ladder.handshake();
    for (std::uint32_t i = 0; i < 100; ++i) {
        ladder.send({.seq = 1, .ack = 1, .at = 11'000'000 + Nanos{i}});
    }
    for (std::uint64_t id = 1; id <= 20'000; ++id) {
        event::Event event = hole(4 + id % 100, 1, 101);
        event.id = id;
        event.finding.verdict =
            id == 777 ? Verdict::never_recovered : Verdict::reordered_before_tap;
        ladder.log.add(event);
    }
    const sinks::LadderPlan plan = sinks::plan_ladder(ladder.log, {});
    EXPECT_EQ(plan.shown.size(), 10U);
    EXPECT_EQ(plan.hidden, 19'990U);
    EXPECT_TRUE(std::any_of(plan.shown.begin(), plan.shown.end(),
                            [](const event::Event& event) { return event.id == 777; }));
    EXPECT_THAT(ladder.text(), HasSubstr("reordered_before_tap: 19,999 holes"));
}

TEST(Ladder, the_episode_asked_for_is_kept_among_any_number) {
    Ladder ladder({.episode = 3});
    ladder.handshake();
    for (std::uint64_t id = 1; id <= 20'000; ++id) {
        event::Event event = hole(3, 1, 101);
        event.id = id;
        event.finding.verdict = id == 3 ? Verdict::reordered_in_capture : Verdict::never_recovered;
        ladder.log.add(event);
    }
    const sinks::LadderPlan plan = sinks::plan_ladder(ladder.log, {.episode = 3});
    ASSERT_EQ(plan.shown.size(), 1U);
    EXPECT_EQ(plan.shown[0].id, 3U);
    EXPECT_EQ(plan.hidden, 19'999U);
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

TEST(Ladder, numbers_are_relative_as_in_wireshark_without_a_syn_too) {
    Ladder ladder;
    ladder.send({.seq = 5000, .ack = 9000, .payload = 10});
    ladder.send({.from_client = false, .seq = 9000, .ack = 5010, .payload = 20});
    const std::string text = ladder.text();
    EXPECT_THAT(text, HasSubstr("| seq 1 len 10 ack 1 -"));
    EXPECT_THAT(text, HasSubstr("- seq 1 len 20 ack 11 |"));
    EXPECT_THAT(text, HasSubstr("not captured: the connection is older than the capture"));
}

TEST(Ladder, a_duplicate_sack_is_told_from_a_selective_one) {
    Ladder ladder;
    ladder.handshake();
    const auto block = [](std::uint32_t left, std::uint32_t right) {
        std::vector<std::uint8_t> bytes{1, 1, 5, 10};
        for (const std::uint32_t edge : {left + 5000, right + 5000}) {
            for (int shift = 24; shift >= 0; shift -= 8) {
                bytes.push_back(static_cast<std::uint8_t>(edge >> shift));
            }
        }
        return bytes;
    };
    ladder.send({.seq = 1, .ack = 1001, .options = block(2001, 3001)});
    ladder.send({.seq = 1, .ack = 3001, .options = block(1, 1001)});
    const std::string text = ladder.text();
    EXPECT_THAT(text, HasSubstr("|   SACK [2001..3001) "));
    EXPECT_THAT(text, HasSubstr("|   DSACK [1..1001) "));
}

TEST(Ladder, broken_options_end_the_list) {
    for (const std::vector<std::uint8_t>& options :
         {std::vector<std::uint8_t>{2}, {2, 0, 2, 0}, {2, 40, 0, 0}, {5, 2, 5, 3, 0}, {8, 10, 1}}) {
        Ladder ladder;
        ladder.send({.flags = kSynBit, .options = options});
        EXPECT_THAT(ladder.text(), HasSubstr("|   no options; win 500"));
    }
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
