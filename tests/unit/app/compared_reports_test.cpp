// SPDX-License-Identifier: BSD-3-Clause
// The report that one run writes is the one a later run reads.
#include <gtest/gtest.h>

#include "config/earlier_report.hpp"
#include "sinks/firewall_json.hpp"

namespace tw {
namespace {

firewall::Report some_report() {
    firewall::Report report;
    report.findings.resize(1);
    report.findings[0].behaviour = firewall::Behaviour::mss_clamped;
    report.findings[0].scope = "server \"a\\b\"";
    report.findings[0].sentence = "20 SYNs";
    report.parameters = {{.name = "idle_timeout",
                          .scope = "all traffic",
                          .value = "between 3.00 s and 4.00 s",
                          .low = 3,
                          .high = 4,
                          .unit = "s",
                          .samples = 8,
                          .note = {}}};
    report.rewrites.resize(1);
    report.rewrites[0].rewrite = taps::Rewrite::mss;
    report.rewrites[0].count.of = 20;
    report.rewrites[0].count.changed = 20;
    report.rewrites[0].count.before = 1460;
    report.rewrites[0].count.after = 1200;
    report.rewrites[0].count.same_values = 20;
    report.rewrites[0].sentence = "MSS changes";
    report.latencies.resize(1);
    report.latencies[0].histogram.add(500 * kMicrosecond);
    return report;
}

TEST(ComparedReports, a_report_does_not_differ_from_its_own_json) {
    const firewall::Report report = some_report();
    const auto earlier = config::parse_earlier_report(sinks::firewall_json(report), "old.json");
    ASSERT_TRUE(earlier.has_value()) << earlier.error().text;
    ASSERT_EQ(earlier->latencies.size(), 1U);
    EXPECT_GT(earlier->latencies[0].p50, 0);
    ASSERT_EQ(earlier->parameters.size(), 1U);
    EXPECT_EQ(earlier->parameters[0].high, 4.0);
    EXPECT_TRUE(firewall::differences(*earlier, report).empty());
}

TEST(ComparedReports, what_changed_since_is_told) {
    firewall::Report report = some_report();
    const auto earlier = config::parse_earlier_report(sinks::firewall_json(report), "old.json");
    ASSERT_TRUE(earlier.has_value()) << earlier.error().text;
    report.rewrites.clear();
    report.findings.clear();
    report.parameters[0].low = 60;
    report.parameters[0].high = 61;
    for (int i = 0; i < 10; ++i) {
        report.latencies[0].histogram.add(5 * kMillisecond);
    }
    EXPECT_EQ(firewall::differences(*earlier, report).size(), 5U);
}

}  // namespace
}  // namespace tw
