// SPDX-License-Identifier: BSD-3-Clause
// The two stories the project exists for, through the whole pipeline: which frames carry which
// flags (as tshark 4.0.17 prints them) and which episodes come out.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "support/conversation.hpp"
#include "support/pipeline_run.hpp"
#include "support/stories.hpp"

namespace tw::test {
namespace {

using event::Direction;
using event::Event;
using event::EventType;
using event::Resolution;

const std::uint32_t kServerIsn = ConversationOptions{}.isn[1];
const std::uint32_t kClientIsn = ConversationOptions{}.isn[0];

struct Told {
    std::map<std::size_t, std::string> flags{};  // frame -> names, only frames with flags
    std::vector<Event> events{};
    std::vector<event::FlowRecord> flows{};

    [[nodiscard]] std::vector<Event> of(EventType type) const {
        std::vector<Event> found;
        std::ranges::copy_if(events, std::back_inserter(found),
                             [&](const Event& event) { return event.type == type; });
        return found;
    }
};

std::string names(tcp::FlagSet flags) {
    std::string text;
    for (const tcp::FlagInfo& row : tcp::flag_table()) {
        if (flags.has(row.id)) {
            text += (text.empty() ? "" : ",") + std::string(row.name);
        }
    }
    return text;
}

Told tell(const Conversation& talk) {
    PipelineRun run;
    Told told;
    std::size_t frame = 0;
    for (const TimedFrame& timed : talk.frames()) {
        const Observation seen = run.feed(timed.bytes, timed.time);
        EXPECT_TRUE(seen.tcp);
        ++frame;
        if (!seen.flags.empty()) {
            told.flags[frame] = names(seen.flags);
        }
    }
    run.finish();
    told.events = run.events();
    // Episodes that only end with the run come out in no promised order.
    std::ranges::sort(told.events, {}, &Event::time);
    told.flows = run.flows();
    return told;
}

using Flags = std::map<std::size_t, std::string>;

TEST(StoryOfTheFirewall, flags_are_those_of_tshark) {
    EXPECT_EQ(tell(story_of_the_firewall()).flags,
              (Flags{{6, "lost_segment"}, {7, "duplicate_ack"}, {10, "retransmission"}}));
}

TEST(StoryOfTheFirewall, the_answer_is_a_hole_that_nobody_fills) {
    const Conversation talk = story_of_the_firewall();
    const Told told = tell(talk);
    const auto holes = told.of(EventType::hole);
    ASSERT_EQ(holes.size(), 1U);
    const Event& hole = holes.front();
    EXPECT_EQ(hole.direction, Direction::s2c);
    EXPECT_EQ(hole.bytes, 1010U);
    EXPECT_EQ(hole.seq_begin - kServerIsn, 1U);
    EXPECT_EQ(hole.seq_end - kServerIsn, 1011U);
    EXPECT_EQ(hole.resolution, Resolution::never);
    ASSERT_EQ(hole.subjects_count, 1U);
    EXPECT_EQ(hole.subject[0].frame, 6U);  // the server's FIN showed it
    EXPECT_EQ(hole.time, talk.frames()[5].time);
    ASSERT_EQ(hole.evidence_count, 1U);
    EXPECT_EQ(hole.evidence[0].frame, 7U);  // the client asked for it
    EXPECT_EQ(hole.evidence[0].role, event::Role::dup_ack);
    EXPECT_EQ(hole.finding.verdict, event::Verdict::never_recovered);
    EXPECT_EQ(hole.finding.cause, event::Cause::sender_silent);
    EXPECT_EQ(hole.finding.confidence, event::Confidence::proven);
    EXPECT_EQ(hole.finding.place, event::Place::sender_to_tap);
    EXPECT_EQ(hole.flow.client.port, 50123);
    EXPECT_EQ(hole.flow.server.port, 80);
}

TEST(StoryOfTheFirewall, the_second_fin_is_a_repeat_of_what_was_acknowledged) {
    const auto repeats = tell(story_of_the_firewall()).of(EventType::repeat);
    ASSERT_EQ(repeats.size(), 1U);
    const Event& repeat = repeats.front();
    EXPECT_EQ(repeat.direction, Direction::c2s);
    EXPECT_EQ(repeat.repeats_count, 1U);
    EXPECT_EQ(repeat.bytes, 0U);
    EXPECT_EQ(repeat.seq_begin - kClientIsn, 44U);
    EXPECT_EQ(repeat.seq_end - kClientIsn, 45U);
    EXPECT_EQ(repeat.resolution, Resolution::acknowledged_before);
    ASSERT_GE(repeat.subjects_count, 1U);
    EXPECT_EQ(repeat.subject[0].frame, 10U);
}

TEST(StoryOfTheFirewall, the_flow_record_sums_it_up) {
    const Told told = tell(story_of_the_firewall());
    ASSERT_EQ(told.flows.size(), 1U);
    const event::FlowRecord& record = told.flows.front();
    EXPECT_TRUE(record.client_known);
    EXPECT_EQ(record.completeness, 1 + 2 + 4 + 8 + 16);
    EXPECT_EQ(record.initial_rtt, 11 * kMillisecond + kMillisecond / 10);
    EXPECT_EQ(record.packets[0], 6U);
    EXPECT_EQ(record.packets[1], 4U);
    EXPECT_EQ(record.bytes[0], 43U);
    EXPECT_EQ(record.bytes[1], 0U);
    EXPECT_EQ(record.missing_bytes[0], 0U);
    EXPECT_EQ(record.missing_bytes[1], 1010U);
    const auto counted = [&](Direction direction, tcp::Flag flag) {
        return record.flags[static_cast<std::size_t>(direction)][static_cast<std::size_t>(flag)];
    };
    EXPECT_EQ(counted(Direction::s2c, tcp::Flag::lost_segment), 1U);
    EXPECT_EQ(counted(Direction::c2s, tcp::Flag::duplicate_ack), 1U);
    EXPECT_EQ(counted(Direction::c2s, tcp::Flag::retransmission), 1U);
    EXPECT_EQ(counted(Direction::c2s, tcp::Flag::lost_segment), 0U);
}

// The near miss: had the answer been captured, there would be nothing to report but the last FIN.
TEST(StoryOfTheFirewall, an_answer_that_arrives_is_no_hole) {
    Conversation talk;
    talk.handshake().client("PA", {.bytes = 43}).server("A").server("PA", {.bytes = 1010});
    talk.client("A").wait(20 * kSecond).server("FA").client("A").client("FA").server("A");
    const Told told = tell(talk);
    EXPECT_EQ(told.flags, Flags{});
    EXPECT_TRUE(told.events.empty());
}

TEST(StoryOfTheFin, flags_are_those_of_tshark) {
    EXPECT_EQ(tell(story_of_the_fin()).flags, (Flags{{8, "lost_segment"},
                                                     {9, "duplicate_ack"},
                                                     {10, "retransmission"},
                                                     {11, "duplicate_ack"}}));
}

TEST(StoryOfTheFin, one_byte_is_missing_that_never_was) {
    const auto holes = tell(story_of_the_fin()).of(EventType::hole);
    ASSERT_EQ(holes.size(), 1U);
    const Event& hole = holes.front();
    EXPECT_EQ(hole.direction, Direction::s2c);
    EXPECT_EQ(hole.bytes, 1U);
    EXPECT_EQ(hole.seq_begin - kServerIsn, 1011U);
    EXPECT_EQ(hole.seq_end - kServerIsn, 1012U);
    EXPECT_EQ(hole.resolution, Resolution::never);
    EXPECT_EQ(hole.subject[0].frame, 8U);
}

// The repeated FIN is the same story, told once: no ACK could cover it before the byte below it.
TEST(StoryOfTheFin, the_fin_overshot_the_data_and_no_packet_is_missing) {
    const Told told = tell(story_of_the_fin());
    EXPECT_TRUE(told.of(EventType::repeat).empty());
    const event::Finding finding = told.of(EventType::hole).front().finding;
    EXPECT_EQ(finding.verdict, event::Verdict::sequence_overshoot);
    EXPECT_EQ(finding.confidence, event::Confidence::probable);
    EXPECT_TRUE(finding.possible.has(event::Verdict::never_recovered));
    EXPECT_EQ(finding.asked, 2U);
}

// Where the stories happen must not matter: numbers that wrap, another time, a VLAN, IPv6.
TEST(Stories, moved_elsewhere_they_tell_the_same) {
    const Told plain = tell(story_of_the_firewall());
    const auto same = [&](const ConversationOptions& options, std::string_view where) {
        const Told told = tell(story_of_the_firewall(options));
        EXPECT_EQ(told.flags, plain.flags) << where;
        ASSERT_EQ(told.events.size(), plain.events.size()) << where;
        for (std::size_t i = 0; i < told.events.size(); ++i) {
            EXPECT_EQ(told.events[i].type, plain.events[i].type) << where;
            EXPECT_EQ(told.events[i].direction, plain.events[i].direction) << where;
            EXPECT_EQ(told.events[i].bytes, plain.events[i].bytes) << where;
            EXPECT_EQ(told.events[i].resolution, plain.events[i].resolution) << where;
            EXPECT_EQ(told.events[i].subject[0].frame, plain.events[i].subject[0].frame) << where;
        }
    };
    same({.isn = {0xFFFF'FFF0, 0xFFFF'FE00}}, "numbers that wrap");
    same({.start = 1'800'000'000 * kSecond + 7}, "another time");
    same({.below = [](PacketBuilder& builder) { builder.ethernet().vlan(7); }}, "a VLAN");
    same({.address = {"2001:db8::10", "2001:db8:ffff::80"}}, "IPv6");
    same({.address = {"198.51.100.80", "192.0.2.10"}}, "the client has the higher address");
}

}  // namespace
}  // namespace tw::test
