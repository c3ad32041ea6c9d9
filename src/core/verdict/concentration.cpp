// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/concentration.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace tw::verdict {
namespace {

constexpr std::uint64_t kLossesMin = 20;
constexpr std::uint64_t kPerCentMin = 80;
constexpr std::uint64_t kShareMax = 400;  // of the bytes, per mille
constexpr std::uint64_t kPrefixHostsMin = 3;
constexpr std::uint64_t kWorstHostPerCent = 50;
// A host alone on a tap proves nothing.
constexpr std::uint64_t kConnectionsMin = 2;

std::uint8_t prefix_bits(const flow::Endpoint& host) {
    return host.v6 ? 64 : 24;
}

bool same_prefix(const HostSum& a, const HostSum& b) {
    return a.tap == b.tap && a.host.v6 == b.host.v6 &&
           std::memcmp(a.host.address.data(), b.host.address.data(), prefix_bits(a.host) / 8U) == 0;
}

// All losses of the run; each is on one side of the tap, so with one host.
struct All {
    std::uint64_t losses;
    std::uint64_t bytes;
};

Pattern pattern_of(PatternId id, const HostSum& sum, const All& all) {
    Pattern pattern;
    pattern.id = id;
    pattern.tap = sum.tap;
    pattern.subject = sum.host;
    pattern.matching = sum.stretch.episodes;
    pattern.of = all.losses;
    pattern.connections = sum.connections;
    pattern.bytes = sum.stretch.bytes_lost;
    pattern.share = static_cast<std::uint32_t>(sum.stretch.bytes_offered * 1000 / all.bytes);
    return pattern;
}

bool stands_out(const Pattern& pattern) {
    return pattern.matching >= kLossesMin && pattern.matching * 100 >= pattern.of * kPerCentMin &&
           pattern.share <= kShareMax && pattern.connections >= kConnectionsMin;
}

void look_for_prefix(const PathSums& paths, const HostSum& worst, const All& all,
                     PatternList& found) {
    HostSum sum;
    sum.tap = worst.tap;
    sum.host = worst.host;
    std::fill(sum.host.address.begin() + prefix_bits(worst.host) / 8,
              sum.host.address.begin() + (worst.host.v6 ? 16 : 4), std::uint8_t{0});
    std::uint64_t hosts = 0;
    for (const HostSum& host : paths.hosts()) {
        if (same_prefix(host, worst)) {
            sum.stretch.add(host.stretch);
            sum.connections += host.connections;
            hosts += host.stretch.episodes != 0 ? 1 : 0;
        }
    }
    Pattern pattern = pattern_of(PatternId::one_prefix, sum, all);
    pattern.prefix_bits = prefix_bits(worst.host);
    const bool spread = hosts >= kPrefixHostsMin &&
                        worst.stretch.episodes * 100 <= pattern.matching * kWorstHostPerCent;
    if (stands_out(pattern) && spread) {
        found.add(pattern);
    }
}

}  // namespace

void look_for_concentration(const PathSums& paths, PatternList& found) {
    const PathSum& total = paths.total();
    const All all{total.client_side.episodes + total.server_side.episodes,
                  std::max(total.client_side.bytes_offered, total.server_side.bytes_offered)};
    std::array<const HostSum*, 8> worst{};
    const std::size_t count = paths.worst(worst);
    if (all.bytes == 0 || count == 0) {
        return;
    }
    const auto most =
        std::max_element(worst.begin(), worst.begin() + static_cast<std::ptrdiff_t>(count),
                         [](const HostSum* a, const HostSum* b) {
                             return a->stretch.episodes < b->stretch.episodes;
                         });
    const Pattern pattern = pattern_of(PatternId::one_host, **most, all);
    if (stands_out(pattern)) {
        found.add(pattern);
        return;
    }
    look_for_prefix(paths, **most, all, found);
}

}  // namespace tw::verdict
