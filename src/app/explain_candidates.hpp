// SPDX-License-Identifier: BSD-3-Clause
// Connections to choose from where the operator's words name none or several: those that fit best,
// among equals the worst. Bounded, whatever the capture holds.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/event/event.hpp"
#include "sinks/format/page.hpp"

namespace tw::app {

class ExplainCandidates {
  public:
    static constexpr int kFitsExactly = 100;
    static constexpr std::size_t kMax = 10;
    // Connections with verdicts that are followed at one time; beyond it verdicts are not listed.
    static constexpr std::size_t kFollowedMax = 65'536;

    // Episodes of a connection come before its record.
    void add(const event::Event& event);
    // `fit`: how well it fits what was asked for.
    void add(const event::FlowRecord& record, int fit);

    [[nodiscard]] bool empty() const { return best_.empty(); }
    // The best first, only those that fit at least so well; each with what `read` says of it, and
    // the command that explains it.
    void write(sinks::format::Page& page, const std::string& command, int fit_min) const;

  private:
    using Tally = std::array<std::uint32_t, event::kVerdicts>;
    struct Candidate {
        int fit = 0;
        event::FlowRecord record;
        Tally verdicts{};

        [[nodiscard]] std::uint64_t missing() const;
        [[nodiscard]] std::uint64_t repeats() const;
        [[nodiscard]] bool better_than(const Candidate& other) const;
    };

    std::vector<Candidate> best_;                       // sorted
    std::unordered_map<std::uint32_t, Tally> tallies_;  // by stream, of connections still open
};

}  // namespace tw::app
