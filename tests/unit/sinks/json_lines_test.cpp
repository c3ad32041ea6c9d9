// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/json_lines.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "samples.hpp"
#include "sinks/version.hpp"

namespace {

using namespace tw;
using namespace tw::test;

using Lines = std::vector<std::string>;

Lines event_lines(const std::vector<event::Event>& events, const Lines& taps = {"core"}) {
    const TempFile file("events.jsonl");
    sinks::EventLines out(taps);
    EXPECT_TRUE(out.open(file.path()));
    for (const event::Event& event : events) {
        out.write(event);
    }
    EXPECT_TRUE(out.flush());
    return file.lines();
}

Lines flow_lines(const std::vector<event::FlowRecord>& records, const Lines& taps = {"core"}) {
    const TempFile file("flows.jsonl");
    sinks::FlowLines out(taps);
    EXPECT_TRUE(out.open(file.path()));
    for (const event::FlowRecord& record : records) {
        out.write(record);
    }
    EXPECT_TRUE(out.flush());
    return file.lines();
}

TEST(EventLines, first_line_names_schema_version_and_taps) {
    const Lines lines = event_lines({}, {"core", "edge \"2\""});
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0], "{\"schema\":\"tapwitness/events/2\",\"version\":\"" +
                            std::string(sinks::version()) + R"(","taps":["core","edge \"2\""]})");
}

TEST(EventLines, hole_line_is_exactly_the_documented_format) {
    EXPECT_EQ(event_lines({story_hole()}).at(1),
              R"({"id":1,"type":"hole","time":"1712345698.100000000",)"
              R"("time_end":"1712345704.300000000","tap":"core",)"
              R"("flow":{"src":"10.0.0.5","sport":51000,"dst":"93.184.216.34","dport":80},)"
              R"("stream":0,"direction":"s2c","seq_begin":5001,"seq_end":6011,"bytes":1010,)"
              R"("resolution":"never",)"
              R"("subject":[{"tap":"core","frame":6,"time":"1712345698.100000000"}],)"
              R"("evidence":[]})");
}

TEST(EventLines, repeat_line_counts_its_segments) {
    const auto json = nlohmann::json::parse(event_lines({story_repeat()}).at(1));
    EXPECT_EQ(json["type"], "repeat");
    EXPECT_EQ(json["resolution"], "acknowledged");
    EXPECT_EQ(json["repeats"], 1);
    EXPECT_EQ(json["bytes"], 0);
    EXPECT_EQ(json["evidence"][0]["frame"], 12);
}

TEST(EventLines, a_number_that_may_be_a_fin_is_marked) {
    event::Event event = story_hole();
    event.fin_possible = true;
    EXPECT_EQ(nlohmann::json::parse(event_lines({event}).at(1))["fin_possible"], true);
}

TEST(EventLines, frame_without_number_is_null) {
    event::Event event = story_hole();
    event.subject[0].frame = 0;
    const auto json = nlohmann::json::parse(event_lines({event}).at(1));
    EXPECT_TRUE(json["subject"][0]["frame"].is_null());
}

TEST(EventLines, keys_without_meaning_are_absent) {
    event::Event event = story_hole();
    EXPECT_FALSE(nlohmann::json::parse(event_lines({event}).at(1)).contains("repeats"));
    EXPECT_FALSE(nlohmann::json::parse(event_lines({event}).at(1)).contains("fin_possible"));
    EXPECT_FALSE(nlohmann::json::parse(event_lines({event}).at(1)).contains("sentence"));
    event.type = event::EventType::handshake;
    const auto json = nlohmann::json::parse(event_lines({event}).at(1));
    for (const char* key : {"seq_begin", "seq_end", "bytes", "resolution", "verdict", "cause"}) {
        EXPECT_FALSE(json.contains(key)) << key;
    }
}

TEST(EventLines, a_verdict_brings_its_keys) {
    event::Event event = story_hole();
    event.subject[0].role = event::Role::opener;
    event.finding.verdict = event::Verdict::never_recovered;
    event.finding.cause = event::Cause::sender_silent;
    event.finding.confidence = event::Confidence::proven;
    event.finding.rule = event::Rule::asked_in_vain;
    event.finding.place = event::Place::sender_to_tap;
    event.finding.excluded.add(event::Verdict::missed_by_capture);
    event.finding.excluded.add(event::Verdict::sequence_overshoot);
    event.finding.asked = 1;
    event.finding.lag = 6'200 * kMillisecond;
    event.finding.cost = 20 * kSecond;
    const std::string line = event_lines({event}).at(1);
    EXPECT_NE(line.find(R"("resolution":"never","verdict":"never_recovered",)"
                        R"("cause":"sender_silent","confidence":"proven","place":"sender_to_tap",)"
                        R"("side":"between 93.184.216.34 and the tap","rule":"asked_in_vain",)"
                        R"("excluded":["missed_by_capture","sequence_overshoot"],"asked":1,)"
                        R"("lag":6.200000000,"cost":20.000000000,"sentence":"server 93.184.)"),
              std::string::npos)
        << line;
    EXPECT_NE(line.find(R"("subject":[{"role":"opener","tap":"core","frame":6,)"),
              std::string::npos)
        << line;
}

