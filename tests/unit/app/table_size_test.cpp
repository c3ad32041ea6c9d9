// SPDX-License-Identifier: BSD-3-Clause
#include "app/table_size.hpp"

#include <gtest/gtest.h>

namespace {

using namespace tw;
using app::table_size;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

TEST(TableSize, never_more_than_the_files_can_hold) {
    const auto size = table_size(52'000'000, 1024 * kGiB);
    EXPECT_EQ(size.v4_max, 1'000'001U);
    EXPECT_EQ(size.v6_max, 722'223U);
}

TEST(TableSize, a_small_file_still_gets_a_table) {
    const auto size = table_size(0, kGiB);
    EXPECT_EQ(size.v4_max, 1024U);
    EXPECT_EQ(size.v6_max, 1024U);
}

TEST(TableSize, both_tables_full_stay_within_three_quarters_of_the_memory) {
    for (const std::uint64_t memory : {kGiB, 8 * kGiB, 64 * kGiB}) {
        const auto size = table_size(std::nullopt, memory);
        EXPECT_LE(size.v4_max * app::bytes_per_v4_connection() +
                      size.v6_max * app::bytes_per_v6_connection(),
                  memory / 4 * 3);
        EXPECT_GT(size.v4_max, 500'000U);
    }
}

TEST(TableSize, slot_numbers_never_run_out) {
    EXPECT_EQ(table_size(std::nullopt, UINT64_MAX).v4_max, 500'000'000U);
}

TEST(TableSize, this_host_has_memory) {
    EXPECT_GT(app::memory_available(), 64U << 20);
}

}  // namespace
