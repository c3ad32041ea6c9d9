// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/token_bucket.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/random.hpp"
#include "unit/firewall/story.hpp"

namespace tw::firewall {
namespace {

using tw::test::Random;

constexpr double kStep = 0.01;
constexpr double kPacket = 1500;
constexpr BucketBlur kBlur{kPacket, kStep};

// What a sender offers that halves its pace when it loses something, as TCP does.
struct Sender {
    explicit Sender(std::uint64_t seed, double start) : random(seed), pace(start) {}
    Random random;
    double pace;  // packets per step
    double carry = 0;

    int offer() {
        carry += pace * (0.5 + random.below(1000) / 1000.0);
        const int count = static_cast<int>(carry);
        carry -= count;
        return count;
    }
    void react(bool lost) { pace = lost ? std::max(0.2, pace * 0.7) : pace * 1.01 + 0.01; }
};

std::vector<BucketStep> policed(std::uint64_t seed, double rate, double burst, int steps) {
    Sender sender(seed, 4 * rate * kStep / kPacket);
    double tokens = burst;
    std::vector<BucketStep> line;
    for (int i = 0; i < steps; ++i) {
        tokens = std::min(burst, tokens + rate * kStep);
        BucketStep step{kStep, 0, 0};
        for (int k = sender.offer(); k > 0; --k) {
            if (tokens >= kPacket) {
                tokens -= kPacket;
                step.passed += kPacket;
            } else {
                step.dropped += 1;
            }
        }
        sender.react(step.dropped > 0);
        line.push_back(step);
    }
    return line;
}

TEST(TokenBucket, rate_and_burst_of_simulated_policers_are_found) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        Random random(seed);
        const double rate = 200'000.0 + random.below(5'000'000);
        const double burst = rate * (0.1 + random.below(100) / 100.0) + 20 * kPacket;
        const auto line = policed(seed, rate, burst, 3000);
        const BucketFit fit = fit_bucket(line, kBlur);
        ASSERT_TRUE(fit.fits) << "seed " << seed << " rate " << rate << " burst " << burst
                              << " chance " << fit.chance << " recall " << fit.recall;
        EXPECT_NEAR(fit.rate, rate, 0.05 * rate) << "seed " << seed;
        EXPECT_NEAR(fit.burst, burst, 0.15 * burst + 2 * kPacket) << "seed " << seed;
    }
}

TEST(TokenBucket, drops_at_random_fit_no_bucket) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        Random random(seed);
        Sender sender(seed, 20);
        std::vector<BucketStep> line;
        for (int i = 0; i < 3000; ++i) {
            BucketStep step{kStep, 0, 0};
            for (int k = sender.offer(); k > 0; --k) {
                if (random.chance(2)) {
                    step.dropped += 1;
                } else {
                    step.passed += kPacket;
                }
            }
            sender.react(step.dropped > 0);
            line.push_back(step);
        }
        EXPECT_FALSE(fit_bucket(line, kBlur).fits) << "seed " << seed;
    }
}

TEST(TokenBucket, an_outage_fits_no_bucket) {
    Random random(5);
    std::vector<BucketStep> line;
    for (int i = 0; i < 3000; ++i) {
        const double packets = 10 + random.below(10);
        const bool down = i > 1500 && i < 1600;
        line.push_back({kStep, down ? 0 : packets * kPacket, down ? packets : 0});
    }
    EXPECT_FALSE(fit_bucket(line, kBlur).fits);
}

TEST(TokenBucket, nothing_passed_or_nothing_dropped_fits_nothing) {
    EXPECT_FALSE(fit_bucket({}, kBlur).fits);
    EXPECT_FALSE(fit_bucket(std::vector<BucketStep>(100, {kStep, 0, 1}), kBlur).fits);
    EXPECT_FALSE(fit_bucket(std::vector<BucketStep>(100, {kStep, 3000, 0}), kBlur).fits);
}

// Bursts of 100 packets, of which all but `passes` are dropped, spells apart from each other.
std::vector<BucketStep> spells(int count, double passes_first, double passes) {
    std::vector<BucketStep> line{{1, 0, 0}, {1e-4, passes_first * kPacket, 20}};
    for (int i = 1; i < count; ++i) {
        line.push_back({0.1, 0, 0});
        line.push_back({1e-4, passes * kPacket, 20});
    }
    return line;
}

TEST(TokenBucket, few_spells_fit_by_chance_and_many_do_not) {
    constexpr BucketBlur kSharp{kPacket, 0.001};
    EXPECT_FALSE(fit_bucket(spells(2, 200, 20), kSharp).fits);
    EXPECT_GT(fit_bucket(spells(3, 200, 20), kSharp).chance, 1e-3);
    const BucketFit many = fit_bucket(spells(8, 200, 20), kSharp);
    EXPECT_TRUE(many.fits);
    EXPECT_LT(many.chance, 1e-3);
    EXPECT_NEAR(many.rate, 300'000, 3'000);
    EXPECT_LE(many.rate_low, many.rate);
    EXPECT_GE(many.rate_high, many.rate);
    EXPECT_NEAR(many.burst, 200 * kPacket, 2 * kPacket);
}

