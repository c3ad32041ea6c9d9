// SPDX-License-Identifier: BSD-3-Clause
// What an episode means, in one sentence for people: the facts with the frames that show them, then
// the verdict, then whom to suspect. "probably" stands where the verdict is not proven. The names
// and explanations of verdicts themselves are core/event/verdict.
#pragma once

#include <string>

#include "core/event/event.hpp"

namespace tw::sinks {

// "server 203.0.113.10:80 sent 1,010 bytes that never reached the tap; the client asked for them
// (duplicate ACK 1, frame 9), the server did not send them again and closed after 20.0 s idle:
// never recovered, sender silent; suspect what lies between the tap and the server." Empty where
// nothing was judged.
[[nodiscard]] std::string finding_text(const event::Event& event);

// Where it happened, by address: "between 10.0.0.5 and the tap". Empty where that has no meaning.
[[nodiscard]] std::string side_text(const event::Event& event);

}  // namespace tw::sinks
