// SPDX-License-Identifier: BSD-3-Clause
// What speaks for and against a loss between the taps: per conversation, the bytes that entered and
// did not leave (or the other way round), what the receiver said of them and what the sender did
// then, until one row of the decision table holds or nothing more can come.
#pragma once

#include <array>
#include <cstdint>

#include "base/pool.hpp"
#include "core/stats/counters.hpp"
#include "core/taps/engine.hpp"
#include "core/taps/fact.hpp"
#include "core/taps/packet.hpp"
#include "core/taps/witness.hpp"

namespace tw::taps {

// Kept per conversation; lies in the conversation's cold record. Zeroed = a new conversation.
struct ConversationEvidence;

}  // namespace tw::taps
