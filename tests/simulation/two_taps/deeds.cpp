// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/deeds.hpp"

#include <algorithm>

namespace tw::sim::two_taps {
namespace {

using test::Random;

Nanos between(Random& random, Nanos first, Nanos last) {
    return first + static_cast<Nanos>(random.next() % static_cast<std::uint64_t>(last - first + 1));
}

Rate some_rate(Random& random) {
    return {random.pick({3'000U, 10'000U, 30'000U, 100'000U}), 1};
}

// Further connections like those drawn, with ports of their own.
void make_at_least(Plan& plan, std::size_t count, Random& random) {
    auto& all = plan.hosts.connections;
    const std::size_t drawn = all.size();
    while (all.size() < count) {
        ConnectionPlan more = all[all.size() % drawn];
        more.client_port = static_cast<std::uint16_t>(45'000 + all.size() * 3);
        more.isn = {random.word(), random.word()};
        more.timestamp_base = {random.word(), random.word()};
        more.start = between(random, 0, 500 * kMillisecond);
        all.push_back(more);
    }
}

// Rounds of request and answer with such silences between them.
void make_pauses(Plan& plan, Random& random, Nanos least, Nanos most) {
    make_at_least(plan, 4, random);
    for (ConnectionPlan& one : plan.hosts.connections) {
        one.steps.clear();
        const std::uint32_t rounds = random.between(2, 5);
        for (std::uint32_t i = 0; i < rounds; ++i) {
            one.steps.push_back({.from = Side::client,
                                 .bytes = random.between(40, 900),
                                 .delay = i == 0 ? 0 : between(random, least, most)});
            one.steps.push_back({.from = Side::server, .bytes = random.between(40, 9000)});
        }
    }
    plan.hosts.until = 150 * kSecond;
}

// A transfer that lasts.
void make_long(Plan& plan, Position bytes) {
    for (ConnectionPlan& one : plan.hosts.connections) {
        one.steps = {{.from = Side::client, .bytes = 300}, {.from = Side::server, .bytes = bytes}};
    }
    plan.hosts.until = 120 * kSecond;
}

// Every second connection uses the tuple of the one before it, some time after its end.
void make_reuse(Plan& plan, Random& random, Nanos about) {
    make_at_least(plan, 6, random);
    auto& all = plan.hosts.connections;
    for (std::size_t i = 0; i + 1 < all.size(); i += 2) {
        all[i].steps = {{.from = Side::client, .bytes = 200}, {.from = Side::server, .bytes = 900}};
        all[i].ending = Ending::client_closes;
        all[i].stack[0].timestamps = all[i].stack[1].timestamps;
        all[i + 1] = all[i];
        all[i + 1].isn = {all[i].isn[0] + 500'000 + random.below(1'000'000), random.word()};
        all[i + 1].start = all[i].start + kSecond + between(random, 0, 2 * about);
    }
    plan.hosts.until = 100 * kSecond;
}

void make_steady(Plan& plan, Random& random) {
    make_at_least(plan, 5, random);
    for (ConnectionPlan& one : plan.hosts.connections) {
        one.steps = {{.from = Side::client, .bytes = 200},
                     {.from = Side::server,
                      .bytes = random.between(20'000, 60'000),
                      .chunk_bytes = random.between(500, 1500),
                      .gap = between(random, 20 * kMillisecond, 120 * kMillisecond)}};
    }
    plan.hosts.until = 100 * kSecond;
}

void limit_connections(Plan& plan, Random& random) {
    plan.firewall.connections_max = random.between(3, 6);
    make_at_least(plan, 12, random);
    for (ConnectionPlan& one : plan.hosts.connections) {
        one.start = between(random, 0, 4 * kSecond);
        one.ending_delay = between(random, 0, 3 * kSecond);
        one.steps.resize(std::min<std::size_t>(one.steps.size(), 2));
    }
}

void limit_rate(Plan& plan, Random& random, bool polices) {
    make_long(plan, 250'000);
    Bucket& bucket = polices ? plan.firewall.policer : plan.firewall.shaper;
    bucket.bytes_per_second = random.pick<std::int64_t>({100'000, 250'000, 600'000});
    bucket.burst_bytes = random.pick<std::int64_t>({8'000, 20'000, 50'000});
}

void strip(Plan& plan, Random& random) {
    FirewallPlan& firewall = plan.firewall;
    const std::uint32_t which = random.between(1, 7);
    firewall.strips_timestamps = (which & 1) != 0;
    firewall.strips_sack = (which & 2) != 0;
    firewall.strips_scale = (which & 4) != 0;
    firewall.strips_one_way = random.chance(25);
    firewall.strips_by_nops = random.chance(50);
}

void reset_some(Plan& plan, Random& random) {
    FirewallPlan& firewall = plan.firewall;
    firewall.reset_after_packets = random.between(5, 60);
    firewall.reset_towards = random.pick({Towards::client, Towards::server, Towards::both});
    firewall.reset_forgets = random.chance(60);
}

// The client resets; the server, which is not told, goes on.
void block_resets(Plan& plan, Random& random) {
    plan.firewall.blocks_reset = true;
    for (ConnectionPlan& one : plan.hosts.connections) {
        one.ending = Ending::client_resets;
        one.server_gives_up = one.start + between(random, 2 * kSecond, 6 * kSecond);
    }
    plan.hosts.until = 75 * kSecond;
}

void cut_half_closed(Plan& plan, Random& random) {
    const Nanos timeout = between(random, 500 * kMillisecond, 4 * kSecond);
    plan.firewall.half_close_timeout = timeout;
    make_at_least(plan, 4, random);
    for (ConnectionPlan& one : plan.hosts.connections) {
        one.ending = Ending::client_closes;
        one.answer_delay = between(random, timeout / 4, 2 * timeout);
    }
    plan.hosts.until = 100 * kSecond;
}

// Those that need traffic of their own.
void commit_to_connections(Deed deed, Plan& plan, Random& random) {
    FirewallPlan& firewall = plan.firewall;
    if (deed == Deed::idle_silent || deed == Deed::idle_reset) {
        firewall.idle_timeout = random.pick({kSecond, 2 * kSecond, 4 * kSecond, 8 * kSecond});
        firewall.idle_resets = deed == Deed::idle_reset;
        make_pauses(plan, random, firewall.idle_timeout / 4, 2 * firewall.idle_timeout);
    } else if (deed == Deed::connection_limit) {
        limit_connections(plan, random);
    } else if (deed == Deed::policer || deed == Deed::shaper) {
        limit_rate(plan, random, deed == Deed::policer);
    } else if (deed == Deed::block_reset) {
        block_resets(plan, random);
    } else if (deed == Deed::cut_half_closed) {
        cut_half_closed(plan, random);
    } else if (deed == Deed::refuse_reuse) {
        firewall.reuse_refused_for = random.pick({kSecond, 2 * kSecond, 5 * kSecond});
        make_reuse(plan, random, firewall.reuse_refused_for);
    } else if (deed == Deed::lose_state) {
        make_steady(plan, random);
        firewall.state_lost_at = between(random, 300 * kMillisecond, 1500 * kMillisecond);
        firewall.idle_resets |= random.chance(40);
    } else if (deed == Deed::delay_spike) {
        make_steady(plan, random);
        firewall.spike_at = between(random, 200 * kMillisecond, 1200 * kMillisecond);
        firewall.spike_length = between(random, 20 * kMillisecond, 300 * kMillisecond);
        firewall.spike_delay = between(random, 5 * kMillisecond, 80 * kMillisecond);
    }
}

void commit_drops(Deed deed, Plan& plan, Random& random) {
    FirewallPlan& firewall = plan.firewall;
    const auto rate = [&](DropRule rule) -> Rate& {
        return firewall.drops[static_cast<std::size_t>(rule)];
    };
    if (deed == Deed::drop_random) {
        rate(DropRule::any) = some_rate(random);
    } else if (deed == Deed::drop_bursts) {
        rate(DropRule::any) = some_rate(random);
        rate(DropRule::any).burst_mean = random.between(2, 12);
    } else if (deed == Deed::drop_with_sack) {
        rate(DropRule::any) = {10'000, 1};  // so that there is something to SACK
        rate(DropRule::with_sack) = {random.pick({300'000U, 1'000'000U}), 1};
    } else if (deed == Deed::drop_syn) {
        make_many_short(plan, random);
        rate(DropRule::syn) = {random.pick({50'000U, 300'000U, 700'000U}), 1};
    } else if (deed == Deed::drop_syn_ack) {
        make_many_short(plan, random);
        rate(DropRule::syn_ack) = {random.pick({50'000U, 300'000U, 700'000U}), 1};
    } else if (deed == Deed::drop_long) {
        firewall.longer_than = random.pick({600U, 1000U, 1300U, 1400U});
    } else if (deed == Deed::drop_beyond_window) {
        firewall.checks_raw_window = true;
    } else if (deed == Deed::refuse_silently || deed == Deed::refuse_by_reset ||
               deed == Deed::refuse_by_icmp) {
        make_at_least(plan, 3, random);
        firewall.refusal = deed == Deed::refuse_silently   ? Refusal::silent
                           : deed == Deed::refuse_by_reset ? Refusal::reset
                                                           : Refusal::icmp;
        firewall.refused_port = plan.hosts.connections.front().server_port;
    }
}

void commit_rewrites(Deed deed, Plan& plan, Random& random) {
    FirewallPlan& firewall = plan.firewall;
    if (deed == Deed::reorder) {
        firewall.reorder = some_rate(random);
        firewall.reorder_delay_max =
            random.pick({200 * kMicrosecond, 2 * kMillisecond, 20 * kMillisecond});
    } else if (deed == Deed::duplicate) {
        firewall.duplicate = some_rate(random);
        firewall.duplicate_delay_max = random.pick({20 * kMicrosecond, 5 * kMillisecond});
    } else if (deed == Deed::corrupt || deed == Deed::corrupt_unfixed) {
        firewall.corrupt = some_rate(random);
        firewall.fixes_checksum = deed == Deed::corrupt;
    } else if (deed == Deed::lengthen) {
        firewall.inserts_bytes = static_cast<std::uint16_t>(random.between(1, 24));
    } else if (deed == Deed::rewrite_isn || deed == Deed::rewrite_isn_not_sack) {
        firewall.rewrites_isn = true;
        firewall.translates_sack = deed == Deed::rewrite_isn;
        if (!firewall.translates_sack) {
            plan.networks[random.below(taps::kSides)].loss = {Rate{20'000, 1}, Rate{20'000, 1}};
        }
    } else if (deed == Deed::strip_options) {
        strip(plan, random);
    } else if (deed == Deed::clamp_mss) {
        firewall.mss_max = random.pick<std::uint16_t>({500, 1200, 1380});
    } else if (deed == Deed::rewrite_header) {
        firewall.clears_tos = true;
        firewall.hops = static_cast<std::uint8_t>(random.below(4));
    } else if (deed == Deed::nat_source) {
        firewall.translation = Translation::source;
    } else if (deed == Deed::nat_destination) {
        firewall.translation = Translation::destination;
    } else if (deed == Deed::syn_proxy) {
        firewall.syn_proxy = true;
        firewall.tcp_proxy = false;
    } else if (deed == Deed::tcp_proxy) {
        firewall.tcp_proxy = true;
        firewall.syn_proxy = false;
    } else if (deed == Deed::inject_reset) {
        reset_some(plan, random);
    }
}

}  // namespace

void commit(Deed deed, Plan& plan, Random& random) {
    if (plan.firewall.does(deed)) {
        return;
    }
    plan.firewall.deeds.push_back(deed);
    commit_to_connections(deed, plan, random);
    commit_drops(deed, plan, random);
    commit_rewrites(deed, plan, random);
}

void make_many_short(Plan& plan, Random& random) {
    const std::size_t count = random.between(15, 40);
    make_at_least(plan, count, random);
    for (ConnectionPlan& one : plan.hosts.connections) {
        one.start = between(random, 0, 3 * kSecond);
        one.steps = {{.from = Side::client, .bytes = random.between(40, 900)},
                     {.from = Side::server, .bytes = random.between(100, 6000)}};
    }
}

}  // namespace tw::sim::two_taps
