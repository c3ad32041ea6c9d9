// SPDX-License-Identifier: BSD-3-Clause
// Adds up what a run found, for the summary people read at its end. Memory is bounded whatever the
// traffic: totals of facts and verdicts, the worst connections, the worst episodes. What all
// connections have in common is core/verdict's; how it looks is summary_text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/event/event.hpp"
#include "core/tcp/flags.hpp"
#include "sinks/run_verdicts.hpp"

namespace tw::sinks {

struct EpisodeTotal {
    std::uint64_t episodes = 0;
    std::uint64_t segments = 0;  // repeats only
    std::uint64_t bytes = 0;
};

inline constexpr std::size_t kResolutions = 7;
using EpisodeTotals = std::array<EpisodeTotal, kResolutions>;  // index: event::Resolution

struct ConnectionTotals {
    std::uint64_t connections = 0;
    std::uint64_t with_missing = 0;
    std::uint64_t with_repeats = 0;
    std::uint64_t missing_bytes = 0;
    std::uint64_t payload_bytes = 0;  // captured, repeats included
    std::uint64_t midstream = 0;      // no SYN, no SYN/ACK: older than the capture
    std::uint64_t unanswered = 0;     // SYN and nothing else
    std::uint64_t one_sided = 0;      // segments of one direction only, unanswered SYNs apart
    std::uint64_t details_lost = 0;
};

// What happened to the bytes of one connection, both directions, by its verdicts.
struct WorstConnection {
    event::FlowRecord record;
    std::uint64_t lost_bytes = 0;     // before the tap, after it, or never delivered
    std::uint64_t missed_bytes = 0;   // by the capture; delivered
    std::uint64_t unknown_bytes = 0;  // of episodes that cannot be told
    std::uint64_t repeats = 0;        // segments flagged retransmission
};

class Summary {
  public:
    static constexpr std::size_t kWorstMax = 10;
    static constexpr std::size_t kEpisodesMax = 20;

    void add(tcp::FlagSet flags);
    void add(const event::Event& event);
    void add(const event::FlowRecord& record);

    [[nodiscard]] const EpisodeTotals& holes() const { return holes_; }
    [[nodiscard]] const EpisodeTotals& repeats() const { return repeats_; }
    [[nodiscard]] std::uint64_t episodes() const { return episodes_; }
    // Holes whose last number may be a FIN and no byte.
    [[nodiscard]] std::uint64_t fins_possible() const { return fins_possible_; }
    [[nodiscard]] const VerdictTotals& verdicts() const { return verdicts_; }
    // Holes and repeats that nobody judged: of them only facts are known.
    [[nodiscard]] std::uint64_t not_judged() const { return not_judged_; }
    [[nodiscard]] const ConnectionTotals& connections() const { return connections_; }
    // Frames with each flag. index: tcp::Flag
    [[nodiscard]] const std::array<std::uint64_t, tcp::kFlags>& flags() const { return flags_; }

    // The worst first: most bytes lost, then unknown, then missed, then most repeats. Connections
    // without any of them are absent.
    [[nodiscard]] std::vector<WorstConnection> worst() const;
    // All episodes while they are at most kEpisodesMax, else the `count_max` worst, by time of
    // their first sign.
    [[nodiscard]] std::vector<event::Event> worst_episodes(std::size_t count_max) const;
    // The one to speak of first; nothing if no episode did the connections harm.
    [[nodiscard]] std::optional<event::Event> worst_episode() const;

  private:
    struct RankedEpisode {
        std::uint64_t weight = 0;
        event::Event event;
    };

    EpisodeTotals holes_{};
    EpisodeTotals repeats_{};
    std::uint64_t episodes_ = 0;
    std::uint64_t fins_possible_ = 0;
    std::uint64_t not_judged_ = 0;
    VerdictTotals verdicts_{};
    ConnectionTotals connections_;
    std::array<std::uint64_t, tcp::kFlags> flags_{};

    std::vector<RankedEpisode> ranked_;   // heap, the smallest in front
    std::vector<WorstConnection> worst_;  // heap, the least bad in front
};

// Whether the bytes of a hole that ended so are in no captured frame.
[[nodiscard]] bool still_missing(event::Resolution resolution);

}  // namespace tw::sinks
