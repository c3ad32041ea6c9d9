// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/network.hpp"

namespace tw::sim {

// A burst goes on with probability 1 - 1/mean; the chance to begin one keeps the overall rate.
bool Dice::strikes(test::Random& random) {
    if (rate_.per_million == 0) {
        return false;
    }
    const std::uint32_t mean = rate_.burst_mean;
    if (in_burst_) {
        in_burst_ = random.below(mean) != 0;
        if (in_burst_) {
            return true;
        }
    }
    if (random.below(1'000'000) < rate_.per_million / mean) {
        in_burst_ = mean > 1;
        return true;
    }
    return false;
}

Nanos Link::arrival(Nanos now, Nanos late, test::Random& random) {
    const auto jitter =
        options_.jitter == 0
            ? Nanos{0}
            : static_cast<Nanos>(random.next() % static_cast<std::uint64_t>(options_.jitter));
    const Nanos alone = now + options_.delay + jitter;
    if (late != 0) {
        return alone + late;
    }
    last_ = std::max(last_ + options_.spacing, alone);
    return last_;
}

Nanos some_delay(Nanos most, test::Random& random) {
    const Nanos limit = std::max<Nanos>(most >> random.below(4), 2);
    return 1 + static_cast<Nanos>(random.next() % static_cast<std::uint64_t>(limit));
}

}  // namespace tw::sim
