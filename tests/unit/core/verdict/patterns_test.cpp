// SPDX-License-Identifier: BSD-3-Clause
// Each pattern has traffic that must raise it, and a near miss that must not.
#include "core/verdict/patterns.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>

#include "unit/core/verdict/sample_events.hpp"

namespace tw::verdict {
namespace {

using event::Direction;
using event::Event;
using event::Outcome;
using event::Rule;
using event::Verdict;
using test::kT0;
using test::lost_before;
using test::record_of;

class PatternsTest : public testing::Test {
  protected:
    void add(const Event& event, std::uint32_t load = 100) { patterns_.add(event, load); }
    std::optional<Pattern> find(PatternId id) {
        (void)patterns_.advance(INT64_MAX);
        patterns_.look_at_run(paths_);
        for (const auto& found : {patterns_.of_intervals(), patterns_.of_run()}) {
            const auto at = std::find_if(found.begin(), found.end(),
                                         [id](const Pattern& one) { return one.id == id; });
            if (at != found.end()) {
                EXPECT_GT(patterns_.count(id), 0U);
                return *at;
            }
        }
        EXPECT_EQ(patterns_.count(id), 0U);
        return std::nullopt;
    }
    // A finished connection that lost so much between its server and the tap.
    void add_record(const flow::Endpoint& server, std::uint64_t losses, std::uint64_t bytes,
                    Outcome outcome = Outcome::lost_before_tap) {
        event::FlowRecord record = record_of(next_stream_++, 0, kSecond, bytes);
        record.flow.server = server;
        auto& sum = record.outcomes[1][static_cast<std::size_t>(outcome)];
        sum = {losses * 1000, losses, losses};
        paths_.add(record);
        patterns_.add(record);
    }

    stats::Counters counters_;
    PathSums paths_{counters_};
    Patterns patterns_{counters_};
    std::uint32_t next_stream_ = 0;
};

// ---- intervals --------------------------------------------------------------------------------

TEST_F(PatternsTest, many_connections_in_one_moment_are_a_burst) {
    for (std::uint32_t i = 0; i < 12; ++i) {
        add(lost_before(i, i, 3 * kSecond + i * 10 * kMillisecond));
    }
    add(lost_before(20, 20, 7 * kSecond));
    const auto found = find(PatternId::burst_loss);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->matching, 12U);
    EXPECT_EQ(found->of, 13U);
    EXPECT_EQ(found->connections, 12U);
    EXPECT_EQ(found->time, 110 * kMillisecond);
}

TEST_F(PatternsTest, as_many_losses_of_one_connection_are_no_burst) {
    for (std::uint32_t i = 0; i < 12; ++i) {
        add(lost_before(i, 1, 3 * kSecond + i * 10 * kMillisecond));
    }
    EXPECT_FALSE(find(PatternId::burst_loss));
}

TEST_F(PatternsTest, a_dense_moment_among_equally_dense_ones_is_no_burst) {
    for (std::uint32_t i = 0; i < 600; ++i) {
        add(lost_before(i, i % 50, i * 16 * kMillisecond));
    }
    EXPECT_FALSE(find(PatternId::burst_loss));
}

Event mirrored(std::uint32_t id, std::uint32_t stream, Nanos at) {
    Event event = test::missed(id, stream, at);
    event.finding.cause = event::Cause::mirror;
    return event;
}

TEST_F(PatternsTest, many_misses_put_down_to_the_mirror_are_its_overload) {
    for (std::uint32_t i = 0; i < 40; ++i) {
        add(mirrored(i, i % 10, i * 50 * kMillisecond), 180);
    }
    const auto found = find(PatternId::mirror_overload);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->matching, 40U);
    EXPECT_EQ(found->bytes, 40'000U);
    EXPECT_EQ(found->share, 180U);
}

TEST_F(PatternsTest, as_many_misses_without_a_cause_are_no_overload) {
    for (std::uint32_t i = 0; i < 40; ++i) {
        add(test::missed(i, i % 10, i * 50 * kMillisecond));
    }
    EXPECT_FALSE(find(PatternId::mirror_overload));
}

TEST_F(PatternsTest, what_comes_after_its_interval_is_counted) {
    (void)patterns_.advance(kT0 + 100 * kSecond);
    add(lost_before(1, 1, 0));
    EXPECT_EQ(counters_.get(stats::Counter::verdict_patterns_lost), 1U);
}

// ---- sizes ------------------------------------------------------------------------------------

Event of_size(std::uint32_t i, std::uint32_t lost, std::uint32_t delivered) {
    Event event = test::episode(
        {i + 1, i % 3, i * 100 * kMillisecond, Verdict::lost_after_tap, Rule::receiver_lacked});
    event.finding.segment_bytes = lost;
    event.finding.delivered_bytes = delivered;
    return event;
}

TEST_F(PatternsTest, losses_longer_than_all_that_arrives_are_a_size_limit) {
    for (std::uint32_t i = 0; i < 30; ++i) {
        add(of_size(i, i % 2 == 0 ? 1448 : 1420, 1200 + i * 5));
    }
    const auto found = find(PatternId::pmtu_black_hole);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->matching, 30U);
    EXPECT_EQ(found->delivered_bytes, 1345U);
    EXPECT_EQ(found->lost_bytes, 1420U);
}

