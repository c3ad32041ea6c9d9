// SPDX-License-Identifier: BSD-3-Clause
// The scorer can be satisfied, and only by the truth: a judge that says it meets every goal, each
// way of being wrong misses one.
#include <gtest/gtest.h>

#include "simulation/campaign.hpp"
#include "simulation/located.hpp"

namespace tw::sim {
namespace {

using event::Confidence;
using event::Event;
using event::EventType;
using event::Verdict;

Event judged(const Event& event, const Expectation& expected) {
    Event out = event;
    out.finding = {};
    // Nobody can say so of bytes that no ACK ever covered.
    out.finding.verdict = expected.double_fault ? Verdict::unknown : expected.truth;
    out.finding.confidence = expected.also.empty() ? Confidence::proven : Confidence::probable;
    return out;
}

void narrow(Event& event, const Located& located, Span part) {
    event.seq_begin += static_cast<std::uint32_t>(part.begin - located.span.begin);
    event.seq_end = event.seq_begin + static_cast<std::uint32_t>(part.length());
}

// A judge that knows the truth, and makes one event of each part with a truth of its own.
void tell_the_truth(const Ground& ground, Findings& findings) {
    std::vector<Event> told;
    for (const Event& event : findings.events) {
        const auto located = locate(ground, event);
        ASSERT_TRUE(located);
        if (event.type == EventType::hole) {
            const auto opener = static_cast<std::uint32_t>(event.subject[0].frame);
            for (const Span part : ground.parts(located->way, located->span)) {
                told.push_back(judged(event, expect_hole(ground, located->way, part, opener)));
                narrow(told.back(), *located, part);
            }
            continue;
        }
        for (const auto& [frame, part] : repeated_parts(ground, event, *located)) {
            told.push_back(judged(event, expect_repeat(ground, located->way, part, frame)));
            narrow(told.back(), *located, part);
            told.back().subjects_count = 1;
            told.back().subject[0].frame = frame.number;
        }
    }
    findings.events = std::move(told);
}

CampaignOptions campaign(Profile profile, std::function<void(const Ground&, Findings&)> alter) {
    return {
        .first_seed = 1, .seeds = 120, .profile = profile, .threads = 2, .alter = std::move(alter)};
}

std::string all_of(const std::vector<std::string>& sentences) {
    std::string text;
    for (const std::string& sentence : sentences) {
        text += sentence + "\n";
    }
    return text;
}

TEST(Scorer, the_truth_meets_every_goal) {
    for (const Profile profile :
         {Profile::loss_before, Profile::loss_after, Profile::reorder_before,
          Profile::reorder_after, Profile::mirror_loss, Profile::mirror_duplicate,
          Profile::duplicate_before, Profile::duplicate_after, Profile::silent,
          Profile::overshoot}) {
        const Tally tally = run_campaign(campaign(profile, tell_the_truth));
        EXPECT_EQ(all_of(tally.goals_missed()), "") << name(profile) << "\n" << tally.text();
    }
}

// Each swaps two answers, or claims too much.
TEST(Scorer, a_wrong_judge_misses_a_goal) {
    const auto swapped = [](Verdict one, Verdict other) {
        return [=](const Ground& ground, Findings& findings) {
            tell_the_truth(ground, findings);
            for (Event& event : findings.events) {
                Verdict& verdict = event.finding.verdict;
                verdict = verdict == one ? other : verdict == other ? one : verdict;
            }
        };
    };
    const auto misses = [](Profile profile, auto alter) {
        return !run_campaign(campaign(profile, alter)).goals_missed().empty();
    };
    EXPECT_TRUE(misses(Profile::loss_before,
                       swapped(Verdict::lost_before_tap, Verdict::reordered_before_tap)));
    EXPECT_TRUE(misses(Profile::loss_after,
                       swapped(Verdict::lost_after_tap, Verdict::spurious_retransmission)));
    EXPECT_TRUE(misses(Profile::mirror_loss,
                       swapped(Verdict::missed_by_capture, Verdict::lost_before_tap)));
    EXPECT_TRUE(misses(Profile::mirror_duplicate,
                       swapped(Verdict::duplicated_by_mirror, Verdict::duplicated_in_network)));
    EXPECT_TRUE(misses(Profile::duplicate_before, [](const Ground& ground, Findings& findings) {
        tell_the_truth(ground, findings);
        for (Event& event : findings.events) {
            event.finding.confidence = Confidence::proven;  // also where nobody can know
        }
    }));
    EXPECT_TRUE(misses(Profile::loss_after, [](const Ground& ground, Findings& findings) {
        tell_the_truth(ground, findings);
        findings.events.clear();
    }));
    EXPECT_TRUE(misses(Profile::monitor_loss, [](const Ground&, Findings& findings) {
        for (Event& event : findings.events) {
            event.finding.verdict = Verdict::lost_before_tap;
        }
    }));
}

}  // namespace
}  // namespace tw::sim
