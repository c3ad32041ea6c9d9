// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/transit_histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "support/random.hpp"

namespace tw::taps {
namespace {

TEST(TransitHistogram, every_time_lies_in_a_bucket_at_most_a_thirty_second_wide) {
    for (Nanos value = 0; value < 20 * kSecond; value += 1 + value / 7) {
        const std::uint32_t bucket = TransitHistogram::bucket_of(value);
        const Nanos begin = TransitHistogram::bucket_begin(bucket);
        ASSERT_LE(begin, value);
        if (bucket + 1 < TransitHistogram::kBuckets) {
            const Nanos end = TransitHistogram::bucket_begin(bucket + 1);
            ASSERT_LT(value, end);
            ASSERT_LE(end - begin, std::max<Nanos>(1, begin / 32));
        }
    }
}

TEST(TransitHistogram, quantiles_are_those_of_the_sorted_times_within_a_step) {
    test::Random random(7);
    TransitHistogram histogram;
    std::vector<Nanos> times;
    for (int i = 0; i < 10'000; ++i) {
        const Nanos time = Nanos{1} << random.below(34);
        times.push_back(time + random.below(1U << 20));
        histogram.add(times.back());
    }
    std::sort(times.begin(), times.end());
    for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const auto index = static_cast<std::size_t>(share * 10'000 + 0.999) - 1;
        const Nanos exact = times[std::min<std::size_t>(index, 9'999)];
        const Nanos told = histogram.quantile(share);
        EXPECT_GE(told, exact);
        EXPECT_LE(told, exact + exact / 31 + 1) << share;
    }
    EXPECT_EQ(histogram.most(), times.back());
    EXPECT_EQ(histogram.least(), times.front());
}

TEST(TransitHistogram, negative_times_are_told_apart_and_bound_the_least) {
    TransitHistogram histogram;
    histogram.add(-5);
    histogram.add(10);
    EXPECT_EQ(histogram.count(), 1U);
    EXPECT_EQ(histogram.negative(), 1U);
    EXPECT_EQ(histogram.least(), -5);
    EXPECT_EQ(histogram.quantile(0.5), 10);
}

TEST(TransitHistogram, two_added_up_are_as_one) {
    TransitHistogram one;
    TransitHistogram a;
    TransitHistogram b;
    for (Nanos i = 0; i < 1000; ++i) {
        one.add(i * i);
        (i % 3 == 0 ? a : b).add(i * i);
    }
    TransitHistogram sum;
    sum.add(a);
    sum.add(b);
    EXPECT_EQ(sum.count(), one.count());
    EXPECT_EQ(sum.least(), one.least());
    EXPECT_EQ(sum.most(), one.most());
    EXPECT_EQ(sum.quantile(0.9), one.quantile(0.9));
    sum.add(TransitHistogram{});
    EXPECT_EQ(sum.least(), one.least());
}

TEST(TransitHistogram, empty_one_has_no_quantile) {
    EXPECT_EQ(TransitHistogram{}.quantile(0.99), 0);
}

}  // namespace
}  // namespace tw::taps