TEST_F(PatternsTest, one_delivered_segment_as_long_as_the_lost_ones_disproves_it) {
    for (std::uint32_t i = 0; i < 30; ++i) {
        add(of_size(i, 1448, i == 17 ? 1448 : 1200));
    }
    EXPECT_FALSE(find(PatternId::pmtu_black_hole));
}

TEST_F(PatternsTest, nine_losses_are_too_few_for_a_size_limit) {
    for (std::uint32_t i = 0; i < 9; ++i) {
        add(of_size(i, 1448, 1200));
    }
    EXPECT_FALSE(find(PatternId::pmtu_black_hole));
}

// ---- rate -------------------------------------------------------------------------------------

Event loss_after(std::uint64_t sent, Nanos at) {
    Event event = lost_before(1 + sent, 4, at);
    event.seq_base = 4'294'000'000U;  // wraps on the way
    event.seq_base_known = true;
    event.seq_begin = static_cast<std::uint32_t>(event.seq_base + sent);
    event.seq_end = event.seq_begin + 1000;
    return event;
}

TEST_F(PatternsTest, losses_on_a_line_after_a_burst_fit_a_rate_limit) {
    // 1 MB/s after 64 kB at once.
    std::mt19937 random(3);
    for (std::uint32_t i = 0; i < 30; ++i) {
        const Nanos at = 100 * kMillisecond + i * 97 * kMillisecond;
        add(loss_after(64'000 + static_cast<std::uint64_t>(at / 1000) + random() % 1500, at));
    }
    patterns_.add(record_of(4, 0, 5 * kSecond));
    const auto found = find(PatternId::policing);
    ASSERT_TRUE(found);
    EXPECT_NEAR(static_cast<double>(found->rate), 1e6, 2e4);
    EXPECT_NEAR(static_cast<double>(found->burst), 64'750, 2'000);
    EXPECT_EQ(found->matching, 30U);
}

TEST_F(PatternsTest, losses_anywhere_in_a_connection_fit_no_rate_limit) {
    std::mt19937 random(3);
    std::uint64_t sent = 64'000;
    for (std::uint32_t i = 0; i < 30; ++i) {
        sent += 20'000 + random() % 180'000;
        add(loss_after(sent, 100 * kMillisecond + i * 97 * kMillisecond));
    }
    patterns_.add(record_of(4, 0, 5 * kSecond));
    EXPECT_FALSE(find(PatternId::policing));
}

TEST_F(PatternsTest, a_steady_sender_without_a_burst_fits_no_rate_limit) {
    for (std::uint32_t i = 0; i < 30; ++i) {
        const Nanos at = 100 * kMillisecond + i * 97 * kMillisecond;
        add(loss_after(static_cast<std::uint64_t>(at / 1000), at));
    }
    patterns_.add(record_of(4, 0, 5 * kSecond));
    EXPECT_FALSE(find(PatternId::policing));
}

// ---- pace -------------------------------------------------------------------------------------

TEST_F(PatternsTest, losses_at_even_intervals_have_a_period) {
    std::mt19937 random(11);
    for (std::uint32_t i = 0; i < 20; ++i) {
        const Nanos strays = static_cast<Nanos>(random() % 200) * kMillisecond;
        add(lost_before(i, i, i * 30 * kSecond + strays));
        add(lost_before(i + 100, i + 1, i * 30 * kSecond + strays + 20 * kMillisecond));
    }
    add(lost_before(999, 3, 100 * kSecond));  // one that is out of step
    const auto found = find(PatternId::periodic_loss);
    ASSERT_TRUE(found);
    EXPECT_NEAR(static_cast<double>(found->time), 30e9, 1e8);
    EXPECT_EQ(found->matching, 20U);
    EXPECT_EQ(found->of, 21U);
}

TEST_F(PatternsTest, losses_at_random_intervals_have_no_period) {
    for (std::uint32_t seed = 0; seed < 200; ++seed) {
        stats::Counters counters;
        Patterns patterns(counters);
        std::mt19937 random(seed);
        Nanos at = 0;
        for (std::uint32_t i = 0; i < 12 + seed; ++i) {
            at += static_cast<Nanos>(-30e9 *
                                     std::log(1 - static_cast<double>(random() % 1000000) / 1e6));
            patterns.add(lost_before(i, i, at), 0);
        }
        patterns.look_at_run(paths_);
        EXPECT_EQ(patterns.count(PatternId::periodic_loss), 0U) << "seed " << seed;
    }
}

TEST_F(PatternsTest, the_saw_of_one_connection_is_no_period_of_the_network) {
    for (std::uint32_t i = 0; i < 20; ++i) {
        add(lost_before(i, 1, i * 5 * kSecond));
    }
    EXPECT_FALSE(find(PatternId::periodic_loss));
}

// ---- hosts ------------------------------------------------------------------------------------

TEST_F(PatternsTest, the_losses_of_one_host_stand_out) {
    for (std::uint8_t i = 0; i < 10; ++i) {
        add_record(test::host(9, i, 80), i == 3 ? 30 : 0, 100'000);
        add_record(test::host(9, i, 80), i == 5 ? 1 : 0, 100'000);
        add_record(test::host(9, i, 80), i == 3 ? 1 : 0, 100'000);
    }
    const auto found = find(PatternId::one_host);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subject.address[3], 3);
    EXPECT_EQ(found->matching, 31U);
    EXPECT_EQ(found->of, 32U);
    EXPECT_NEAR(found->share, 100, 30);
    EXPECT_FALSE(find(PatternId::one_prefix));
}

TEST_F(PatternsTest, a_host_with_most_of_the_traffic_may_have_most_of_the_losses) {
    for (std::uint8_t i = 0; i < 10; ++i) {
        add_record(test::host(9, i, 80), i == 3 ? 30 : 0, i == 3 ? 1'000'000 : 10'000);
        add_record(test::host(9, i, 80), i == 3 ? 1 : 0, 10'000);
    }
    EXPECT_FALSE(find(PatternId::one_host));
}

TEST_F(PatternsTest, the_losses_of_one_network_stand_out) {
    for (std::uint8_t i = 0; i < 10; ++i) {
        add_record(test::host(7, i, 80), 3, 10'000);
        for (std::uint8_t net = 20; net < 30; ++net) {
            add_record(test::host(net, i, 80), 0, 10'000);
        }
    }
    const auto found = find(PatternId::one_prefix);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subject.address[2], 7);
    EXPECT_EQ(found->subject.address[3], 0);
    EXPECT_EQ(found->prefix_bits, 24);
    EXPECT_EQ(found->matching, 30U);
}

TEST_F(PatternsTest, losses_in_every_network_are_nobodys) {
    for (std::uint8_t i = 0; i < 10; ++i) {
        for (std::uint8_t net = 20; net < 30; ++net) {
            add_record(test::host(net, i, 80), 1, 10'000);
        }
    }
    EXPECT_FALSE(find(PatternId::one_prefix));
    EXPECT_FALSE(find(PatternId::one_host));
}

// ---- silence ----------------------------------------------------------------------------------

Event reset_after(std::uint32_t i, Nanos silence) {
    Event event = test::episode({i + 1, i, i * kSecond});
    event.type = event::EventType::reset;
    event.finding.lag = silence;
    return event;
}

TEST_F(PatternsTest, resets_after_silence_tell_the_timeout) {
    for (std::uint32_t i = 0; i < 8; ++i) {
        add(reset_after(i, (300 + i) * kSecond));
    }
    const auto found = find(PatternId::idle_then_reset);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->time, 300 * kSecond);
    EXPECT_EQ(found->spread, 7 * kSecond);
    EXPECT_EQ(found->matching, 8U);
}

TEST_F(PatternsTest, resets_that_mostly_come_without_silence_tell_none) {
    for (std::uint32_t i = 0; i < 16; ++i) {
        add(reset_after(i, i % 2 == 0 ? 300 * kSecond : 0));
    }
    EXPECT_FALSE(find(PatternId::idle_then_reset));
}

// ---- services ---------------------------------------------------------------------------------

TEST_F(PatternsTest, conversations_that_hung_are_told_from_the_good_ones) {
    for (std::uint32_t i = 0; i < 40; ++i) {
        const bool hung = i % 6 == 0;
        add_record(test::host(9, 9, 80), hung ? 1 : 0, 10'000, Outcome::never_recovered);
    }
    add_record(test::host(9, 9, 443), 0, 10'000);
    const Service* worst[4] = {};
    ASSERT_EQ(patterns_.services().worst(worst), 1U);
    EXPECT_EQ(worst[0]->conversations, 40U);
    EXPECT_EQ(worst[0]->hung, 7U);
    EXPECT_EQ(worst[0]->good, 33U);
    const Trait common = worst[0]->common();
    ASSERT_TRUE(common.known);
    EXPECT_EQ(common.outcome, Outcome::never_recovered);
    EXPECT_EQ(common.direction, Direction::s2c);
    EXPECT_EQ(common.bad, 7U);
    EXPECT_EQ(common.good, 0U);
}

TEST_F(PatternsTest, what_the_capture_missed_makes_no_conversation_bad) {
    for (std::uint32_t i = 0; i < 40; ++i) {
        add_record(test::host(9, 9, 80), 1, 10'000, Outcome::missed_by_capture);
    }
    const Service* worst[4] = {};
    EXPECT_EQ(patterns_.services().worst(worst), 0U);
}

TEST_F(PatternsTest, services_without_trouble_make_room_for_others) {
    for (std::uint32_t i = 0; i < Services::kServicesMax + 100; ++i) {
        add_record(test::host(static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i), 80),
                   i == 5 ? 1 : 0, 1000);
    }
    EXPECT_EQ(patterns_.services().all().size(), Services::kServicesMax);
    EXPECT_EQ(counters_.get(stats::Counter::verdict_services_lost), 0U);
    const Service* worst[4] = {};
    ASSERT_EQ(patterns_.services().worst(worst), 1U);
    EXPECT_TRUE(worst[0]->complete);
}

}  // namespace
}  // namespace tw::verdict
