// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/excerpts.hpp"

#include <algorithm>

namespace tw::firewall {

void Excerpts::add(const taps::Excerpt& excerpt, std::optional<Behaviour> behaviour) {
    const std::size_t at = behaviour ? static_cast<std::size_t>(*behaviour) : kBehaviours;
    const std::uint32_t share =
        std::max(1U, excerpts_max_ / (behaviour ? kBehaviourShare : kOtherShare));
    if (counts_[at] >= share || kept_.size() >= excerpts_max_) {
        dropped_ += behaviour ? 1U : 0U;
        return;
    }
    if (kept_.try_emplace(excerpt.fact, excerpt).second) {
        ++counts_[at];
    }
}

const taps::Excerpt* Excerpts::of(std::uint64_t fact) const {
    const auto found = kept_.find(fact);
    return found == kept_.end() ? nullptr : &found->second;
}

}  // namespace tw::firewall
