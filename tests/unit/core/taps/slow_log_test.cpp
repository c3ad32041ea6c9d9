// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/slow_log.hpp"

#include <gtest/gtest.h>

#include <array>

#include "support/random.hpp"

namespace tw::taps {
namespace {

// A pair every millisecond, 100 us give or take 10; slow ones as told.
class Stream {
  public:
    void run(int pairs, Nanos transit = 0) {
        for (int i = 0; i < pairs; ++i) {
            time_ += kMillisecond;
            const Nanos took = transit != 0 ? transit : 90 * kMicrosecond + random_.below(20'000);
            usual.add(took);
            log.add(time_, took, usual);
        }
    }
    [[nodiscard]] std::size_t spikes() { return log.above(slow_above(usual), 3, found); }

    TransitHistogram usual;
    SlowLog log{Backing::lazy};
    std::array<SlowInterval, 64> found{};

  private:
    test::Random random_{3};
    Nanos time_ = 0;
};

TEST(SlowLog, a_spike_is_one_interval_with_its_packets_and_its_worst) {
    Stream stream;
    stream.run(5000);
    stream.run(20, 5 * kMillisecond);
    stream.run(5000);
    ASSERT_EQ(stream.spikes(), 1U);
    EXPECT_EQ(stream.found[0].packets, 20U);
    EXPECT_EQ(stream.found[0].worst, 5 * kMillisecond);
    EXPECT_EQ(stream.found[0].from, 5001 * kMillisecond);
    EXPECT_EQ(stream.found[0].until, 5020 * kMillisecond);
}

TEST(SlowLog, spikes_far_apart_are_two) {
    Stream stream;
    stream.run(5000);
    stream.run(5, 2 * kMillisecond);
    stream.run(500);
    stream.run(5, 2 * kMillisecond);
    stream.run(3000);
    EXPECT_EQ(stream.spikes(), 2U);
}

TEST(SlowLog, two_slow_packets_and_plain_jitter_are_no_spike) {
    Stream stream;
    stream.run(5000);
    stream.run(2, 5 * kMillisecond);
    stream.run(5000);
    EXPECT_EQ(stream.spikes(), 0U);
}

TEST(SlowLog, a_run_shorter_than_what_is_learnt_from_is_judged_too) {
    Stream stream;
    stream.run(300);
    stream.run(4, 5 * kMillisecond);
    stream.run(300);
    ASSERT_EQ(stream.spikes(), 1U);
    EXPECT_EQ(stream.found[0].packets, 4U);
}

TEST(SlowLog, a_spike_of_more_than_one_percent_of_the_packets_is_found) {
    Stream stream;
    stream.run(2000);
    stream.run(60, 5 * kMillisecond);
    stream.run(940);
    EXPECT_EQ(stream.spikes(), 1U);
}

TEST(SlowLog, workers_added_up_tell_one_interval_once) {
    Stream a;
    Stream b;
    a.run(3000);
    b.run(3000);
    a.run(10, 5 * kMillisecond);
    b.run(10, 5 * kMillisecond);
    SlowLog sum(Backing::lazy);
    TransitHistogram usual;
    usual.add(a.usual);
    sum.add(a.log, slow_above(usual));
    usual.add(b.usual);
    sum.add(b.log, slow_above(usual));
    std::array<SlowInterval, 8> found{};
    ASSERT_EQ(sum.above(slow_above(usual), 3, found), 1U);
    EXPECT_EQ(found[0].packets, 20U);
}

TEST(SlowLog, more_intervals_than_there_is_room_for_are_counted) {
    Stream stream;
    stream.run(2000);
    for (std::uint32_t i = 0; i < SlowLog::kIntervalsMax + 10; ++i) {
        stream.run(100);
        stream.run(1, 5 * kMillisecond);
    }
    EXPECT_EQ(stream.log.dropped(), 10U);
}

}  // namespace
}  // namespace tw::taps
