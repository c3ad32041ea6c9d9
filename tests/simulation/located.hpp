// SPDX-License-Identifier: BSD-3-Clause
// An event in the simulation's own words: which connection, which direction, which positions, and
// which captured segments it is about.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "core/event/event.hpp"
#include "simulation/ground.hpp"

namespace tw::sim {

struct Located {
    Way way;
    Span span;
};
[[nodiscard]] std::optional<Located> locate(const Ground& ground, const event::Event& event);

// What of the repeated segments of an event had been captured before, part by part. Bytes that come
// a third time within one event are judged by why it began, as in tests/lab: it has one verdict.
[[nodiscard]] std::vector<std::pair<Seen, Span>> repeated_parts(const Ground& ground,
                                                                const event::Event& event,
                                                                const Located& located);

}  // namespace tw::sim
