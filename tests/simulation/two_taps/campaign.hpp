// SPDX-License-Identifier: BSD-3-Clause
// Many simulations between two taps on all cores, scored.
#pragma once

#include <functional>
#include <optional>

#include "simulation/two_taps/tally.hpp"

namespace tw::sim::two_taps {

struct CampaignOptions {
    std::uint64_t first_seed = 1;
    std::uint64_t seeds = 1000;
    std::optional<Profile> profile{};
    std::optional<Deed> deed{};
    std::size_t show_max = 3;
    std::uint32_t threads = 1;
    // Alters what the product said before it is scored: a campaign must notice.
    std::function<void(const Ground&, Findings&)> alter{};
};

[[nodiscard]] Tally run_campaign(const CampaignOptions& options);

}  // namespace tw::sim::two_taps
