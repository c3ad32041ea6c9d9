// SPDX-License-Identifier: BSD-3-Clause
// Very many translated connections of a few packets each, perfectly captured on both sides: is each
// found to be one, and none joined with another?
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/taps/conversation.hpp"

namespace tw::sim::two_taps {

struct NatLoadOptions {
    std::uint64_t seed = 1;
    std::uint64_t connections = 1'000'000;
    std::uint32_t per_second = 1500;
    bool rewrites_isn = false;  // then only timestamps and payload are left to go by
    std::uint32_t threads = 1;  // each an engine of its own, with its share of the connections
};

struct NatTally {
    std::uint64_t connections = 0;
    std::uint64_t right = 0;
    std::uint64_t wrong = 0;    // joined with what is another connection
    std::uint64_t records = 0;  // of conversations
    std::array<std::uint64_t, taps::kPairings> by_pairing{};

    void add(const NatTally& more);
    [[nodiscard]] bool goals_met() const;
    [[nodiscard]] std::string text() const;
};

[[nodiscard]] NatTally run_nat_load(const NatLoadOptions& options);

}  // namespace tw::sim::two_taps
