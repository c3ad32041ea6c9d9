// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_junit.hpp"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "sinks/firewall_words.hpp"
#include "sinks/format/human.hpp"
#include "sinks/format/xml.hpp"

namespace tw::sinks {
namespace {

using firewall::PolicyRow;
using firewall::Report;
using firewall::RowResult;

struct TestCase {
    std::string name;
    RowResult result = RowResult::pass;
    bool report_only = false;
    std::string_view type;  // of a failure: what report.fail_on calls it
    std::string message;
    std::string text;
};

struct Suite {
    std::string_view name;
    std::vector<TestCase> cases;
};

[[nodiscard]] std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

[[nodiscard]] Suite policy_suite(const Report& report) {
    Suite suite{"policy", {}};
    for (const PolicyRow& row : report.policy) {
        const std::string_view broken = row.against == 0            ? "limits"
                                        : row.expectation == "pass" ? "policy_block"
                                                                    : "policy_leak";
        suite.cases.push_back({row.name, row.result, row.report_only, broken,
                               fmt::format("expected: {}; {}", row.expectation, row.why),
                               joined(first_evidence(report, row))});
    }
    return suite;
}

[[nodiscard]] Suite limits_suite(const Report& report) {
    Suite suite{"limits", {}};
    for (const PolicyRow& row : report.policy) {
        for (const firewall::LimitRow& limit : row.limits) {
            const std::string measured =
                limit.measured.empty() ? "" : fmt::format("measured: {}", limit.measured);
            suite.cases.push_back(
                {fmt::format("{}: {} {}", row.name, limit.name, limit.expected), limit.result,
                 row.report_only, "limits",
                 fmt::format("{}{}{}", measured, measured.empty() || limit.why.empty() ? "" : "; ",
                             limit.why),
                 ""});
        }
    }
    return suite;
}

[[nodiscard]] Suite run_suite(const Report& report) {
    Suite suite{"run", {}};
    for (const firewall::CheckRow& check : report.checks) {
        suite.cases.push_back({check.name, check.result, false, check.name, check.why, ""});
    }
    return suite;
}

class Xml {
  public:
    void raw(std::string_view text) { out_ += text; }
    void attribute(std::string_view name, std::string_view value) {
        out_ += fmt::format(" {}=\"", name);
        format::append_xml_escaped(out_, value, true);
        out_ += '"';
    }
    void content(std::string_view text) { format::append_xml_escaped(out_, text, false); }
    [[nodiscard]] std::string take() { return std::move(out_); }

  private:
    std::string out_;
};

// A rule that is only to be reported must not break the build.
[[nodiscard]] bool counts(const TestCase& test, RowResult result) {
    return test.result == result && !test.report_only;
}

[[nodiscard]] bool skipped(const TestCase& test) {
    return test.result == RowResult::untested ||
           (test.report_only && test.result != RowResult::pass);
}

void write_case(Xml& xml, const Report& report, std::string_view suite, const TestCase& test) {
    xml.raw("    <testcase");
    xml.attribute("name", test.name);
    xml.attribute("classname",
                  fmt::format("tapwitness.{}.{}",
                              report.firewall.empty() ? "firewall" : report.firewall, suite));
    xml.attribute("time", "0");
    if (test.result == RowResult::pass) {
        xml.raw("/>\n");
        return;
    }
    xml.raw(">\n      <");
    const std::string_view element = skipped(test)                    ? "skipped"
                                     : test.result == RowResult::fail ? "failure"
                                                                      : "error";
    xml.raw(element);
    xml.attribute("message", test.report_only && test.result == RowResult::fail
                                 ? fmt::format("report-only, failed: {}", test.message)
                                 : test.message);
    if (element != "skipped") {
        xml.attribute("type", test.result == RowResult::fail ? test.type : "inconclusive");
    }
    xml.raw(">");
    xml.content(test.text);
    xml.raw(fmt::format("</{}>\n    </testcase>\n", element));
}

struct Sums {
    std::size_t tests = 0;
    std::size_t failures = 0;
    std::size_t errors = 0;
    std::size_t skipped = 0;
};

[[nodiscard]] Sums sums_of(const std::vector<Suite>& suites) {
    Sums sums;
    for (const Suite& suite : suites) {
        for (const TestCase& test : suite.cases) {
            ++sums.tests;
            sums.failures += counts(test, RowResult::fail) ? 1U : 0U;
            sums.errors += counts(test, RowResult::inconclusive) ? 1U : 0U;
            sums.skipped += skipped(test) ? 1U : 0U;
        }
    }
    return sums;
}

void write_sums(Xml& xml, const Sums& sums, bool with_skipped) {
    xml.attribute("tests", fmt::format("{}", sums.tests));
    xml.attribute("failures", fmt::format("{}", sums.failures));
    xml.attribute("errors", fmt::format("{}", sums.errors));
    if (with_skipped) {
        xml.attribute("skipped", fmt::format("{}", sums.skipped));
    }
}

// "2024-04-05T19:34:38" in UTC, as the schema of JUnit asks for.
[[nodiscard]] std::string timestamp(Nanos time) {
    std::string text = format::date_text(time).substr(0, 19);
    if (text.size() == 19) {
        text[10] = 'T';
    }
    return text;
}

void write_suite(Xml& xml, const Report& report, const Suite& suite) {
    xml.raw("  <testsuite");
    xml.attribute("name", suite.name);
    write_sums(xml, sums_of({suite}), true);
    xml.attribute(
        "time", fmt::format("{:.3f}",
                            static_cast<double>(format::elapsed(report.first, report.last)) / 1e9));
    xml.attribute("timestamp", timestamp(report.first));
    xml.raw(">\n    <properties>\n");
    for (const auto& [name, value] :
         {std::pair{"firewall", &report.firewall}, std::pair{"verdict", &report.verdict},
          std::pair{"version", &report.version}, std::pair{"command", &report.command}}) {
        xml.raw("      <property");
        xml.attribute("name", name);
        xml.attribute("value", *value);
        xml.raw("/>\n");
    }
    xml.raw("    </properties>\n");
    for (const TestCase& test : suite.cases) {
        write_case(xml, report, suite.name, test);
    }
    xml.raw("  </testsuite>\n");
}

}  // namespace

std::string firewall_junit(const Report& report) {
    const std::vector<Suite> suites{policy_suite(report), limits_suite(report), run_suite(report)};
    Xml xml;
    xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    xml.attribute("name", fmt::format("tapwitness firewall{}{}", report.firewall.empty() ? "" : " ",
                                      report.firewall));
    write_sums(xml, sums_of(suites), false);
    xml.attribute(
        "time", fmt::format("{:.3f}",
                            static_cast<double>(format::elapsed(report.first, report.last)) / 1e9));
    xml.raw(">\n");
    for (const Suite& suite : suites) {
        if (!suite.cases.empty()) {
            write_suite(xml, report, suite);
        }
    }
    xml.raw("</testsuites>\n");
    return xml.take();
}

}  // namespace tw::sinks
