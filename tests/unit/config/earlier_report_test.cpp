// SPDX-License-Identifier: BSD-3-Clause
#include "config/earlier_report.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

namespace tw::config {
namespace {

TEST(EarlierReport, what_is_compared_is_read_and_the_rest_is_passed_over) {
    const auto report = parse_earlier_report(
        R"({"schema":"tapwitness/firewall/1","totals":{"conversations":3},
            "findings":[{"id":1,"behaviour":"mss_clamped","scope":"all traffic","sentence":"a \"b\"",
                         "evidence":[{"fact":{"packet":{"sack":[{"left":1,"right":2}]}}}]}],
            "parameters":[{"name":"mtu","scope":"all","value":"1400","low":1400,"high":null}],
            "latencies":[{"way":"inward","setup":false,"p50":0.0001,"p99":1e-3}],
            "rewrites":[{"way":"inward","rewrite":"mss","of":2,"changed":2,"before":1460,
                         "after":1200,"same_values":2,"expected":false,"sentence":"s"}]})",
        "old.json");
    ASSERT_TRUE(report.has_value()) << report.error().text;
    ASSERT_EQ(report->findings.size(), 1U);
    EXPECT_EQ(report->findings[0].sentence, "a \"b\"");
    ASSERT_EQ(report->parameters.size(), 1U);
    EXPECT_EQ(report->parameters[0].low, 1400.0);
    EXPECT_FALSE(report->parameters[0].high.has_value());
    ASSERT_EQ(report->latencies.size(), 1U);
    EXPECT_EQ(report->latencies[0].p99, 0.001);
    ASSERT_EQ(report->rewrites.size(), 1U);
    EXPECT_EQ(report->rewrites[0].after, 1200U);
}

TEST(EarlierReport, another_file_is_named_with_what_it_lacks) {
    EXPECT_EQ(parse_earlier_report(R"({"schema":"tapwitness/events/1"})", "x").error().text,
              "x: schema tapwitness/events/1: only tapwitness/firewall/1 can be compared with");
    EXPECT_EQ(parse_earlier_report("[1, 2]", "x").error().text,
              "x: schema is missing: only tapwitness/firewall/1 can be compared with");
    EXPECT_NE(parse_earlier_report("{\"schema\":", "x").error().text.find("x:1:"),
              std::string::npos);
}

TEST(EarlierReport, a_list_that_is_none_is_refused_with_its_place) {
    const auto error_of = [](const char* rest) {
        return parse_earlier_report(
                   fmt::format("{{\"schema\":\"tapwitness/firewall/1\",\n {}}}", rest), "x")
            .error()
            .text;
    };
    EXPECT_EQ(error_of("\"findings\":3"),
              "x:2:13: findings is no list: not a report of `tapwitness firewall --json`");
    EXPECT_EQ(
        error_of("\"rewrites\":[{},7]"),
        "x:2:17: rewrites is a list of objects: not a report of `tapwitness firewall --json`");
}

TEST(EarlierReport, files_that_cannot_be_read_are_named) {
    EXPECT_EQ(load_earlier_report("/nowhere/old.json").error().text,
              "/nowhere/old.json: cannot be read");
    EXPECT_EQ(load_earlier_report("/").error().text, "/: cannot be read");
}

}  // namespace
}  // namespace tw::config
