// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/misses.hpp"

#include <gtest/gtest.h>

#include "unit/core/verdict/sample_events.hpp"

namespace tw::verdict {
namespace {

using event::Cause;
using event::Event;
using test::kT0;
using test::missed;
using test::record_of;

// Ten seconds of the same load on all taps.
LoadHistory even_load(std::uint64_t bytes_per_cell = 1'000'000) {
    LoadHistory load;
    std::uint64_t seen = 0;
    for (Nanos at = -10 * kSecond; at < 20 * kSecond; at += kCell) {
        load.advance(kT0 + at, seen += bytes_per_cell);
    }
    return load;
}

TEST(Misses, unrelated_connections_at_one_moment_point_to_the_mirror) {
    Misses misses;
    for (std::uint32_t i = 0; i < 6; ++i) {
        misses.add(missed(i, i, 5 * kSecond + i * 5 * kMillisecond));
    }
    misses.add(missed(7, 7, 9 * kSecond));
    EXPECT_EQ(misses.cause_of(missed(0, 0, 5 * kSecond), even_load()), Cause::mirror);
    EXPECT_EQ(misses.cause_of(missed(7, 7, 9 * kSecond), even_load()), Cause::none);
}

TEST(Misses, misses_of_one_connection_at_one_moment_decide_nothing) {
    Misses misses;
    for (std::uint32_t i = 0; i < 6; ++i) {
        misses.add(missed(i, 3, 5 * kSecond + i * 5 * kMillisecond));
    }
    EXPECT_EQ(misses.cause_of(missed(0, 3, 5 * kSecond), even_load()), Cause::none);
}

TEST(Misses, misses_that_follow_the_load_point_to_the_mirror) {
    LoadHistory load;
    Misses misses;
    std::uint64_t seen = 0;
    std::uint32_t id = 0;
    for (Nanos at = -10 * kSecond; at < 20 * kSecond; at += kCell) {
        // Every second a rush of 300 ms.
        const bool rush = (at % kSecond + kSecond) % kSecond < 300 * kMillisecond;
        load.advance(kT0 + at, seen += rush ? 9'000'000 : 1'000'000);
        if (rush && at >= 0 && at < 10 * kSecond) {
            misses.add(missed(id, id % 5, at));
            ++id;
        }
    }
    EXPECT_EQ(misses.cause_of(missed(1, 1, 5 * kSecond), load), Cause::mirror);
    EXPECT_EQ(misses.cause_of(missed(1, 1, 5 * kSecond), even_load()), Cause::none);
}

// A connection that misses something every 250 ms, beside others that carry as much or nothing.
Cause steady(std::uint64_t others_bytes) {
    Misses misses;
    for (std::uint32_t i = 0; i < 40; ++i) {
        misses.add(missed(i, 0, i * 250 * kMillisecond));
    }
    for (std::uint32_t stream = 1; stream < 5; ++stream) {
        misses.add(record_of(stream, -10 * kSecond, 20 * kSecond, others_bytes));
    }
    return misses.cause_of(missed(1, 0, 5 * kSecond), even_load());
}

TEST(Misses, a_steady_rate_in_one_connection_beside_unharmed_ones_is_its_path) {
    EXPECT_EQ(steady(30'000'000), Cause::path);
}

TEST(Misses, a_steady_rate_in_the_only_busy_connection_decides_nothing) {
    EXPECT_EQ(steady(10'000), Cause::none);
}

TEST(Misses, a_steady_rate_in_one_direction_is_the_path_if_the_other_is_as_busy) {
    for (const bool other_way_busy : {true, false}) {
        Misses misses;
        for (std::uint32_t i = 0; i < 40; ++i) {
            misses.add(missed(i, i % 8, i * 250 * kMillisecond));
        }
        event::FlowRecord record = record_of(50, -10 * kSecond, 20 * kSecond);
        record.bytes = {other_way_busy ? 1'000'000U : 1'000U, 1'000'000};
        misses.add(record);
        EXPECT_EQ(misses.cause_of(missed(1, 1, 5 * kSecond), even_load()),
                  other_way_busy ? Cause::path : Cause::none);
    }
}

TEST(Misses, a_capture_that_counts_its_own_losses_is_the_cause) {
    Misses misses;
    misses.add(missed(1, 1, kSecond));
    misses.set_capture_dropped(10);
    EXPECT_EQ(misses.cause_of(missed(1, 1, kSecond), even_load()), Cause::monitor);
}

TEST(Misses, a_capture_that_counts_fewer_losses_than_there_are_is_not_all_of_the_cause) {
    Misses misses;
    for (std::uint32_t i = 0; i < 20; ++i) {
        misses.add(missed(i, 1, i * kSecond));
    }
    misses.set_capture_dropped(10);
    EXPECT_EQ(misses.cause_of(missed(1, 1, kSecond), even_load()), Cause::none);
}

TEST(Misses, the_oldest_cells_are_forgotten_first) {
    Misses misses;
    for (std::uint32_t i = 0; i < 6; ++i) {
        misses.add(missed(i, i, 0));
    }
    for (std::uint32_t i = 1; i <= Misses::kCellsMax; ++i) {
        misses.add(missed(i, 1, 100 * kSecond + i * kCell));
    }
    EXPECT_EQ(misses.cause_of(missed(0, 0, 0), even_load()), Cause::none);
}

TEST(LoadHistory, load_is_relative_to_that_around_it) {
    LoadHistory load;
    load.advance(kT0, 100);
    load.advance(kT0 + kCell, 200);
    load.advance(kT0 + 2 * kCell, 600);
    EXPECT_EQ(load.relative(kT0), 50U);
    EXPECT_EQ(load.relative(kT0 + 2 * kCell), 200U);
    EXPECT_EQ(load.relative(kT0 - kCell), 0U);
    EXPECT_EQ(load.relative(kT0 + 3 * kCell), 0U);
}

TEST(LoadHistory, times_before_the_epoch_have_cells_of_their_own) {
    EXPECT_EQ(cell_of(-1), -1);
    EXPECT_EQ(cell_of(0), 0);
    EXPECT_EQ(cell_of(INT64_MIN), INT64_MIN / kCell - 1);
}

}  // namespace
}  // namespace tw::verdict
