// SPDX-License-Identifier: BSD-3-Clause
// One connection in which everything goes wrong that verdicts know, by its seed alone: loss before
// and after the tap and in the capture, late and doubled frames, SACK and DSACK, timestamps or not,
// SYNs again, shut windows, resets. Not what a real stack would do, but readable numbers and times;
// tests/simulation has real stacks and the truth.
#pragma once

#include <cstdint>

#include "support/altered_traffic.hpp"
#include "support/conversation.hpp"

namespace tw::test {

[[nodiscard]] Traffic faulty_traffic(std::uint64_t seed, const ConversationOptions& options = {});

}  // namespace tw::test
