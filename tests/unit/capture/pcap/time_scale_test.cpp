// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/time_scale.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace tw::pcap {
namespace {

constexpr std::uint64_t kMaxTicks = std::numeric_limits<std::uint64_t>::max();
constexpr Nanos kMax = std::numeric_limits<Nanos>::max();
constexpr Nanos kMin = std::numeric_limits<Nanos>::min();
constexpr std::uint8_t binary(std::uint8_t power) {
    return static_cast<std::uint8_t>(0x80 | power);
}

struct Row {
    const char* description;
    std::uint8_t resolution;
    std::int64_t offset_seconds;
    std::uint64_t ticks;
    Nanos expected;
};

class TimeScales : public testing::TestWithParam<Row> {};

TEST_P(TimeScales, converts) {
    const Row& row = GetParam();
    EXPECT_EQ(TimeScale(row.resolution, row.offset_seconds).nanos(row.ticks), row.expected);
}

// Resolutions down to 10^-10 and 2^-32 as tshark 4.0.17 prints them; finer ones overflow there.
INSTANTIATE_TEST_SUITE_P(
    all, TimeScales,
    testing::Values(
        Row{"seconds", 0, 0, 1'234'567, 1'234'567 * kSecond},
        Row{"tenths", 1, 0, 1'234'567, 123'456 * kSecond + 700 * kMillisecond},
        Row{"micro", 6, 0, 1'700'000'000'123'456, 1'700'000'000'123'456'000},
        Row{"nano", 9, 0, 1'700'000'000'123'456'789, 1'700'000'000'123'456'789},
        Row{"tenth_of_nano_rounds_down", 10, 0, 1'999'999'999'999'999'999, 199'999'999'999'999'999},
        Row{"pico", 12, 0, 1'234'567'890'123'456'789, 1'234'567'890'123'456},
        Row{"atto", 18, 0, 1'999'999'999'999'999'999, 1'999'999'999},
        Row{"finest_of_64_bits", 19, 0, kMaxTicks, 1'844'674'407},
        Row{"20", 20, 0, kMaxTicks, 184'467'440}, Row{"28", 28, 0, kMaxTicks, 1},
        Row{"29", 29, 0, kMaxTicks, 0}, Row{"finest", 127, 5, kMaxTicks, 5 * kSecond},
        Row{"binary_seconds", binary(0), 0, 7, 7 * kSecond},
        Row{"binary_halves", binary(1), 0, 7, 3 * kSecond + 500 * kMillisecond},
        Row{"binary_10", binary(10), 0, 1023, 999'023'437},
        Row{"binary_20", binary(20), 0, 1'234'567'890'123'456, 1'177'375'688'670'593'261},
        Row{"binary_32", binary(32), 0, 0xFFFF'FFFF, 999'999'999},
        Row{"binary_32_with_seconds", binary(32), 0, 1'234'567'890'123'456'789,
            287'445'236'491'844'241},
        Row{"binary_63", binary(63), 0, kMaxTicks, 1'999'999'999},
        Row{"binary_64", binary(64), 0, kMaxTicks, 999'999'999},
        Row{"binary_94", binary(94), 0, kMaxTicks, 0},
        Row{"binary_finest", binary(127), 0, kMaxTicks, 0},
        Row{"zero_binary_ticks_give_the_offset", binary(32), -4, 0, -4 * kSecond},
        Row{"offset_ahead", 6, 100, 5, 100 * kSecond + 5000},
        Row{"offset_back", 9, -2'000'000'000, 1, -2'000'000'000 * kSecond + 1},
        Row{"saturates", 6, 0, kMaxTicks, kMax}, Row{"nano_saturates", 9, 0, kMaxTicks, kMax},
        Row{"largest_that_fits", 9, 0, static_cast<std::uint64_t>(kMax), kMax},
        Row{"one_more", 9, 0, static_cast<std::uint64_t>(kMax) + 1, kMax},
        Row{"offset_makes_it_saturate", 9, 1, static_cast<std::uint64_t>(kMax), kMax},
        Row{"offset_makes_it_fit", 9, -1, static_cast<std::uint64_t>(kMax) + 1, kMax - kSecond + 1},
        Row{"offset_saturates", 9, std::numeric_limits<std::int64_t>::max(), 1, kMax},
        Row{"offset_saturates_back", 9, std::numeric_limits<std::int64_t>::min(), 0, kMin},
        Row{"binary_saturates", binary(0), 0, kMaxTicks, kMax}),
    [](const auto& row) { return row.param.description; });

TEST(TimeScaleTest, default_is_microseconds) {
    EXPECT_EQ(TimeScale().nanos(3), 3000);
}

}  // namespace
}  // namespace tw::pcap
