// SPDX-License-Identifier: BSD-3-Clause
#include "simulation/two_taps/behaviours.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tw::sim::two_taps {
namespace {

using firewall::Behaviour;

template <typename Condition>
bool any_dropped(const Ground& ground, Condition condition) {
    return std::ranges::any_of(ground.record().passings, [&](const Passing& passing) {
        return passing.fate == Fate::dropped &&
               condition(ground.entry(passing)->packet, passing.drop);
    });
}

bool dropped_by(const Ground& ground, std::initializer_list<Drop> drops) {
    return any_dropped(ground, [&](const Wire&, Drop drop) {
        return std::ranges::find(drops, drop) != drops.end();
    });
}

template <typename Condition>
bool any_made(const Ground& ground, Condition condition) {
    return std::ranges::any_of(ground.record().passings, [&](const Passing& passing) {
        return passing.transmission == kNone &&
               condition(ground.sighting(passing.exits.front()).packet);
    });
}

template <typename Condition>
bool any_passed(const Ground& ground, Condition condition) {
    return std::ranges::any_of(ground.record().passings, [&](const Passing& passing) {
        return passing.fate == Fate::passed && passing.entry != kNone && condition(passing);
    });
}

// The drops that one behaviour stands for; all others stand for any drop.
bool supports_drop(const Ground& ground, Behaviour behaviour) {
    struct Row {
        Behaviour behaviour;
        std::initializer_list<Drop> drops;
    };
    static const Row kRows[] = {
        {Behaviour::idle_timeout, {Drop::idle, Drop::half_close, Drop::lost_state}},
        {Behaviour::connection_limit, {Drop::limit}},
        {Behaviour::tuple_reuse_dropped, {Drop::reuse}},
        {Behaviour::state_lost_at_once, {Drop::lost_state, Drop::after_reset}},
        {Behaviour::pmtud_black_hole, {Drop::length}},
        {Behaviour::rate_limited, {Drop::policer, Drop::queue}},
    };
    for (const Row& row : kRows) {
        if (row.behaviour == behaviour) {
            return dropped_by(ground, row.drops);
        }
    }
    return any_dropped(ground, [&](const Wire& wire, Drop drop) {
        if (behaviour == Behaviour::syn_dropped || behaviour == Behaviour::syn_ack_dropped) {
            return wire.syn() && wire.has(flag::kAck) == (behaviour == Behaviour::syn_ack_dropped);
        }
        if (behaviour == Behaviour::half_close_cut) {
            return drop == Drop::half_close || wire.fin();
        }
        return behaviour != Behaviour::reset_blocked || wire.rst();
    });
}

bool supports_rewrite(const FirewallPlan& firewall, Behaviour behaviour) {
    const bool proxied = firewall.syn_proxy || firewall.tcp_proxy;
    const std::pair<Behaviour, bool> rows[] = {
        {Behaviour::isn_rewritten, firewall.rewrites_isn || proxied},
        {Behaviour::sack_not_translated, firewall.rewrites_isn && !firewall.translates_sack},
        {Behaviour::mss_clamped, firewall.mss_max != 0 || proxied},
        {Behaviour::mss_raised, proxied},
        {Behaviour::options_stripped, firewall.does(Deed::strip_options) || proxied},
        {Behaviour::options_stripped_one_way, firewall.strips_one_way || proxied},
        {Behaviour::header_rewritten, firewall.clears_tos || firewall.hops > 2 || proxied},
        {Behaviour::payload_altered,
         firewall.corrupt.per_million != 0 || firewall.inserts_bytes != 0},
        {Behaviour::payload_length_changed, firewall.inserts_bytes != 0},
        {Behaviour::syn_proxy, proxied},
        {Behaviour::tcp_proxy, firewall.tcp_proxy},
        {Behaviour::acknowledged_not_delivered, firewall.tcp_proxy},
        {Behaviour::resegmented, firewall.tcp_proxy},
        {Behaviour::shaped, firewall.shaper.bytes_per_second != 0},
        {Behaviour::latency_spike, firewall.spike_length != 0 ||
                                       firewall.shaper.bytes_per_second != 0 ||
                                       firewall.reorder.per_million != 0},
    };
    return std::ranges::any_of(
        rows, [&](const auto& row) { return row.first == behaviour && row.second; });
}

bool is_a_drop(Behaviour behaviour) {
    const firewall::Weight weight = firewall::info(behaviour).weight;
    return weight == firewall::Weight::drop || weight == firewall::Weight::benign ||
           behaviour == Behaviour::reset_blocked || behaviour == Behaviour::half_close_cut ||
           behaviour == Behaviour::state_lost_at_once ||
           behaviour == Behaviour::tuple_reuse_dropped ||
           behaviour == Behaviour::retransmission_suppressed;
}

}  // namespace

