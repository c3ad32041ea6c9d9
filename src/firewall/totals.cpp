// SPDX-License-Identifier: BSD-3-Clause
#include "firewall/totals.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <vector>

namespace tw::firewall {
namespace {

// What is of the connections one by one (their options, numbers, scales) has no sum.
void add_counts(taps::WayCounts& sum, const taps::WayCounts& way) {
    sum.entered += way.entered;
    sum.entered_bytes += way.entered_bytes;
    sum.passed += way.passed;
    sum.passed_bytes += way.passed_bytes;
    sum.lost += way.lost;
    sum.missed_at_exit += way.missed_at_exit;
    sum.missed_at_entry += way.missed_at_entry;
    sum.unproven += way.unproven;
    sum.pure_acks_lost += way.pure_acks_lost;
    sum.lost_before += way.lost_before;
    sum.lost_beyond += way.lost_beyond;
    sum.syns_entered += way.syns_entered;
    sum.syns_left += way.syns_left;
    sum.fins_entered += way.fins_entered;
    sum.fins_left += way.fins_left;
    sum.resets_entered += way.resets_entered;
    sum.resets_left += way.resets_left;
}

}  // namespace

std::uint64_t most_at_once(std::span<const taps::Conversation> conversations) {
    std::priority_queue<Nanos, std::vector<Nanos>, std::greater<>> open;  // by their last packet
    std::size_t most = 0;
    for (const taps::Conversation& one : conversations) {
        while (!open.empty() && open.top() < one.first) {
            open.pop();
        }
        open.push(one.last);
        most = std::max(most, open.size());
    }
    return most;
}

Totals totals_of(std::span<const taps::Conversation> conversations) {
    Totals totals;
    totals.conversations = conversations.size();
    for (const taps::Conversation& one : conversations) {
        const bool paired = one.pairing != taps::Pairing::unpaired;
        totals.paired += paired ? 1U : 0U;
        totals.translated += paired && one.translated ? 1U : 0U;
        totals.ambiguous += one.ambiguous ? 1U : 0U;
        ++totals.pairings[static_cast<std::size_t>(one.pairing)];
        ++totals.outcomes[static_cast<std::size_t>(one.outcome)];
        ++totals.endings[static_cast<std::size_t>(one.ending)];
        for (std::size_t way = 0; way < taps::kWays; ++way) {
            add_counts(totals.ways[way], one.ways[way]);
            totals.lost_outside += one.ways[way].lost_before + one.ways[way].lost_beyond;
        }
    }
    totals.concurrent_max = most_at_once(conversations);
    return totals;
}

}  // namespace tw::firewall
