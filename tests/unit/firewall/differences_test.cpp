// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/differences.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall/rewrites.hpp"
#include "unit/firewall/story.hpp"

namespace tw::firewall {
namespace {

using taps::Rewrite;
using taps::Way;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RewriteRow row_of(Rewrite rewrite, std::uint64_t changed, std::uint64_t of, std::uint32_t before,
                  std::uint32_t after) {
    RewriteRow row;
    row.rewrite = rewrite;
    row.count.changed = changed;
    row.count.of = of;
    row.count.before = before;
    row.count.after = after;
    row.count.same_values = changed;
    row.sentence = std::string(taps::name(rewrite)) + " now";
    return row;
}

EarlierReport::Rewrite old_of(Rewrite rewrite, std::uint64_t changed, std::uint64_t of,
                              std::uint32_t before, std::uint32_t after) {
    return {.way = "inward",
            .rewrite = std::string(taps::name(rewrite)),
            .of = of,
            .changed = changed,
            .before = before,
            .after = after,
            .same_values = changed,
            .sentence = std::string(taps::name(rewrite)) + " then"};
}

TEST(Differences, equal_reports_have_none) {
    Report now;
    now.rewrites = {row_of(Rewrite::ttl, 100, 100, 64, 63)};
    now.parameters = {{.name = "mtu", .scope = "all", .value = "1400", .low = 1400, .high = 1400}};
    EarlierReport earlier;
    // Other hosts have other TTLs; the fall is the same.
    earlier.rewrites = {old_of(Rewrite::ttl, 90, 90, 128, 127)};
    earlier.parameters = {
        {.name = "mtu", .scope = "all", .value = "1380", .low = 1380, .high = 1420}};
    EXPECT_THAT(differences(earlier, now), IsEmpty());
}

TEST(Differences, a_rewrite_that_is_new_gone_or_changed_is_told) {
    Report now;
    now.rewrites = {row_of(Rewrite::timestamps_removed, 10, 10, 0, 0),
                    row_of(Rewrite::mss, 20, 20, 1460, 1200),
                    row_of(Rewrite::ect_cleared, 10, 100, 2, 0)};
    EarlierReport earlier;
    earlier.rewrites = {old_of(Rewrite::mss, 20, 20, 1460, 1360),
                        old_of(Rewrite::ect_cleared, 100, 100, 2, 0),
                        old_of(Rewrite::isn, 5, 5, 1, 2)};
    EXPECT_THAT(
        differences(earlier, now),
        ElementsAre("new: timestamps_removed now", "mss, inward: 1460 -> 1200, 1460 -> 1360 before",
                    "ect cleared, inward: 10.0 % of the packets, 100 % before",
                    "not any more: isn then"));
}

TEST(Differences, brackets_that_do_not_overlap_differ) {
    Report now;
    now.parameters = {{.name = "idle_timeout",
                       .scope = "all traffic",
                       .value = "between 60 s and 61 s",
                       .low = 60,
                       .high = 61}};
    EarlierReport earlier;
    earlier.parameters = {{.name = "idle_timeout",
                           .scope = "all traffic",
                           .value = "between 3 s and 4 s",
                           .low = 3,
                           .high = 4}};
    EXPECT_THAT(
        differences(earlier, now),
        ElementsAre(
            "idle timeout (all traffic) is between 60 s and 61 s, was between 3 s and 4 s"));
}

TEST(Differences, findings_come_and_go) {
    Report now;
    now.findings.resize(1);
    now.findings[0].behaviour = Behaviour::duplicated;
    now.findings[0].scope = "all traffic";
    now.findings[0].sentence = "3 packets";
    EarlierReport earlier;
    earlier.findings = {{.behaviour = "reordered", .scope = "all traffic", .sentence = "5 late"}};
    EXPECT_THAT(differences(earlier, now), ElementsAre("new finding (all traffic): 3 packets",
                                                       "not found any more (all traffic): 5 late"));
}

TEST(Differences, latency_that_grew_by_half_is_told_and_the_grain_of_clocks_is_not) {
    Report now;
    now.latencies.resize(1);
    for (int i = 0; i < 100; ++i) {
        now.latencies[0].histogram.add(kMillisecond);
    }
    EarlierReport earlier;
    earlier.latencies = {{.way = "inward", .setup = false, .p50 = 0.0005, .p99 = 0.00099}};
    const auto list = differences(earlier, now);
    ASSERT_EQ(list.size(), 1U);
    EXPECT_THAT(list[0], HasSubstr("p50 of data latency, inward, is 1.00 ms, was 500 us"));
}

TEST(Rewrites, routing_by_one_is_expected_of_a_router_and_not_of_a_bridge) {
    for (const Mode mode : {Mode::routed, Mode::transparent}) {
        test::Story story;
        story.policy.mode = mode;
        taps::Packet in;
        in.ttl = 64;
        taps::Packet out = in;
        out.ttl = 63;
        story.passage.passed({.entered = in, .left = out}, taps::bit(Rewrite::ttl));
        const Lessons lessons = story.learn_by(list_rewrites);
        ASSERT_EQ(lessons.rewrites.size(), 1U);
        EXPECT_EQ(lessons.rewrites[0].expected, mode == Mode::routed);
        EXPECT_EQ(lessons.rewrites[0].sentence, "TTL changes (64 -> 63) in 1 of 1 packet, inward");
    }
}

TEST(Rewrites, what_the_policy_allows_is_expected) {
    test::Story story;
    story.policy.expect_rewrites = taps::bit(Rewrite::mss);
    taps::Packet in;
    in.flags = decode::tcp_flag::kSyn;
    in.options = taps::option_bit::kMss | taps::option_bit::kSackPermitted;
    in.mss = 1460;
    taps::Packet out = in;
    out.mss = 1200;
    story.passage.passed({.entered = in, .left = out},
                         taps::bit(Rewrite::mss) | taps::bit(Rewrite::sack_permitted_removed));
    const Lessons lessons = story.learn_by(list_rewrites);
    ASSERT_EQ(lessons.rewrites.size(), 2U);
    EXPECT_TRUE(lessons.rewrites[0].expected);
    EXPECT_FALSE(lessons.rewrites[1].expected);
    EXPECT_EQ(lessons.rewrites[1].sentence, "SACK is taken off in 1 of 1 SYN with it, inward");
}

}  // namespace
}  // namespace tw::firewall
