// SPDX-License-Identifier: BSD-3-Clause
// What only some directions of connections have: flags to count, Multipath TCP options. Taken from
// a bounded pool on first need.
#pragma once

#include "core/tcp/flags.hpp"

namespace tw::tcp {

struct SideDetail {
    FlagCounts counts;
    std::uint16_t mptcp_kinds;  // option subtypes this side sent, one bit each
    std::uint16_t mptcp_known;  // subtypes of both sides as of this side's previous segment
};
static_assert(sizeof(SideDetail) == 64, "one cache line");

}  // namespace tw::tcp
