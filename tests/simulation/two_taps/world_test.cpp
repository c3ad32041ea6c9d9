// SPDX-License-Identifier: BSD-3-Clause
// The simulated firewall itself: one seed is one run, an innocent one changes nothing, and each
// deed is done where it is planned and nowhere else.
#include <gtest/gtest.h>

#include <algorithm>

#include "simulation/two_taps/transcript.hpp"
#include "simulation/two_taps/wire_bytes.hpp"
#include "simulation/two_taps/world.hpp"

namespace tw::sim::two_taps {
namespace {

constexpr std::uint64_t kSeeds = 12;

std::size_t count(const Record& record, Fate fate) {
    return static_cast<std::size_t>(std::ranges::count(record.passings, fate, &Passing::fate));
}

// Sums over some seeds of one deed.
struct Sums {
    std::size_t passed = 0;
    std::size_t dropped = 0;
    std::size_t own = 0;      // made by the firewall
    std::size_t doubled = 0;  // left twice
    std::size_t altered = 0;  // payload
    std::size_t rewritten = 0;
    std::size_t finished = 0;  // FINs of both sides arrived
};

bool same_headers(const Wire& one, const Wire& two) {
    Wire back = two;
    back.ttl = one.ttl;
    return wire_bytes(one, {}) == wire_bytes(back, {});
}

void add(Sums& sums, const Plan& plan, const Record& record) {
    std::vector<std::array<bool, sim::kSides>> fins(plan.hosts.connections.size());
    sums.passed += count(record, Fate::passed);
    sums.dropped += count(record, Fate::dropped);
    for (const Passing& passing : record.passings) {
        sums.own += passing.transmission == kNone ? 1U : 0U;
        sums.doubled += passing.exits.size() > 1 ? 1U : 0U;
        for (const std::uint32_t exit : passing.exits) {
            const Sighting& left = record.sightings[exit];
            sums.altered += left.packet.flip != 0 || left.packet.inserted != 0 ? 1U : 0U;
            if (passing.entry != kNone) {
                const Wire& entered = record.sightings[passing.entry].packet;
                sums.rewritten += same_headers(entered, left.packet) ? 0U : 1U;
            }
            if (left.packet.fin() && !left.arrivals.empty()) {
                fins[left.packet.connection][sim::index(left.packet.from)] = true;
            }
        }
    }
    sums.finished += static_cast<std::size_t>(
        std::ranges::count_if(fins, [](const auto& one) { return one[0] && one[1]; }));
}

Sums play(Deed deed) {
    Sums sums;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        const Plan plan = draw_plan(seed, Profile::single, deed);
        add(sums, plan, run(plan));
    }
    return sums;
}

TEST(TwoTaps, one_seed_is_one_run) {
    for (const std::uint64_t seed : {1U, 8U, 14U, 16U, 19U}) {
        const Plan first = draw_plan(seed);
        const Plan second = draw_plan(seed);
        EXPECT_EQ(words_of(first, run(first)), words_of(second, run(second))) << "seed " << seed;
    }
}

TEST(TwoTaps, an_innocent_firewall_passes_everything_once_and_unchanged) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const Plan plan = draw_plan(seed, Profile::clean);
        const Record record = run(plan);
        Sums sums;
        add(sums, plan, record);
        EXPECT_EQ(sums.dropped + sums.own + sums.doubled + sums.altered + sums.rewritten, 0U)
            << "seed " << seed;
        EXPECT_EQ(count(record, Fate::lost_outside), 0U) << "seed " << seed;
        for (const Sighting& one : record.sightings) {
            EXPECT_TRUE(one.frames.size() == 1 || one.wire > record.end) << "seed " << seed;
        }
    }
}

TEST(TwoTaps, the_networks_and_mirrors_lose_what_the_firewall_does_not) {
    std::size_t lost = 0;
    std::size_t missed = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const Plan plan = draw_plan(seed, Profile::innocent);
        const Record record = run(plan);
        lost += count(record, Fate::lost_outside);
        EXPECT_EQ(count(record, Fate::dropped), 0U) << "seed " << seed;
        missed +=
            static_cast<std::size_t>(std::ranges::count(record.sightings, true, &Sighting::missed));
    }
    EXPECT_GT(lost, 0U);
    EXPECT_GT(missed, 0U);
}

class DropDeeds : public testing::TestWithParam<Deed> {};
TEST_P(DropDeeds, drop_packets_and_alter_none) {
    const Sums sums = play(GetParam());
    EXPECT_GT(sums.dropped, 0U);
    EXPECT_EQ(sums.altered + sums.doubled + sums.rewritten, 0U);
}
INSTANTIATE_TEST_SUITE_P(TwoTaps, DropDeeds,
                         testing::Values(Deed::drop_random, Deed::drop_bursts, Deed::drop_long,
                                         Deed::drop_with_sack, Deed::drop_beyond_window,
                                         Deed::drop_syn, Deed::drop_syn_ack, Deed::refuse_silently,
                                         Deed::refuse_by_reset, Deed::refuse_by_icmp,
                                         Deed::idle_silent, Deed::idle_reset,
                                         Deed::connection_limit, Deed::policer, Deed::shaper,
                                         Deed::block_reset, Deed::cut_half_closed,
                                         Deed::refuse_reuse, Deed::lose_state),
                         [](const auto& one) { return std::string(name(one.param)); });

class RewritingDeeds : public testing::TestWithParam<Deed> {};
TEST_P(RewritingDeeds, rewrite_packets_and_let_connections_finish) {
    const Sums sums = play(GetParam());
    EXPECT_GT(sums.rewritten, 0U);
    EXPECT_EQ(sums.dropped, 0U);
    EXPECT_GE(sums.finished, kSeeds / 2);
}
INSTANTIATE_TEST_SUITE_P(TwoTaps, RewritingDeeds,
                         testing::Values(Deed::lengthen, Deed::rewrite_isn,
                                         Deed::rewrite_isn_not_sack, Deed::strip_options,
                                         Deed::clamp_mss, Deed::rewrite_header, Deed::nat_source,
                                         Deed::nat_destination, Deed::corrupt,
                                         Deed::corrupt_unfixed),
                         [](const auto& one) { return std::string(name(one.param)); });

TEST(TwoTaps, proxies_answer_themselves_and_connections_finish) {
    for (const Deed deed : {Deed::syn_proxy, Deed::tcp_proxy}) {
        const Sums sums = play(deed);
        EXPECT_GT(sums.own, 0U) << name(deed);
        EXPECT_GE(sums.finished, kSeeds / 2) << name(deed);
    }
}

TEST(TwoTaps, resets_icmp_and_copies_are_made_where_they_are_planned) {
    EXPECT_GT(play(Deed::inject_reset).own, 0U);
    EXPECT_GT(play(Deed::refuse_by_reset).own, 0U);
    EXPECT_GT(play(Deed::refuse_by_icmp).own, 0U);
    EXPECT_GT(play(Deed::idle_reset).own, 0U);
    EXPECT_EQ(play(Deed::idle_silent).own, 0U);
    EXPECT_GT(play(Deed::duplicate).doubled, 0U);
}

}  // namespace
}  // namespace tw::sim::two_taps
