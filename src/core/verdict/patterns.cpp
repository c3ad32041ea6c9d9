// SPDX-License-Identifier: BSD-3-Clause
#include "core/verdict/patterns.hpp"

#include "core/verdict/concentration.hpp"
#include "core/verdict/idle_resets.hpp"
#include "core/verdict/intervals.hpp"
#include "core/verdict/pace.hpp"
#include "core/verdict/rate_limits.hpp"
#include "core/verdict/size_limits.hpp"

namespace tw::verdict {

using event::Event;
using event::EventType;
using event::FlowRecord;

struct Patterns::State {
    explicit State(stats::Counters& counters) : intervals(counters), services(counters) {}

    Intervals intervals;
    SizeLimits size_limits;
    RateLimits rate_limits;
    Pace pace;
    IdleResets idle_resets;
    Services services;
    PatternList of_intervals;
    PatternList limited;  // connections found to be policed
    PatternList of_run;
    std::array<std::uint64_t, kPatterns> counts{};
};

Patterns::Patterns(stats::Counters& counters) : state_(new State(counters)) {}

Patterns::~Patterns() = default;

void Patterns::add(const Event& event, std::uint32_t load) {
    State& state = *state_;
    state.intervals.add(event, load);
    if (event.type == EventType::reset) {
        state.idle_resets.add(event);
    }
    if (!is_network_loss(event)) {
        return;
    }
    state.pace.add(event);
    state.size_limits.add(event);
    state.rate_limits.add(event);
}

void Patterns::add(const FlowRecord& record) {
    state_->services.add(record);
    state_->rate_limits.add(record, state_->limited);
}

bool Patterns::advance(Nanos until) {
    PatternList found;
    const bool ended = state_->intervals.advance(until, found) != 0;
    for (const Pattern& pattern : found.all()) {
        ++state_->counts[static_cast<std::size_t>(pattern.id)];
        state_->of_intervals.add(pattern);
    }
    return ended;
}

void Patterns::look_at_run(const PathSums& paths) {
    State& state = *state_;
    state.of_run.clear();
    look_for_concentration(paths, state.of_run);
    state.size_limits.look(state.of_run);
    state.pace.look(state.of_run);
    state.idle_resets.look(state.of_run);
    for (const Pattern& pattern : state.limited.all()) {
        state.of_run.add(pattern);
    }
    for (std::size_t id = 0; id < kPatterns; ++id) {
        const auto pattern = static_cast<PatternId>(id);
        if (pattern == PatternId::burst_loss || pattern == PatternId::mirror_overload) {
            continue;
        }
        state.counts[id] = 0;
        for (const Pattern& found : state.of_run.all()) {
            state.counts[id] += found.id == pattern ? 1 : 0;
        }
    }
}

std::span<const Pattern> Patterns::of_intervals() const {
    return state_->of_intervals.all();
}

std::span<const Pattern> Patterns::of_run() const {
    return state_->of_run.all();
}

std::uint64_t Patterns::count(PatternId id) const {
    return state_->counts[static_cast<std::size_t>(id)];
}

const Services& Patterns::services() const {
    return state_->services;
}

}  // namespace tw::verdict
