// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_html.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "firewall_report_sample.hpp"
#include "sinks/firewall_html_parts.hpp"

namespace {

using namespace tw;
using namespace tw::test;
using testing::HasSubstr;
using testing::Not;

// True if every element is closed by its own end, and no attribute or text holds a stray bracket.
testing::AssertionResult is_balanced(const std::string& page) {
    constexpr std::string_view kVoid[] = {"meta", "link", "br", "!DOCTYPE"};
    std::vector<std::string> open;
    for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
        const std::size_t end = page.find('>', at);
        if (end == std::string::npos) {
            return testing::AssertionFailure() << "tag without end at " << at;
        }
        const std::string tag = page.substr(at + 1, end - at - 1);
        const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
        if (tag.find('<') != std::string::npos) {
            return testing::AssertionFailure() << "bracket within " << tag;
        }
        if (tag.starts_with('/')) {
            if (open.empty() || "/" + open.back() != tag) {
                return testing::AssertionFailure()
                       << tag << " closes " << (open.empty() ? "nothing" : open.back());
            }
            open.pop_back();
        } else if (!tag.ends_with('/') &&
                   std::find(std::begin(kVoid), std::end(kVoid), name) == std::end(kVoid)) {
            open.push_back(name);
        }
    }
    return open.empty() ? testing::AssertionSuccess()
                        : testing::AssertionFailure() << open.back() << " stays open";
}

std::size_t count(const std::string& text, std::string_view of) {
    std::size_t found = 0;
    for (std::size_t at = text.find(of); at != std::string::npos; at = text.find(of, at + 1)) {
        ++found;
    }
    return found;
}

TEST(FirewallHtml, every_element_is_closed) {
    EXPECT_TRUE(is_balanced(sinks::firewall_html(sample_report())));
    EXPECT_TRUE(is_balanced(sinks::firewall_html({})));
    EXPECT_FALSE(is_balanced("<p><b></p></b>"));
}

TEST(FirewallHtml, says_the_verdict_first_and_then_what_it_rests_on) {
    const std::string page = sinks::firewall_html(sample_report());
    std::size_t at = 0;
    for (const char* part :
         {"<h1>FAIL: 1 of 5 rules kept, 2 broken</h1>", "id=\"capture\"", "id=\"policy\"",
          "id=\"findings\"", "id=\"in-common\"", "id=\"learnt\"", "id=\"latency\"",
          "id=\"rewrites\"", "id=\"differences\"", "id=\"totals\"", "id=\"making\""}) {
        const std::size_t next = page.find(part, at);
        ASSERT_NE(next, std::string::npos) << part;
        at = next;
    }
}

TEST(FirewallHtml, names_every_rule_limit_and_finding) {
    const firewall::Report report = sample_report();
    const std::string page = sinks::firewall_html(report);
    for (const char* said : {"<strong>web</strong>",
                             "<strong>nobody came</strong>",
                             "<strong>default in</strong>",
                             "UNTESTED",
                             "INCONCLUSIVE",
                             "loss &lt;= 0.001 %: 1 % (1 of 100 packets)",
                             "1 packet entered and did not leave",
                             "id=\"finding-1\"",
                             "href=\"#finding-1\"",
                             "the drop counters of the firewall",
                             "frames: outside",
                             "not seen to leave",
                             "all drops are above 1400 bytes",
                             "between 3.00 s and 4.00 s",
                             "p99.9",
                             "TTL 64 becomes 63",
                             "the MSS is clamped now",
                             "taps.facts_dropped",
                             "tapwitness firewall --outside o.pcap",
                             "evidence.pcapng"}) {
        EXPECT_THAT(page, HasSubstr(said));
    }
    EXPECT_THAT(page, HasSubstr(report.bundle_sha256));
}

TEST(FirewallHtml, names_from_outside_stay_text) {
    const std::string page = sinks::firewall_html(sample_report());
    EXPECT_THAT(page, HasSubstr("a&lt;b&gt;&amp;&quot;&apos;"));
    EXPECT_THAT(page, Not(HasSubstr("a<b>")));
    for (const char c : page) {
        EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
    }
    firewall::Report report = sample_report();
    const std::string attack = "</title></style></script><script>alert(1)</script>";
    report.verdict = report.firewall = report.command = report.bundle_path = attack;
    report.findings[0].scope = report.findings[0].sentence = report.findings[0].advice = attack;
    report.findings[0].evidence[0].sentence = attack;
    report.confidence.taps[0].source = report.confidence.taps[0].zone = attack;
    report.policy[0].why = report.differences[0] = report.parameters[0].note = attack;
    EXPECT_THAT(sinks::firewall_html(report), Not(HasSubstr("<script")));
    EXPECT_TRUE(is_balanced(sinks::firewall_html(report)));
}

TEST(FirewallHtml, nothing_comes_from_outside) {
    const std::string page = sinks::firewall_html(sample_report());
    EXPECT_THAT(page, HasSubstr("default-src 'none'"));
    for (const char* forbidden : {"http:", "https:", "<script", "@import", "url(", "src=\""}) {
        EXPECT_THAT(page, Not(HasSubstr(forbidden)));
    }
}

TEST(FirewallHtml, an_empty_report_has_no_empty_sections) {
    const std::string page = sinks::firewall_html({});
    for (const char* section : {"policy", "in-common", "learnt", "latency", "rewrites"}) {
        EXPECT_THAT(page, Not(HasSubstr("id=\"" + std::string(section) + "\"")));
    }
    EXPECT_THAT(page, HasSubstr("none: all that entered left"));
}

TEST(FirewallHtml, its_size_is_bounded_and_what_is_left_out_is_counted) {
    firewall::Report report = sample_report();
    const firewall::Finding one = report.findings[0];
    report.findings.assign(sinks::kHtmlRowsMax + 12, one);
    report.policy.assign(sinks::kHtmlRowsMax + 7, report.policy[2]);
    const std::string page = sinks::firewall_html(report);
    EXPECT_EQ(count(page, "<article"), sinks::kHtmlRowsMax);
    EXPECT_EQ(count(page, "class=\"ladder\""), sinks::kHtmlLaddersMax);
    EXPECT_THAT(page, HasSubstr("and 12 more, in the JSON report"));
    EXPECT_THAT(page, HasSubstr("and 7 more, in the JSON report"));
    EXPECT_LT(page.size(), 4'000'000U);
}

}  // namespace
