// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "firewall_report_sample.hpp"

namespace {

using namespace tw;
using namespace tw::test;
using testing::HasSubstr;
using testing::Not;

TEST(FirewallText, says_the_verdict_first_and_then_what_it_rests_on) {
    const std::string text = sinks::firewall_text(sample_report(), {});
    EXPECT_TRUE(
        text.starts_with("FAIL: 1 of 5 rules kept, 2 broken\n  - rule \"x\" expects drop\n"));
    std::size_t at = 0;
    for (const char* section :
         {"\nCapture\n", "\nPolicy\n", "\nFindings\n", "\nWhat the drops have in common\n",
          "\nLearnt of the firewall\n", "\nLatency between the taps\n", "\nRewritten on the way\n",
          "\nSince the report compared with\n", "\nLimits reached", "\nEvidence\n"}) {
        const std::size_t next = text.find(section, at);
        EXPECT_NE(next, std::string::npos) << section << "\n" << text;
        at = next == std::string::npos ? at : next;
    }
}

TEST(FirewallText, names_the_packets_of_a_broken_rule_and_of_a_finding) {
    const std::string text = sinks::firewall_text(sample_report(), {});
    EXPECT_THAT(text, HasSubstr("203.0.113.7:51234 -> 10.20.0.10:22 at 19:34:38.000000Z: "
                                "established (first frames: outside 31; inside 32)"));
    EXPECT_THAT(text, HasSubstr("1010 bytes entered at the inside and never left\n"));
    EXPECT_THAT(text, HasSubstr("seq 0 len 1010 ack 0 --| 12\n"));
    EXPECT_THAT(text, HasSubstr("^ not seen to leave\n"));
    EXPECT_THAT(text, HasSubstr("see finding 1"));
    EXPECT_THAT(text, HasSubstr("look at: the drop counters"));
    EXPECT_THAT(text, HasSubstr("FAIL         loss <= 0.001 %: 1 % (1 of 100 packets)"));
    EXPECT_THAT(text, HasSubstr("missed 1.25 %"));
}

TEST(FirewallText, keeps_to_the_width_of_the_terminal) {
    for (const std::size_t width : {80U, 100U}) {
        std::istringstream text(sinks::firewall_text(sample_report(), {.width = width}));
        for (std::string line; std::getline(text, line);) {
            // A digest to compare is not broken; U+FFFD and ü are more bytes than columns.
            EXPECT_LE(line.size(), line.contains("SHA-256") ? 80 : width + 4) << line;
        }
    }
}

TEST(FirewallText, colour_is_there_only_if_asked_for) {
    EXPECT_THAT(sinks::firewall_text(sample_report(), {}), Not(HasSubstr("\033")));
    EXPECT_THAT(sinks::firewall_text(sample_report(), {.colour = true}), HasSubstr("\033[1;31m"));
}

TEST(FirewallText, names_from_outside_cannot_drive_the_terminal) {
    for (const char c : sinks::firewall_text(sample_report(), {})) {
        EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
    }
}

TEST(FirewallText, an_empty_report_has_no_empty_sections) {
    const std::string text = sinks::firewall_text({}, {});
    EXPECT_THAT(text, Not(HasSubstr("Policy")));
    EXPECT_THAT(text, Not(HasSubstr("Latency")));
    EXPECT_THAT(text, HasSubstr("none: all that entered left"));
}

}  // namespace
