// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_json.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "firewall_report_sample.hpp"

namespace {

using namespace tw;
using namespace tw::test;
using nlohmann::json;

json parsed(const firewall::Report& report) {
    return json::parse(sinks::firewall_json(report));
}

TEST(FirewallJson, begins_with_its_schema_and_is_one_line) {
    const std::string text = sinks::firewall_json(sample_report());
    EXPECT_TRUE(text.starts_with(R"({"schema":"tapwitness/firewall/1","version":"1.2.3",)"));
    EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST(FirewallJson, holds_every_part_even_of_an_empty_report) {
    const json empty = parsed({});
    const json full = parsed(sample_report());
    std::set<std::string> empty_keys;
    std::set<std::string> full_keys;
    for (const auto& [key, value] : empty.items()) {
        empty_keys.insert(key);
    }
    for (const auto& [key, value] : full.items()) {
        full_keys.insert(key);
    }
    EXPECT_EQ(empty_keys, full_keys);
    for (const char* list : {"why_exit", "policy", "checks", "findings", "in_common", "parameters",
                             "latencies", "spikes", "rewrites", "differences"}) {
        EXPECT_TRUE(empty[list].is_array() && empty[list].empty()) << list;
        EXPECT_FALSE(full[list].empty()) << list;
    }
}

TEST(FirewallJson, tells_the_policy) {
    const json report = parsed(sample_report());
    EXPECT_EQ(report["exit_code"], 1);
    const json& leak = report["policy"][1];
    EXPECT_EQ(leak["result"], "fail");
    EXPECT_EQ(leak["expectation"], "drop");
    EXPECT_EQ(leak["against"], 1);
    EXPECT_EQ(leak["findings"], json::array({1}));
    const json& example = leak["examples"][0];
    EXPECT_EQ(example["outcome"], "established");
    EXPECT_EQ(example["flow"]["src"], "203.0.113.7");
    EXPECT_EQ(example["flow"]["dport"], 22);
    EXPECT_EQ(example["first_frame"], (json{{"outside", 31}, {"inside", 32}}));
    EXPECT_EQ(example["seen_as"]["outside"]["dst"], "192.0.2.80");
    EXPECT_EQ(report["policy"][0]["limits"][0]["result"], "fail");
    EXPECT_EQ(report["policy"][0]["outcomes"], (json{{"established", 20}}));
}

TEST(FirewallJson, tells_a_finding_with_its_packets) {
    const json finding = parsed(sample_report())["findings"][0];
    EXPECT_EQ(finding["behaviour"], "packet_dropped");
    EXPECT_EQ(finding["weight"], "drop");
    EXPECT_EQ(finding["grade"], "proven");
    EXPECT_DOUBLE_EQ(finding["chance_of_error"], 0.0001);
    const json& fact = finding["evidence"][0];
    EXPECT_EQ(fact["kind"], "lost_between");
    EXPECT_EQ(fact["proof"], "no_copy_leaves");
    EXPECT_EQ(fact["packet"]["flags"], "PSH,ACK");
    EXPECT_EQ(fact["cites"][0], (json{{"tap", "inside"},
                                      {"frame", 12},
                                      {"time", "1712345678.000000123"},
                                      {"part", "subject"}}));
    EXPECT_TRUE(fact["cites"][1]["frame"].is_null());
    EXPECT_EQ(fact["packets"].size(), 1U);
    EXPECT_TRUE(fact["packets"][0]["twin"].is_null());
}

TEST(FirewallJson, tells_the_capture) {
    const json confidence = parsed(sample_report())["confidence"];
    EXPECT_EQ(confidence["trust"], "reduced");
    EXPECT_EQ(confidence["doubts"][0]["name"], "capture_loss");
    EXPECT_EQ(confidence["taps"][0]["dropped"], 2);
    EXPECT_TRUE(confidence["taps"][1]["dropped"].is_null());
    EXPECT_DOUBLE_EQ(confidence["taps"][1]["miss_rate"], 0.0125);
}

TEST(FirewallJson, names_from_outside_cannot_break_it) {
    const json report = parsed(sample_report());
    EXPECT_EQ(report["policy"][1]["name"], "a<b>&\"'\x1b[31m\n\xEF\xBF\xBD]]> \xc3\xbc");
}

TEST(FirewallJson, a_number_without_a_value_is_null) {
    firewall::Report report = sample_report();
    report.in_common[0].value = std::numeric_limits<double>::infinity();
    report.parameters[0].low.reset();
    EXPECT_TRUE(parsed(report)["in_common"][0]["value"].is_null());
    EXPECT_TRUE(parsed(report)["parameters"][0]["low"].is_null());
    EXPECT_EQ(parsed(report)["parameters"][0]["high"], 4.0);
}

TEST(FirewallNotice, has_the_words_of_the_report) {
    firewall::Notice notice;
    notice.fact = lost_response().fact;
    notice.id = notice.fact.id;
    notice.grade = taps::Grade::probable;
    notice.behaviour = firewall::Behaviour::packet_dropped;
    const std::string line = sinks::firewall_notice_json(notice);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const json event = json::parse(line);
    EXPECT_EQ(event["behaviour"], "packet_dropped");
    EXPECT_EQ(event["grade"], "probable");
    EXPECT_EQ(event["settled"], false);
    EXPECT_EQ(event["cites"].size(), 2U);
    const json fact = parsed(sample_report())["findings"][0]["evidence"][0];
    for (const char* key : {"kind", "proof", "way", "time", "conversation", "flow", "packet"}) {
        EXPECT_EQ(event[key], fact[key]) << key;
    }
    EXPECT_EQ(json::parse(sinks::firewall_notice_header())["schema"],
              "tapwitness/firewall-events/1");
}

TEST(FirewallNotice, of_the_capture_alone_has_no_behaviour) {
    firewall::Notice notice;
    notice.fact.kind = taps::FactKind::missed_at_exit;
    const json event = json::parse(sinks::firewall_notice_json(notice));
    EXPECT_TRUE(event["behaviour"].is_null());
    EXPECT_EQ(event["kind"], "missed_at_exit");
}

}  // namespace
