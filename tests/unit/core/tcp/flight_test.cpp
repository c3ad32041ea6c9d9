// SPDX-License-Identifier: BSD-3-Clause
#include "core/tcp/flight.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/sequence.hpp"

namespace tw::tcp {
namespace {

TEST(Flight, counts_and_forgets_in_order) {
    FlightPool pool(100);
    Flight flight{};
    for (std::uint32_t end = 100; end <= 5000; end += 100) {
        ASSERT_TRUE(pool.push(flight, end));
    }
    EXPECT_EQ(flight.count, 50U);
    pool.acknowledge(flight, 2450);
    EXPECT_EQ(flight.count, 26U);
    pool.acknowledge(flight, 100);
    EXPECT_EQ(flight.count, 26U);
    pool.acknowledge(flight, 5000);
    EXPECT_EQ(flight.count, 0U);
    EXPECT_EQ(flight.head, 0U);
}

// The plain list tshark keeps, with every kind of order, wrap and distance of half the circle.
TEST(Flight, agrees_with_a_plain_list_on_hostile_numbers) {
    const std::vector<std::uint32_t> bases{0, 0x7FFFFFF0U, 0x80000000U, 0xFFFFFFF0U, 5};
    for (std::uint32_t seed = 1; seed <= 200; ++seed) {
        std::mt19937 random(seed);
        FlightPool pool(64);
        Flight flight{};
        std::vector<std::uint32_t> model;
        const bool wild = seed % 2 == 0;
        for (int step = 0; step < 400; ++step) {
            const auto number =
                static_cast<std::uint32_t>((wild ? bases[random() % bases.size()]
                                                 : 0xFFFFFF00U + static_cast<std::uint32_t>(step)) +
                                           random() % 40);
            if (random() % 3 != 0) {
                if (model.size() < 300) {
                    ASSERT_TRUE(pool.push(flight, number));
                    model.push_back(number);
                }
            } else {
                pool.acknowledge(flight, number);
                std::erase_if(model, [&](std::uint32_t end) { return !after(end, number); });
            }
            ASSERT_EQ(flight.count, model.size()) << "seed " << seed << " step " << step;
        }
        pool.clear(flight);
        EXPECT_EQ(flight.count, 0U);
    }
}

TEST(Flight, gives_every_chunk_back) {
    FlightPool pool(10);
    for (int round = 0; round < 100; ++round) {
        Flight flight{};
        for (std::uint32_t end = 1; end <= 100; ++end) {
            ASSERT_TRUE(pool.push(flight, end % 3 == 0 ? end + 50 : end)) << "round " << round;
        }
        pool.acknowledge(flight, round % 2 == 0 ? 1000 : 60);
        pool.clear(flight);
    }
}

TEST(Flight, refuses_when_the_pool_is_empty) {
    FlightPool pool(1);
    Flight flight{};
    for (std::uint32_t end = 1; end <= FlightChunk::kEnds; ++end) {
        ASSERT_TRUE(pool.push(flight, end));
    }
    EXPECT_FALSE(pool.push(flight, 100));
    EXPECT_EQ(flight.count, FlightChunk::kEnds);
}

}  // namespace
}  // namespace tw::tcp