TEST(EventLines, an_unknown_verdict_claims_no_confidence_and_no_side) {
    event::Event event = story_hole();
    event.finding.verdict = event::Verdict::unknown;
    event.finding.cause = event::Cause::not_enough_evidence;
    event.finding.possible.add(event::Verdict::lost_before_tap);
    const auto json = nlohmann::json::parse(event_lines({event}).at(1));
    EXPECT_EQ(json["possible"], nlohmann::json::array({"lost_before_tap"}));
    for (const char* key : {"confidence", "side", "place", "rule", "excluded", "cost", "lag"}) {
        EXPECT_FALSE(json.contains(key)) << key;
    }
}

TEST(EventLines, ipv6_endpoints_are_plain_addresses) {
    event::Event event = story_hole();
    event.flow.client.v6 = true;
    event.flow.client.address = {0x20, 0x01, 0x0d, 0xb8};
    const auto json = nlohmann::json::parse(event_lines({event}).at(1));
    EXPECT_EQ(json["flow"]["src"], "2001:db8::");
}

TEST(EventLines, each_type_resolution_and_direction_parses) {
    std::vector<event::Event> events;
    for (std::uint8_t type = 0; type <= 5; ++type) {
        for (std::uint8_t resolution = 0; resolution <= 6; ++resolution) {
            event::Event event = story_hole();
            event.type = static_cast<event::EventType>(type);
            event.resolution = static_cast<event::Resolution>(resolution);
            event.direction = static_cast<event::Direction>(resolution % 2);
            event.subjects_count = 2;
            event.evidence_count = 2;
            events.push_back(event);
        }
    }
    const Lines lines = event_lines(events);
    ASSERT_EQ(lines.size(), events.size() + 1);
    for (const std::string& line : lines) {
        EXPECT_NO_THROW(nlohmann::json::parse(line)) << line;
    }
}

TEST(EventLines, counts_beyond_the_arrays_and_unknown_taps_are_harmless) {
    event::Event event = story_hole();
    event.subjects_count = 255;
    event.evidence_count = 255;
    event.tap = 200;
    const auto json = nlohmann::json::parse(event_lines({event}).at(1));
    EXPECT_EQ(json["subject"].size(), event::Event::kSubjectsMax);
    EXPECT_EQ(json["tap"], "?");
}

TEST(FlowLines, line_is_exactly_the_documented_format) {
    const Lines lines = flow_lines({story_record()});
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(nlohmann::json::parse(lines[0])["schema"], "tapwitness/flows/1");
    EXPECT_EQ(lines[1],
              R"({"stream":0,"src":"10.0.0.5","sport":51000,"dst":"93.184.216.34","dport":80,)"
              R"("first":"1712345678.000000000","last":"1712345704.300000000",)"
              R"("packets":{"c2s":7,"s2c":5},"bytes":{"c2s":78,"s2c":0},)"
              R"("missing_bytes":{"c2s":0,"s2c":1010},"completeness":31,)"
              R"("initial_rtt":0.020000000,)"
              R"("flags":{"c2s":{"retransmission":1,"duplicate_ack":1},)"
              R"("s2c":{"lost_segment":1}}})");
}

TEST(FlowLines, unknown_round_trip_is_absent_and_doubts_are_said) {
    event::FlowRecord record = story_record();
    EXPECT_FALSE(nlohmann::json::parse(flow_lines({record}).at(1)).contains("details_lost"));
    EXPECT_FALSE(nlohmann::json::parse(flow_lines({record}).at(1)).contains("client_known"));
    record.initial_rtt = 0;
    record.client_known = false;
    record.details_lost = true;
    const auto json = nlohmann::json::parse(flow_lines({record}).at(1));
    EXPECT_FALSE(json.contains("initial_rtt"));
    EXPECT_EQ(json["client_known"], false);
    EXPECT_EQ(json["details_lost"], true);
}

TEST(FlowLines, verdicts_are_summed_by_direction_and_outcome) {
    event::FlowRecord record = story_record();
    EXPECT_FALSE(nlohmann::json::parse(flow_lines({record}).at(1)).contains("verdicts"));
    record.outcomes[1][static_cast<std::size_t>(event::Outcome::never_recovered)] = {1010, 1, 1};
    record.outcomes[1][static_cast<std::size_t>(event::Outcome::unknown)] = {20, 3, 2};
    EXPECT_NE(flow_lines({record}).at(1).find(R"("verdicts":{"c2s":{},"s2c":{)"
                                              R"("never_recovered":{"episodes":1,"bytes":1010},)"
                                              R"("unknown":{"episodes":2,"bytes":20}}})"),
              std::string::npos);
}

TEST(FlowLines, tap_is_named_where_there_are_several) {
    event::FlowRecord record = story_record();
    record.tap = 1;
    EXPECT_EQ(nlohmann::json::parse(flow_lines({record}, {"in", "out"}).at(1))["tap"], "out");
    EXPECT_FALSE(nlohmann::json::parse(flow_lines({record}).at(1)).contains("tap"));
}

TEST(FlowLines, negative_round_trip_is_a_number) {
    event::FlowRecord record = story_record();
    record.initial_rtt = -1;
    EXPECT_NE(flow_lines({record}).at(1).find(R"("initial_rtt":-0.000000001)"), std::string::npos);
}

}  // namespace
