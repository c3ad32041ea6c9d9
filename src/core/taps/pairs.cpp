// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/pairs.hpp"

#include "core/taps/compare.hpp"

namespace tw::taps {

Pairs::Pairs(const PairsOptions& options, FactSink& sink, TapHealth& health,
             stats::Counters& counters)
    : sink_(sink),
      health_(health),
      passage_(options.backing),
      order_(options.backing, sink, health, counters),
      fragments_(options.backing, options.transit_max, sink, counters) {}

void Pairs::passed(PairState& state, const Pair& pair, const Witnessed& of) {
    health_.pair(pair.way, pair.entered, pair.left);
    const RewriteSet changed = compare(pair);
    // Of equal packets it may be another one's twin: the inventory keeps to what is sure.
    passage_.passed(pair, pair.alone ? changed : 0);
    tell_errors(pair, changed, state.told, of, sink_);
    order_.passed(state.order[index(pair.way)], pair, of);
}

void Pairs::ended(PairState& state, const Witnessed& of) {
    for (OrderState& order : state.order) {
        order_.ended(order);
    }
    if (state.fragments_open != 0) {
        fragments_.ended(of.conversation);
    }
}

void Pairs::tick(Nanos now) {
    order_.tick(now);
    fragments_.tick(now);
}

void Pairs::finish() {
    order_.finish();
    fragments_.finish();
}

std::size_t Pairs::memory_bytes() const {
    return passage_.memory_bytes() + order_.memory_bytes() + fragments_.memory_bytes();
}

}  // namespace tw::taps