bool supports(const Ground& ground, Behaviour behaviour) {
    const auto is_reset = [](const Wire& wire) { return wire.rst(); };
    if (behaviour == Behaviour::rejected_by_icmp) {
        return any_made(ground, [](const Wire& wire) { return wire.kind == WireKind::icmp_error; });
    }
    if (behaviour == Behaviour::reset_by_firewall) {
        return any_made(ground, is_reset);
    }
    if (behaviour == Behaviour::packet_injected) {
        return any_made(ground, [](const Wire&) { return true; });
    }
    if (behaviour == Behaviour::closed_one_sided) {
        return any_made(ground, is_reset) ||
               any_dropped(ground, [](const Wire& wire, Drop) { return wire.rst() || wire.fin(); });
    }
    if (behaviour == Behaviour::reordered) {
        return any_passed(ground, [&](const Passing& one) { return ground.late(one); });
    }
    if (behaviour == Behaviour::duplicated) {
        return any_passed(ground, [](const Passing& one) { return one.exits.size() > 1; });
    }
    return is_a_drop(behaviour) ? supports_drop(ground, behaviour)
                                : supports_rewrite(ground.plan().firewall, behaviour);
}

std::vector<std::string> wrong_parameters(const Ground& ground, const firewall::Report& report) {
    std::vector<std::string> wrong;
    const FirewallPlan& firewall = ground.plan().firewall;
    const auto check = [&](const firewall::Parameter& one, double truth) {
        if (one.low.value_or(truth) > truth || one.high.value_or(truth) < truth) {
            wrong.push_back(
                fmt::format("{} of {} is {}: it was {}", one.name, one.scope, one.value, truth));
        }
    };
    for (const firewall::Parameter& one : report.parameters) {
        if (one.name == "idle_timeout" && firewall.idle_timeout != 0) {
            check(one, static_cast<double>(firewall.idle_timeout) / 1e9);
        } else if (one.name == "idle_timeout" && one.high &&
                   !supports(ground, Behaviour::idle_timeout)) {
            wrong.push_back(
                fmt::format("{} of {} is {}: there was none", one.name, one.scope, one.value));
        }
    }
    return wrong;
}

std::optional<Behaviour> behaviour_of(Deed deed) {
    switch (deed) {
        case Deed::drop_random:
        case Deed::drop_bursts:
        case Deed::drop_with_sack:
            return Behaviour::packet_dropped;
        case Deed::drop_long:
            return Behaviour::pmtud_black_hole;
        case Deed::drop_beyond_window:
            return Behaviour::out_of_window_dropped;
        case Deed::drop_syn:
        case Deed::refuse_silently:
            return Behaviour::syn_dropped;
        case Deed::drop_syn_ack:
            return Behaviour::syn_ack_dropped;
        case Deed::refuse_by_reset:
        case Deed::inject_reset:
            return Behaviour::reset_by_firewall;
        case Deed::refuse_by_icmp:
            return Behaviour::rejected_by_icmp;
        case Deed::idle_silent:
        case Deed::idle_reset:
            return Behaviour::idle_timeout;
        case Deed::connection_limit:
            return Behaviour::connection_limit;
        case Deed::policer:
            return Behaviour::rate_limited;
        case Deed::shaper:
            return Behaviour::shaped;
        case Deed::reorder:
            return Behaviour::reordered;
        case Deed::duplicate:
            return Behaviour::duplicated;
        case Deed::corrupt:
            return Behaviour::payload_altered;
        case Deed::lengthen:
            return Behaviour::payload_length_changed;
        case Deed::rewrite_isn:
            return Behaviour::isn_rewritten;
        case Deed::rewrite_isn_not_sack:
            return Behaviour::sack_not_translated;
        case Deed::strip_options:
            return Behaviour::options_stripped;
        case Deed::clamp_mss:
            return Behaviour::mss_clamped;
        case Deed::rewrite_header:
            return Behaviour::header_rewritten;
        case Deed::syn_proxy:
            return Behaviour::syn_proxy;
        case Deed::tcp_proxy:
            return Behaviour::tcp_proxy;
        case Deed::block_reset:
            return Behaviour::reset_blocked;
        case Deed::cut_half_closed:
            return Behaviour::half_close_cut;
        case Deed::refuse_reuse:
            return Behaviour::tuple_reuse_dropped;
        case Deed::lose_state:
            return Behaviour::state_lost_at_once;
        case Deed::delay_spike:
            return Behaviour::latency_spike;
        case Deed::none:
        case Deed::corrupt_unfixed:  // the checksum, and so the sum of the payload, is as it was
        case Deed::nat_source:
        case Deed::nat_destination:
            return {};
    }
    return {};
}

}  // namespace tw::sim::two_taps
