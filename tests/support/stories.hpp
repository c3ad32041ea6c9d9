// SPDX-License-Identifier: BSD-3-Clause
// The two conversations this project exists for. Tests state the flags and episodes they must give;
// make_captures writes them as files, and scripts/demo shows the first one.
#pragma once

#include "core/taps/side.hpp"
#include "support/conversation.hpp"

namespace tw::test {

// Seen at the client of a web server behind a firewall: the request is acknowledged, the answer of
// 1010 bytes never comes. After 20 s the server closes: its FIN says that there was an answer.
[[nodiscard]] Conversation story_of_the_firewall(const ConversationOptions& options = {});

// The first story from both sides of the firewall: the answer enters at the inside tap, six times,
// and never leaves at the outside tap.
[[nodiscard]] Conversation story_of_two_taps(taps::Side tap);

// A server whose FIN stands one beyond its data: nothing was lost, the client waits for a byte that
// does not exist, and the FIN is repeated in vain.
[[nodiscard]] Conversation story_of_the_fin(const ConversationOptions& options = {});

}  // namespace tw::test
