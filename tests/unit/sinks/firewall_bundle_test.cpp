// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_bundle.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

namespace {

using namespace tw;
using firewall::Report;
using sinks::cited_frames;
using sinks::FirewallBundle;
using taps::Side;

// One loss: frame 7 at the inside tap is cited, frame 8 surrounds it.
Report report_of_one_loss() {
    Report report;
    report.verdict = "one packet was lost";
    report.confidence.taps[0].source = "out.pcap";
    report.confidence.taps[1].source = "in.pcap";
    report.confidence.taps[1].drops_known = true;
    report.confidence.taps[1].dropped = 3;
    firewall::Finding finding;
    finding.id = 1;
    firewall::Evidence evidence;
    evidence.grade = taps::Grade::proven;
    evidence.sentence = "1,010 bytes entered and never left";
    evidence.fact.cites[0] = {
        .frame = 7, .time = 1, .tap = Side::inside, .part = taps::Part::subject};
    evidence.fact.cites[1] = {.frame = 0, .time = 1, .tap = Side::outside, .part = taps::Part::ack};
    evidence.fact.cites_count = 2;
    evidence.excerpt.count = 2;
    evidence.excerpt.packets[0].tap = Side::inside;
    evidence.excerpt.packets[0].frame = 7;
    evidence.excerpt.packets[1].tap = Side::inside;
    evidence.excerpt.packets[1].frame = 8;
    finding.evidence.push_back(evidence);
    report.findings.push_back(finding);
    return report;
}

std::string output_of(const std::string& command) {
    std::string text;
    std::array<char, 4096> part{};
    FILE* pipe = ::popen(command.c_str(), "r");
    while (pipe != nullptr && std::fgets(part.data(), part.size(), pipe) != nullptr) {
        text += part.data();
    }
    ::pclose(pipe);
    return text;
}

TEST(FirewallBundle, cites_each_frame_once_and_says_the_verdict_on_its_subject) {
    const auto frames = cited_frames(report_of_one_loss());
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0].frame, 7U);
    EXPECT_NE(frames[0].comment.find("1,010 bytes entered and never left"), std::string::npos);
    EXPECT_NE(frames[0].comment.find("proven"), std::string::npos);
    EXPECT_EQ(frames[1].frame, 8U);
    EXPECT_TRUE(frames[1].comment.empty());
}

TEST(FirewallBundle, is_read_back_by_tshark_and_has_the_digest_it_names) {
    const std::string path =
        testing::TempDir() + std::to_string(::getpid()) + "-firewall-bundle.pcapng";
    Report report = report_of_one_loss();
    FirewallBundle bundle;
    ASSERT_TRUE(bundle.open(path));
    bundle.begin(report);
    std::array<std::uint8_t, 61> bytes{};
    bytes[12] = 0x08;
    Frame frame{.data = bytes.data(), .captured_bytes = 61, .wire_bytes = 1500, .time = kSecond};
    bundle.add(Side::inside, frame, "why it matters");
    frame.time = 2 * kSecond + 5;
    bundle.add(Side::outside, frame, "");
    ASSERT_TRUE(bundle.finish(report));
    EXPECT_EQ(report.bundle_path, path);
    EXPECT_EQ(output_of("sha256sum " + path).substr(0, 64), report.bundle_sha256);
    EXPECT_EQ(output_of("tshark -r " + path +
                        " -T fields -e frame.interface_name -e frame.time_epoch -e frame.len "
                        "-e frame.cap_len -e frame.comment 2>/dev/null"),
              "inside\t1.000000000\t1500\t61\twhy it matters\n"
              "outside\t2.000000005\t1500\t61\t\n");
    EXPECT_NE(output_of("capinfos " + path + " 2>/dev/null").find("one packet was lost"),
              std::string::npos);
    ::unlink(path.c_str());
}

TEST(FirewallBundle, a_path_that_cannot_be_written_is_named) {
    FirewallBundle bundle;
    const auto opened = bundle.open("/nonexistent/x.pcapng");
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().text.find("/nonexistent/x.pcapng"), std::string::npos);
}

}  // namespace