// The same bucket seen by the learner: passed packets in Passage, drops as cases.
void police(test::Story& story, double rate, double burst, Nanos delay_at_drops) {
    const auto line = policed(3, rate, burst, 2000);
    auto& one = story.conversation(0, 30 * kSecond);
    for (std::size_t i = 0; i < line.size(); ++i) {
        const Nanos at = static_cast<Nanos>(i) * taps::Passage::kSlotTime;
        const Nanos transit = line[i].dropped > 0 ? delay_at_drops : 100 * kMicrosecond;
        for (double passed = line[i].passed; passed > 0; passed -= kPacket) {
            story.pass(at, 1500, transit);
        }
        for (int k = 0; k < static_cast<int>(line[i].dropped); ++k) {
            auto& fact = story.drop(one, at);
            fact.packet.ip_bytes = 1500;
            fact.cost = 20 * kMillisecond;
            story.passage.lost(taps::Way::inward, fact.packet);
        }
    }
}

TEST(LearnRateLimit, a_policer_is_told_with_its_rate_and_burst) {
    test::Story story;
    police(story, 2'000'000, 400'000, 100 * kMicrosecond);
    const Lessons lessons = story.learn_by(learn_rate_limit);
    ASSERT_EQ(lessons.lessons.size(), 1U);
    EXPECT_EQ(lessons.lessons[0].behaviour, Behaviour::rate_limited);
    EXPECT_EQ(lessons.lessons[0].scope, "all traffic, inward");
    EXPECT_NEAR(*test::parameter(lessons, "policer_rate")->low, 2'000'000, 100'000);
    EXPECT_NEAR(*test::parameter(lessons, "policer_burst")->low, 400'000, 60'000);
    EXPECT_GT(lessons.lessons[0].explained.size(), story.cases.size() * 9 / 10);
}

TEST(LearnRateLimit, a_queue_that_holds_packets_before_it_drops_is_a_shaper) {
    test::Story story;
    police(story, 2'000'000, 400'000, 200 * kMillisecond);
    const Lessons lessons = story.learn_by(learn_rate_limit);
    ASSERT_EQ(lessons.lessons.size(), 1U);
    EXPECT_EQ(lessons.lessons[0].behaviour, Behaviour::shaped);
    EXPECT_NE(test::parameter(lessons, "shaper_rate"), nullptr);
}

TEST(LearnRateLimit, drops_without_a_bucket_are_left_alone) {
    test::Story story;
    Random random(9);
    auto& one = story.conversation(0, 30 * kSecond);
    for (int i = 0; i < 20'000; ++i) {
        const Nanos at = i * kMillisecond;
        if (random.chance(3)) {
            story.passage.lost(taps::Way::inward, story.drop(one, at).packet);
        } else {
            story.pass(at);
        }
    }
    EXPECT_TRUE(story.learn_by(learn_rate_limit).lessons.empty());
}

// Two servers: one policed, the other one passes as much as it likes. Only the sequence numbers of
// the drops tell how much the policed one sent.
TEST(LearnRateLimit, the_part_that_is_policed_is_found_within_the_whole) {
    test::Story story;
    const auto line = policed(4, 1'000'000, 300'000, 2000);
    auto& free = story.conversation(0, 20 * kSecond, test::host(6, 4000), test::host(81, 80, 2));
    free.ways[0].passed_bytes = 60'000'000;
    auto& held = story.conversation(0, 20 * kSecond, test::host(5, 4000), test::host(80, 443, 2));
    held.ways[0].isn_entered = 999;
    held.ways[0].isn_known = true;
    Random random(1);
    std::uint32_t seq = 1000;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const Nanos at = static_cast<Nanos>(i) * taps::Passage::kSlotTime;
        for (std::uint32_t k = random.below(50); k > 0; --k) {
            story.pass(at, 1500);
        }
        for (double passed = line[i].passed; passed > 0; passed -= kPacket) {
            story.pass(at, 1500);
            seq += 1500;
            held.ways[0].passed_bytes += 1500;
        }
        for (int k = 0; k < static_cast<int>(line[i].dropped); ++k) {
            auto& fact = story.drop(held, at);
            fact.packet.ip_bytes = 1500;
            fact.packet.seq = seq;
            fact.cost = 20 * kMillisecond;
            story.passage.lost(taps::Way::inward, fact.packet);
        }
    }
    const Lessons lessons = story.learn_by(learn_rate_limit);
    ASSERT_FALSE(lessons.lessons.empty());
    EXPECT_EQ(lessons.lessons[0].scope, "server 10.2.0.80:443, inward");
    EXPECT_NEAR(*test::parameter(lessons, "policer_rate")->low, 1'000'000, 100'000);
}

}  // namespace
}  // namespace tw::firewall
