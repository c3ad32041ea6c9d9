// SPDX-License-Identifier: BSD-3-Clause
// How far a fact is proven among its neighbours: rule S (a single loss is proven only while the tap
// where it should have been seen misses nothing around it, and seldom at all) and gate H (where the
// capture is known to have lost something, the best is probable). Bounded; does not depend on the
// order in which workers are drained, once everything around a fact is known.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "base/time.hpp"
#include "core/event/capture_marks.hpp"
#include "core/taps/conversation.hpp"
#include "core/taps/fact.hpp"
#include "core/taps/side.hpp"
#include "core/verdict/marked_times.hpp"

namespace tw::firewall {

[[nodiscard]] std::string_view help(taps::Grade grade);

// The tap whose not having seen a packet the fact rests on; nothing where it rests on packets that
// were captured.
[[nodiscard]] std::optional<taps::Side> absent_at(const taps::Fact& fact);

// Times of the two taps are compared, with a margin of the skew the engine allows. All else rests
// on sequence numbers, ACKs and the order within one tap, which no skew changes.
[[nodiscard]] bool rests_on_times(taps::Proof proof);
// A measured skew up to a quarter of that margin (taps::EngineOptions::negative_skew_max).
inline constexpr Nanos kSkewHarmless = 50 * kMillisecond / 4;

// Where an ICMP error was seen.
[[nodiscard]] bool entered(const taps::Fact& icmp);
[[nodiscard]] bool left(const taps::Fact& icmp);

class Grades {
  public:
    // A fact that a tap missed something or swapped packets; any other tells nothing here. True if
    // it is one.
    bool note_miss(const taps::Fact& fact);
    // What passed, and what was lost beyond: how often the taps miss something, and how often that
    // would look like a loss between them.
    void note_passed(const taps::Conversation& conversation);
    // Live: the ledger's word.
    void note_faults(taps::Side tap, Nanos from, Nanos until, event::CaptureFaults faults);

    // Intervals in which a tap may lack frames.
    [[nodiscard]] std::uint64_t marked(taps::Side tap) const { return marked_[taps::index(tap)]; }

    // By tap: its capture dropped frames, and does not say when.
    using Drops = std::array<bool, taps::kSides>;
    // With what is known so far; never above the fact's own.
    [[nodiscard]] taps::Grade settle(const taps::Fact& fact, const Drops& drops = {}) const;
    // Whether a miss or mark that comes later may lower it.
    [[nodiscard]] static bool depends_on_neighbours(const taps::Fact& fact);

  private:
    [[nodiscard]] double chance_of_miss(const taps::Fact& fact, taps::Side absent) const;

    verdict::MarkedTimes misses_;  // by tap: index of the side
    verdict::MarkedTimes swaps_;   // of either tap
    verdict::MarkedTimes marks_;
    std::array<std::uint64_t, taps::kSides> missed_{};
    std::array<std::uint64_t, taps::kSides> marked_{};
    std::array<Nanos, taps::kSides> marked_until_{INT64_MIN, INT64_MIN};
    std::uint64_t passed_ = 0;
    std::uint64_t lost_beyond_ = 0;
};

}  // namespace tw::firewall
