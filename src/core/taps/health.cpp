// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/health.hpp"

#include <algorithm>
#include <numeric>

namespace tw::taps {
namespace {

void add_way(TapWay& sum, const TapWay& other) {
    if (other.packets != 0) {
        sum.first = sum.packets == 0 ? other.first : std::min(sum.first, other.first);
        sum.last = sum.packets == 0 ? other.last : std::max(sum.last, other.last);
    }
    sum.packets += other.packets;
    sum.copies += other.copies;
    sum.paired += other.paired;
    sum.missed_bytes += other.missed_bytes;
    sum.missed_packets += other.missed_packets;
}

}  // namespace

void TapHealth::pair(Way way, const Packet& entered, const Packet& left) {
    const std::size_t w = index(way);
    const Nanos transit = left.time - entered.time;
    ++taps[index(entry(way))][w].paired;
    ++taps[index(exit(way))][w].paired;
    // A box that answers for a host makes SYNs and ACKs that look like those of the host.
    if (entered.space() == 0 || entered.has(decode::tcp_flag::kSyn)) {
        return;
    }
    const bool is_first = compared(way) == 0;
    const int fall = int{entered.ttl} - int{left.ttl} - kTtlFallMin;
    constexpr int kOther = static_cast<int>(kTtlFalls) - 1;
    ++ttl_fall[w][static_cast<std::size_t>(fall < 0 || fall > kOther ? kOther : fall)];
    least_transit[w] = is_first ? transit : std::min(least_transit[w], transit);
    negative_transits[w] += transit < 0 ? 1U : 0U;
}

std::uint64_t TapHealth::compared(Way way) const {
    const auto& falls = ttl_fall[index(way)];
    return std::accumulate(falls.begin(), falls.end(), std::uint64_t{0});
}

Nanos TapHealth::skew() const {
    if (compared(Way::inward) == 0 || compared(Way::outward) == 0) {
        return std::max<Nanos>(0, -std::min(least_transit[0], least_transit[1]));
    }
    return std::max<Nanos>(0, -(least_transit[0] + least_transit[1]));
}

void TapHealth::add(const TapHealth& other) {
    for (std::size_t w = 0; w < kWays; ++w) {
        if (other.compared(static_cast<Way>(w)) != 0) {
            least_transit[w] = compared(static_cast<Way>(w)) == 0
                                   ? other.least_transit[w]
                                   : std::min(least_transit[w], other.least_transit[w]);
        }
        negative_transits[w] += other.negative_transits[w];
        for (std::size_t i = 0; i < kTtlFalls; ++i) {
            ttl_fall[w][i] += other.ttl_fall[w][i];
        }
    }
    for (std::size_t side = 0; side < kSides; ++side) {
        for (std::size_t w = 0; w < kWays; ++w) {
            add_way(taps[side][w], other.taps[side][w]);
        }
        conversations_at_one[side] += other.conversations_at_one[side];
    }
    conversations_at_both += other.conversations_at_both;
    checksum_unset += other.checksum_unset;
    untold_sides += other.untold_sides;
}

}  // namespace tw::taps
