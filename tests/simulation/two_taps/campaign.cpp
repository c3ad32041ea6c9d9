// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/campaign.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "simulation/two_taps/world.hpp"

namespace tw::sim::two_taps {

Tally run_campaign(const CampaignOptions& options) {
    const std::uint32_t threads = std::max(options.threads, 1U);
    std::vector<Tally> parts(threads, Tally(options.show_max));
    std::atomic<std::uint64_t> next = 0;
    const auto work = [&](Tally& tally) {
        for (std::uint64_t i = next++; i < options.seeds; i = next++) {
            const Plan plan = draw_plan(options.first_seed + i, options.profile, options.deed);
            const Record record = run(plan);
            Findings findings = monitor(plan, record);
            const Ground ground(plan, record);
            if (options.alter) {
                options.alter(ground, findings);
            }
            tally.add(ground, findings, score(ground, findings));
        }
    };
    {
        std::vector<std::jthread> workers;
        for (Tally& part : parts) {
            workers.emplace_back([&work, &part] { work(part); });
        }
    }
    Tally all(options.show_max);
    for (const Tally& part : parts) {
        all.add(part);
    }
    return all;
}

}  // namespace tw::sim::two_taps
