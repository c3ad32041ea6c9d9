// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/campaign.hpp"

#include "simulation/in_threads.hpp"
#include "simulation/two_taps/world.hpp"

namespace tw::sim::two_taps {

Tally run_campaign(const CampaignOptions& options) {
    return in_threads(options.threads, options.first_seed, options.seeds, Tally(options.show_max),
                      [&](std::uint64_t seed, Tally& tally) {
                          const Plan plan = draw_plan(seed, options.profile, options.deed);
                          const Record record = run(plan);
                          Findings findings = monitor(plan, record);
                          const Ground ground(plan, record);
                          if (options.alter) {
                              options.alter(ground, findings);
                          }
                          tally.add(ground, findings, score(ground, findings));
                      });
}

}  // namespace tw::sim::two_taps
