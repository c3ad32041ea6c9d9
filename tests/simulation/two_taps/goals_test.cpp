// SPDX-License-Identifier: BSD-3-Clause
// The goals of what is said of a firewall, on a fixed part of the seeds and profile by profile.
// `scripts/truth firewall --seeds 10000` measures the whole.
#include <gtest/gtest.h>

#include <thread>
#include <utility>

#include "simulation/two_taps/campaign.hpp"
#include "simulation/two_taps/nat_load.hpp"

namespace tw::sim::two_taps {
namespace {

using taps::FactKind;
using taps::Grade;

// The world test uses the first seeds.
constexpr std::uint64_t kFirstSeed = 20'000;

CampaignOptions campaign(Profile profile, std::uint64_t seeds) {
    return {.first_seed = kFirstSeed,
            .seeds = seeds,
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

class TwoTapsGoals : public testing::TestWithParam<Profile> {};

TEST_P(TwoTapsGoals, are_met) {
    const Tally tally = run_campaign(campaign(GetParam(), 300));
    EXPECT_EQ(missed_by(tally), "") << tally.text();
}

INSTANTIATE_TEST_SUITE_P(Simulation, TwoTapsGoals,
                         testing::Values(Profile::clean, Profile::network),
                         [](const auto& one) { return std::string(name(one.param)); });

// The canary: were the product to blame the firewall for what the capture missed, or to overlook
// drops, a goal would be missed.
TEST(TwoTapsCanary, wrong_words_miss_a_goal) {
    CampaignOptions options = campaign(Profile::single_lossy, 60);
    options.alter = [](const Ground&, Findings& findings) {
        for (Claim& claim : findings.claims) {
            if (claim.fact.kind == FactKind::missed_at_exit) {
                claim.fact.kind = FactKind::lost_between;
                claim.grade = Grade::proven;
            }
        }
    };
    EXPECT_GT(run_campaign(options).proven_wrong(), 0U);
    options.alter = [](const Ground&, Findings& findings) {
        std::erase_if(findings.claims, [](const Claim& claim) {
            return claim.fact.kind == FactKind::lost_between && claim.fact.packet.frame % 10 == 0;
        });
    };
    EXPECT_NE(missed_by(run_campaign(options)).find("drops"), std::string::npos);
}

TEST(TwoTapsNat, translated_connections_are_paired_and_none_wrongly) {
    const NatTally tally = run_nat_load({.connections = 20'000});
    EXPECT_TRUE(tally.goals_met()) << tally.text();
}

}  // namespace
}  // namespace tw::sim::two_taps
