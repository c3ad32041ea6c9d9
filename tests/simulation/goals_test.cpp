// SPDX-License-Identifier: BSD-3-Clause
// The goals of verdicts on a fixed part of the seeds: kind by kind, where a kind alone meets what
// is asked of all of them together, and mixed. `scripts/truth sim --seeds 10000` measures the
// whole.
#include <gtest/gtest.h>

#include <thread>
#include <utility>

#include "simulation/campaign.hpp"

namespace tw::sim {
namespace {

using event::Event;
using event::Verdict;

// The scorer test uses the first seeds.
constexpr std::uint64_t kFirstSeed = 5000;
constexpr std::uint64_t kSeeds = 400;

CampaignOptions campaign(Profile profile) {
    return {.first_seed = kFirstSeed,
            .seeds = kSeeds,
            .profile = profile,
            .threads = std::max(std::thread::hardware_concurrency(), 1U)};
}

std::string missed_by(const Tally& tally) {
    std::string text;
    for (const std::string& goal : tally.goals_missed()) {
        text += goal + "\n";
    }
    return text;
}

class Goals : public testing::TestWithParam<Profile> {};

TEST_P(Goals, are_met) {
    const Tally tally = run_campaign(campaign(GetParam()));
    EXPECT_EQ(tally.simulations(), kSeeds);
    EXPECT_EQ(missed_by(tally), "") << tally.text();
}

INSTANTIATE_TEST_SUITE_P(Simulation, Goals,
                         testing::Values(Profile::none, Profile::loss_before,
                                         Profile::reorder_after, Profile::mirror_loss,
                                         Profile::mirror_duplicate, Profile::mirror_skew,
                                         Profile::monitor_loss, Profile::silent,
                                         Profile::overshoot),
                         [](const auto& one) { return std::string(name(one.param)); });

// Rates, over the usual mixture of profiles.
TEST(GoalsTogether, rates_hold_over_every_profile) {
    const Tally tally =
        run_campaign({.first_seed = kFirstSeed,
                      .seeds = 3000,
                      .threads = std::max(std::thread::hardware_concurrency(), 1U)});
    EXPECT_TRUE(tally.reaches(Class::single_timed)) << tally.text();
    EXPECT_TRUE(tally.reaches(Class::single_plain)) << tally.text();
    EXPECT_TRUE(tally.reaches(Class::mixed_low)) << tally.text();
}

// The canary: were the product to say the one where it means the other, it would be noticed.
TEST(GoalsCanary, swapped_verdicts_miss_a_goal) {
    const std::pair<Profile, std::pair<Verdict, Verdict>> rows[] = {
        {Profile::loss_before, {Verdict::lost_before_tap, Verdict::lost_after_tap}},
        {Profile::mirror_loss, {Verdict::missed_by_capture, Verdict::never_recovered}},
        {Profile::reorder_before, {Verdict::reordered_before_tap, Verdict::lost_before_tap}},
        {Profile::mirror_duplicate,
         {Verdict::duplicated_by_mirror, Verdict::spurious_retransmission}},
    };
    for (const auto& [profile, pair] : rows) {
        CampaignOptions options = campaign(profile);
        options.alter = [pair = pair](const Ground&, Findings& findings) {
            for (Event& event : findings.events) {
                Verdict& said = event.finding.verdict;
                said = said == pair.first ? pair.second : said == pair.second ? pair.first : said;
            }
        };
        EXPECT_NE(missed_by(run_campaign(options)), "") << name(profile);
    }
}

}  // namespace
}  // namespace tw::sim
