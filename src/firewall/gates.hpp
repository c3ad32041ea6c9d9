// SPDX-License-Identifier: BSD-3-Clause
// The gates before every verdict: is the capture fit to judge a firewall by? Wiring, overlap, time,
// losses of the taps themselves. Each doubt has a row: its word, what it leads to, what to do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/taps/conversation.hpp"
#include "core/taps/passage.hpp"
#include "firewall/policy.hpp"
#include "firewall/report.hpp"

namespace tw::firewall {

enum class DoubtId : std::uint8_t {
    no_packets,
    no_overlap,
    same_capture,
    no_pairs,
    taps_swapped,
    one_direction,
    few_in_common,
    ttl_falls_oddly,
    clock_offset,
    mirror_skew,
    capture_loss,
    drops_counted,
    ledger_marks,
    mirror_copies,
    no_digest,
    sides_guessed,
    limits_reached,
};
inline constexpr std::size_t kDoubts = static_cast<std::size_t>(DoubtId::limits_reached) + 1;

struct DoubtInfo {
    DoubtId id;
    Trust trust;            // what it leads to
    std::string_view name;  // in JSON
    std::string_view help;  // the rule
    std::string_view advice;
};
[[nodiscard]] std::span<const DoubtInfo, kDoubts> doubt_table();
[[nodiscard]] const DoubtInfo& info(DoubtId doubt);

struct Captured {
    const taps::Passage& passage;
    std::span<const taps::Conversation> conversations;
    const Policy& policy;
    const Totals& totals;
};

// Adds trust, rates, skew and doubts to what the sources told (names, drops, offset, health).
void judge_capture(const Captured& captured, Confidence& confidence);

// Share of the packets known to have passed that this tap lacks.
[[nodiscard]] double miss_rate(const Totals& totals, const taps::TapHealth& health, taps::Side tap);

}  // namespace tw::firewall
