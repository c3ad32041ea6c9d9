// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/plan.hpp"

#include <algorithm>

#include "simulation/two_taps/deeds.hpp"
#include "support/random.hpp"

namespace tw::sim::two_taps {
namespace {

using test::Random;

constexpr std::array<std::string_view, kDeeds> kDeedNames{
    "none",
    "drop_random",
    "drop_bursts",
    "drop_long",
    "drop_with_sack",
    "drop_beyond_window",
    "drop_syn",
    "drop_syn_ack",
    "refuse_silently",
    "refuse_by_reset",
    "refuse_by_icmp",
    "idle_silent",
    "idle_reset",
    "connection_limit",
    "policer",
    "shaper",
    "reorder",
    "duplicate",
    "corrupt",
    "corrupt_unfixed",
    "lengthen",
    "rewrite_isn",
    "rewrite_isn_not_sack",
    "strip_options",
    "clamp_mss",
    "rewrite_header",
    "nat_source",
    "nat_destination",
    "syn_proxy",
    "tcp_proxy",
    "inject_reset",
    "block_reset",
    "cut_half_closed",
    "refuse_reuse",
    "lose_state",
    "delay_spike",
};

constexpr std::array<std::string_view, kProfiles> kProfileNames{
    "clean", "single", "single_lossy", "network", "capture", "innocent", "mixed", "nat"};

constexpr std::array<Profile, kProfileCycle> kCycle{
    Profile::clean,        Profile::single,       Profile::single,       Profile::single,
    Profile::single,       Profile::single,       Profile::single,       Profile::single_lossy,
    Profile::single_lossy, Profile::single_lossy, Profile::single_lossy, Profile::network,
    Profile::network,      Profile::capture,      Profile::innocent,     Profile::innocent,
    Profile::mixed,        Profile::mixed,        Profile::mixed,        Profile::nat,
};

// Packets per million: 0.1 % to 30 %.
std::uint32_t any_rate(Random& random) {
    return random.pick({1'000U, 3'000U, 10'000U, 30'000U, 100'000U, 300'000U});
}
std::uint32_t burst(Random& random) {
    return random.chance(65) ? 1 : random.between(2, 12);
}
Rate any(Random& random) {
    return {any_rate(random), burst(random)};
}
// A network that connections survive.
Rate moderate(Random& random) {
    return {random.pick({1'000U, 5'000U, 10'000U, 30'000U, 50'000U}), burst(random)};
}

void draw_network(Plan& plan, Random& random) {
    const std::uint32_t kinds = random.between(1, 4);
    for (std::uint32_t i = 0; i < kinds; ++i) {
        OutsidePlan& side = plan.networks[random.below(taps::kSides)];
        auto& rates = *random.pick({&side.loss, &side.loss, &side.reorder, &side.duplicate});
        rates[random.below(2)] = moderate(random);
        if (random.chance(50)) {
            rates = {rates[0].per_million != 0 ? rates[0] : rates[1],
                     rates[1].per_million != 0 ? rates[1] : rates[0]};
        }
    }
}

void draw_mirror_fault(MirrorPlan& mirror, const Plan& plan, Random& random) {
    switch (random.below(9)) {
        case 0:
        case 1:
        case 2:
            mirror.loss = any(random);
            break;
        case 3:
            mirror.duplicate = any(random);
            break;
        case 4:
            mirror.held = any(random);
            mirror.held_max = random.pick({100 * kMicrosecond, kMillisecond, 10 * kMillisecond});
            break;
        case 5:
            mirror.jitter = random.pick({20 * kMicrosecond, kMillisecond, 10 * kMillisecond});
            mirror.swap = {random.pick({0U, 1'000U, 30'000U}), 1};
            break;
        case 6:
            mirror.from = Nanos{random.between(1, 1000)} * kMillisecond;
            break;
        case 7:
            mirror.until = std::min<Nanos>(plan.hosts.until, 2 * kSecond) *
                           Nanos{random.between(20, 95)} / 100;
            break;
        default:
            mirror.snaplen = random.chance(50) ? 96 : 128;
            break;
    }
}

void draw_capture(Plan& plan, Random& random) {
    const std::uint32_t kinds = random.between(1, 3);
    for (std::uint32_t i = 0; i < kinds; ++i) {
        draw_mirror_fault(plan.mirrors[random.below(taps::kSides)], plan, random);
    }
    if (random.chance(8)) {
        plan.mirrors[random.below(taps::kSides)].carries[random.below(taps::kWays)] = false;
    }
}

void draw_style(Plan& plan, Random& random) {
    if (random.chance(10)) {
        plan.mirrors[random.below(taps::kSides)].vlan =
            static_cast<std::uint16_t>(random.between(2, 4000));
    }
    for (ConnectionPlan& connection : plan.hosts.connections) {
        for (std::size_t side = 0; side < sim::kSides; ++side) {
            connection.stack[side].answers_when_dead = true;
            // Both counters wrap within the connection.
            if (random.chance(6)) {
                connection.isn[side] = 0U - random.between(1, 30'000);
            }
            if (random.chance(6)) {
                connection.timestamp_base[side] = 0U - random.between(1, 1500);
            }
        }
        plan.marked.push_back(random.chance(15) || plan.firewall.clears_tos);
    }
}

void draw_firewall(Plan& plan, Random& random, std::optional<Deed> deed) {
    FirewallPlan& firewall = plan.firewall;
    firewall.transit =
        random.pick({15 * kMicrosecond, 80 * kMicrosecond, 400 * kMicrosecond, 2 * kMillisecond});
    firewall.jitter = random.pick({Nanos{0}, 5 * kMicrosecond, 100 * kMicrosecond});
    firewall.hops = random.chance(70) ? 1 : 0;
    std::uint32_t count = 0;
    if (plan.profile == Profile::single || plan.profile == Profile::single_lossy) {
        count = 1;
    } else if (plan.profile == Profile::mixed) {
        count = random.between(1, 3);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        const Deed drawn = static_cast<Deed>(1 + random.below(kDeeds - 1));
        commit(deed.value_or(drawn), plan, random);
    }
    if (plan.profile == Profile::nat) {
        commit(random.chance(70) ? Deed::nat_source : Deed::nat_destination, plan, random);
        if (random.chance(30)) {
            commit(Deed::rewrite_isn, plan, random);
        }
    }
}

}  // namespace

std::string_view name(Deed deed) {
    return kDeedNames[static_cast<std::size_t>(deed)];
}
std::string_view name(Profile profile) {
    return kProfileNames[static_cast<std::size_t>(profile)];
}

std::optional<Profile> profile_named(std::string_view text) {
    for (std::size_t i = 0; i < kProfiles; ++i) {
        if (kProfileNames[i] == text) {
            return static_cast<Profile>(i);
        }
    }
    return {};
}

std::optional<Deed> deed_named(std::string_view text) {
    for (std::size_t i = 0; i < kDeeds; ++i) {
        if (kDeedNames[i] == text) {
            return static_cast<Deed>(i);
        }
    }
    return {};
}

Profile profile_of(std::uint64_t seed) {
    return kCycle[seed % kProfileCycle];
}

bool FirewallPlan::does(Deed deed) const {
    return std::ranges::find(deeds, deed) != deeds.end();
}

namespace {

// A capture begins before and ends after what it is for: within the longest transit of either end
// nothing is judged.
constexpr Nanos kWarmUp = 1600 * kMillisecond;

void add_margins(Plan& plan) {
    FirewallPlan& firewall = plan.firewall;
    auto& connections = plan.hosts.connections;
    for (ConnectionPlan& one : connections) {
        one.start += kWarmUp;
        one.server_gives_up += one.server_gives_up != 0 ? kWarmUp : 0;
    }
    firewall.state_lost_at += firewall.state_lost_at != 0 ? kWarmUp : 0;
    firewall.spike_at += kWarmUp;
    for (MirrorPlan& mirror : plan.mirrors) {
        mirror.from += kWarmUp;
        mirror.until += mirror.until != INT64_MAX ? kWarmUp : 0;
    }
    plan.hosts.until += kWarmUp;
    ConnectionPlan margin = connections.front();
    margin.steps = {{.from = Side::client, .bytes = 20}, {.from = Side::server, .bytes = 20}};
    margin.ending = Ending::client_closes;
    margin.answer_delay = margin.server_gives_up = 0;
    margin.v6 = false;
    margin.server_port = 22;  // refused to nobody
    for (const Nanos start : {Nanos{0}, plan.hosts.until - 1300 * kMillisecond}) {
        margin.client_port = start == 0 ? 39'001 : 39'002;
        margin.isn = {0x1000'0000U, 0x2000'0000U};
        margin.start = start;
        connections.push_back(margin);
    }
}

}  // namespace

Plan draw_plan(std::uint64_t seed, std::optional<Profile> profile, std::optional<Deed> deed) {
    Random random(seed ^ 0xF1BE'0000'0000'0001ULL);
    Plan plan;
    plan.hosts = sim::draw_plan(seed, sim::Profile::none);
    plan.profile = profile.value_or(profile_of(seed));
    plan.client_side = random.chance(50) ? TapSide::outside : TapSide::inside;
    const bool short_ones = plan.profile == Profile::nat || random.chance(15);
    if (short_ones) {
        make_many_short(plan, random);
    }
    draw_firewall(plan, random, deed);
    switch (plan.profile) {
        case Profile::clean:
        case Profile::single:
        case Profile::nat:
            break;
        case Profile::single_lossy:
            plan.mirrors[0].loss = plan.mirrors[1].loss = {10'000, 1};
            break;
        case Profile::network:
            draw_network(plan, random);
            break;
        case Profile::capture:
            draw_capture(plan, random);
            break;
        case Profile::innocent:
        case Profile::mixed:
            draw_network(plan, random);
            draw_capture(plan, random);
            break;
    }
    add_margins(plan);
    draw_style(plan, random);
    return plan;
}

}  // namespace tw::sim::two_taps
