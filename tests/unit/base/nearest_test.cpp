// SPDX-License-Identifier: BSD-3-Clause
#include "base/nearest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace tw {
namespace {

constexpr std::array<std::string_view, 5> kKnown{"ports", "workers", "flows", "direction_skew",
                                                 "tap"};

TEST(Nearest, corrects_a_letter_missing_added_changed_or_swapped) {
    EXPECT_EQ(nearest("port", kKnown), "ports");
    EXPECT_EQ(nearest("portss", kKnown), "ports");
    EXPECT_EQ(nearest("pports", kKnown), "ports");
    EXPECT_EQ(nearest("workres", kKnown), "workers");
    EXPECT_EQ(nearest("flaws", kKnown), "flows");
    EXPECT_EQ(nearest("tpa", kKnown), "tap");
}

TEST(Nearest, overlooks_case_and_dashes) {
    EXPECT_EQ(nearest("Direction-Skew", kKnown), "direction_skew");
    EXPECT_EQ(nearest("PORTS", kKnown), "ports");
}

TEST(Nearest, guesses_nothing_from_afar) {
    EXPECT_EQ(nearest("metrics", kKnown), std::nullopt);
    EXPECT_EQ(nearest("", kKnown), std::nullopt);
    EXPECT_EQ(nearest(std::string(10'000, 'a'), kKnown), std::nullopt);
    EXPECT_EQ(nearest("ports", {}), std::nullopt);
}

}  // namespace
}  // namespace tw
