// SPDX-License-Identifier: BSD-3-Clause
// What many episodes have in common: what only large segments meet, what comes in bursts or at an
// even pace, what concerns one host. Some are looked for in each interval, others over the run.
// Bounded; fed with what is settled.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/time.hpp"
#include "core/event/event.hpp"
#include "core/stats/counters.hpp"
#include "core/verdict/path_sums.hpp"
#include "core/verdict/pattern.hpp"
#include "core/verdict/services.hpp"

namespace tw::verdict {

class Patterns {
  public:
    explicit Patterns(stats::Counters& counters);
    ~Patterns();
    Patterns(const Patterns&) = delete;
    Patterns& operator=(const Patterns&) = delete;

    // `load`: of the taps at its time over that around it, per cent; 0 = not known.
    void add(const event::Event& event, std::uint32_t load);
    void add(const event::FlowRecord& record);
    // No more episodes from before `until` are to come: ends intervals. True if one ended.
    bool advance(Nanos until);
    // Looks at the run so far.
    void look_at_run(const PathSums& paths);

    // burst_loss, mirror_overload: the latest, oldest first.
    [[nodiscard]] std::span<const Pattern> of_intervals() const;
    // The others, as of the last look_at_run().
    [[nodiscard]] std::span<const Pattern> of_run() const;
    // How often it was found: in intervals since the start, or in the run at the last look.
    [[nodiscard]] std::uint64_t count(PatternId id) const;
    [[nodiscard]] const Services& services() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tw::verdict
