// SPDX-License-Identifier: BSD-3-Clause
// Adds up what a run found, for the summary people read at its end. Memory is bounded whatever the
// traffic: totals, the worst connections, the largest episodes. Facts only, no verdicts: what was
// captured, acknowledged, sent again. How it looks is summary_text.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/event/event.hpp"
#include "core/tcp/flags.hpp"

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

// What is known of the holes of one connection.
struct HoleMix {
    std::uint64_t missing_bytes = 0;  // of these, acked_bytes were acknowledged
    std::uint64_t acked_bytes = 0;
    std::uint64_t filled_bytes = 0;  // captured later
    std::uint64_t holes = 0;
    Nanos first_hole = 0;
    bool complete = true;  // false: evidence of this connection may have been pushed out before
};

struct WorstConnection {
    event::FlowRecord record;
    std::uint64_t missing_bytes = 0;  // both directions
    std::uint64_t repeats = 0;        // segments flagged retransmission
    HoleMix mix;
};

class Summary {
  public:
    static constexpr std::size_t kWorstMax = 10;
    static constexpr std::size_t kEpisodesMax = 20;
    // Connections with holes that are followed at one time for the table of the worst.
    static constexpr std::size_t kMixesMax = 4096;

    void add(tcp::FlagSet flags);
    // Episodes of a connection come before its record.
    void add(const event::Event& event);
    void add(const event::FlowRecord& record);

    [[nodiscard]] const EpisodeTotals& holes() const { return holes_; }
    [[nodiscard]] const EpisodeTotals& repeats() const { return repeats_; }
    [[nodiscard]] std::uint64_t episodes() const { return episodes_; }
    // Holes whose last number may be a FIN and no byte.
    [[nodiscard]] std::uint64_t fins_possible() const { return fins_possible_; }
    [[nodiscard]] const ConnectionTotals& connections() const { return connections_; }
    // Frames with each flag. index: tcp::Flag
    [[nodiscard]] const std::array<std::uint64_t, tcp::kFlags>& flags() const { return flags_; }

    // The worst first: most bytes missing, then most repeats. Connections without either are
    // absent.
    [[nodiscard]] std::vector<WorstConnection> worst() const;
    // All episodes while they are at most kEpisodesMax, else the `count_max` largest (bytes that
    // are still missing weigh most), by time of their first sign.
    [[nodiscard]] std::vector<event::Event> largest(std::size_t count_max) const;

  private:
    struct RankedEpisode {
        std::uint64_t weight = 0;
        event::Event event;
    };
    struct TrackedMix {
        std::uint64_t weight = 0;
        HoleMix mix;
    };

    void add_to_mix(const event::Event& event);
    [[nodiscard]] HoleMix take_mix(std::uint32_t stream);

    EpisodeTotals holes_{};
    EpisodeTotals repeats_{};
    std::uint64_t episodes_ = 0;
    std::uint64_t fins_possible_ = 0;
    ConnectionTotals connections_;
    std::array<std::uint64_t, tcp::kFlags> flags_{};

    std::vector<RankedEpisode> ranked_;                            // heap, the smallest in front
    std::vector<WorstConnection> worst_;                           // heap, the least bad in front
    std::unordered_map<std::uint32_t, TrackedMix> mixes_;          // by stream
    std::set<std::pair<std::uint64_t, std::uint32_t>> by_weight_;  // (weight, stream) of mixes_
    bool mixes_overflowed_ = false;
};

// Whether the bytes of a hole that ended so are in no captured frame.
[[nodiscard]] bool still_missing(event::Resolution resolution);

}  // namespace tw::sinks
