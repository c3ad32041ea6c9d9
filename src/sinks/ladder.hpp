// SPDX-License-Identifier: BSD-3-Clause
// The life of one connection as text: who and how it began, then the ladder (client left, server
// right, the tap between them) with verdicts where they belong, then what was lost where. Plain
// text of a stable width, made to be pasted into a ticket.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/event/event.hpp"
#include "sinks/format/page.hpp"
#include "sinks/ladder_log.hpp"
#include "sinks/ladder_plan.hpp"

namespace tw::sinks {

// What is known of the connection beside its segments.
struct LadderSubject {
    event::FlowRecord record;
    std::uint8_t client_side = 0;  // of the key
    std::vector<std::string> files;
    // Stream numbers count frames that match a filter only: not those of Wireshark.
    bool streams_differ = false;
    bool interrupted = false;
};

struct LadderStyle {
    // Colour, and the width of the terminal; 0 = kColumnsPlain.
    format::PageStyle page;
    bool ascii = false;
};
inline constexpr std::size_t kColumnsPlain = 80;
inline constexpr std::size_t kColumnsMost = 132;

// Hands the text to `out` in pieces of some lines: with --all there can be a million of them. `out`
// returns false once nobody reads them.
using LadderOut = std::function<bool(std::string_view)>;
void write_ladder(const LadderLog& log, const LadderSubject& subject, const LadderView& view,
                  const LadderStyle& style, const LadderOut& out);

}  // namespace tw::sinks
