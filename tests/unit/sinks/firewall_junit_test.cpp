// SPDX-License-Identifier: BSD-3-Clause
// What a CI server reads of a policy run; xmllint is the judge of what is XML.
#include "sinks/firewall_junit.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "firewall_report_sample.hpp"
#include "sinks/format/xml.hpp"

namespace {

using namespace tw;
using namespace tw::test;

class Junit : public testing::Test {
  protected:
    void SetUp() override {
        if (run("xmllint --version 2>&1").empty()) {
            GTEST_SKIP() << "xmllint is not installed: scripts/setup test";
        }
    }

    static std::string run(const std::string& command) {
        std::string text;
        FILE* pipe = popen(command.c_str(), "r");
        EXPECT_NE(pipe, nullptr);
        char piece[4096];
        for (std::size_t got = 1; pipe != nullptr && got != 0;) {
            got = std::fread(piece, 1, sizeof piece, pipe);
            text.append(piece, got);
        }
        return pipe != nullptr && pclose(pipe) == 0 ? text : std::string();
    }

    // The value of an XPath expression in the file that a report makes; fails if it is not XML.
    static std::string value(const firewall::Report& report, const std::string& expression) {
        const TempFile file("junit.xml");
        std::ofstream(file.path()) << sinks::firewall_junit(report);
        EXPECT_EQ(run("xmllint --noout '" + file.path() + "' 2>&1 && echo good"), "good\n");
        std::string text =
            run("xmllint --xpath \"" + expression + "\" '" + file.path() + "' 2>/dev/null");
        while (text.ends_with('\n')) {
            text.pop_back();
        }
        return text;
    }
};

TEST_F(Junit, counts_what_it_holds) {
    const firewall::Report report = sample_report();
    // Five rules, three limits, one check.
    EXPECT_EQ(value(report, "count(//testcase)"), "9");
    EXPECT_EQ(value(report, "string(/testsuites/@tests)"), "9");
    for (const char* suite : {"policy", "limits", "run"}) {
        const std::string at = std::string("//testsuite[@name='") + suite + "']";
        EXPECT_EQ(value(report, "string(" + at + "/@tests)"),
                  value(report, "count(" + at + "/testcase)"));
        for (const auto& [attribute, element] :
             {std::pair{"failures", "failure"}, {"errors", "error"}, {"skipped", "skipped"}}) {
            EXPECT_EQ(value(report, "string(" + at + "/@" + attribute + ")"),
                      value(report, "count(" + at + "//" + element + ")"))
                << suite << " " << attribute;
        }
    }
    EXPECT_EQ(value(report, "count(//failure)"), "4");
    EXPECT_EQ(value(report, "count(//error)"), "1");
    EXPECT_EQ(value(report, "count(//skipped)"), "3");
}

TEST_F(Junit, every_case_has_what_readers_ask_for) {
    const firewall::Report report = sample_report();
    EXPECT_EQ(value(report, "count(//testcase[@name and @classname and @time])"), "9");
    EXPECT_EQ(value(report, "count(//testsuite[@name and @time and @timestamp])"), "3");
    EXPECT_EQ(value(report, "count(//failure[@message and @type])"), "4");
    EXPECT_EQ(value(report, "string(//testcase[1]/@classname)"), "tapwitness.fw-dc1.policy");
    EXPECT_EQ(value(report, "string(//testsuite[1]/@timestamp)"), "2024-04-05T19:34:38");
}

TEST_F(Junit, a_failure_carries_its_first_evidence) {
    const firewall::Report report = sample_report();
    const std::string text = value(report, "string(//testcase[2]/failure)");
    EXPECT_NE(text.find("203.0.113.7:51234 -> 10.20.0.10:22 at 19:34:38"), std::string::npos);
    EXPECT_NE(text.find("1010 bytes entered at the inside and never left (frames: outside "
                        "19:34:39.000000Z; inside 12"),
              std::string::npos)
        << text;
    EXPECT_EQ(value(report, "string(//testcase[2]/failure/@type)"), "policy_leak");
    EXPECT_EQ(value(report, "string(//testcase[1]/failure/@type)"), "limits");
}

TEST_F(Junit, what_is_only_reported_breaks_no_build) {
    const firewall::Report report = sample_report();
    EXPECT_EQ(
        value(report, "string(//testcase[@name='known to leak']/skipped/@message)").substr(0, 20),
        "report-only, failed:");
}

TEST_F(Junit, names_from_outside_cannot_break_it) {
    EXPECT_EQ(value(sample_report(), "string(//testcase[2]/@name)"),
              "a<b>&\"'\xEF\xBF\xBD[31m\n\xEF\xBF\xBD]]> \xc3\xbc");
}

TEST_F(Junit, a_report_without_a_policy_is_an_empty_suite) {
    EXPECT_EQ(value({}, "count(//testcase)"), "0");
    EXPECT_EQ(value({}, "string(/testsuites/@tests)"), "0");
}

TEST(Xml, holds_every_byte_one_way_or_the_other) {
    for (const bool attribute : {false, true}) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string out;
            sinks::format::append_xml_escaped(out, std::string(1, static_cast<char>(byte)),
                                              attribute);
            EXPECT_FALSE(out.empty());
            EXPECT_EQ(out.find_first_of("<>\"'\r"), std::string::npos) << byte;
            EXPECT_EQ(attribute && out.find_first_of("\n\t") != std::string::npos, false);
        }
    }
}

TEST(Xml, characters_of_unicode_that_xml_lacks_are_replaced) {
    std::string out;
    sinks::format::append_xml_escaped(out, "\xEF\xBF\xBE\xEF\xBF\xBF\xF0\x9F\x98\x80\xC0\xAF",
                                      false);
    EXPECT_EQ(out, "\xEF\xBF\xBD\xEF\xBF\xBD\xF0\x9F\x98\x80\xEF\xBF\xBD\xEF\xBF\xBD");
}

}  // namespace
