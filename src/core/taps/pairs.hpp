// SPDX-License-Identifier: BSD-3-Clause
// Everything that follows from a packet having been found at both taps: what passed and how long it
// took, what was rewritten on the way, what left out of order, and fragments. The engine's one
// door to passage, compare, order and fragments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/stats/counters.hpp"
#include "core/taps/fragments.hpp"
#include "core/taps/health.hpp"
#include "core/taps/order.hpp"
#include "core/taps/pair.hpp"
#include "core/taps/passage.hpp"
#include "core/taps/witness.hpp"

namespace tw::taps {

struct PairsOptions {
    Backing backing = Backing::populated;
    Nanos transit_max = kSecond;
};

// Kept with each conversation; zeroed = a new one. Its address must not change before ended().
struct PairState {
    std::array<OrderState, kWays> order;
    std::uint16_t fragments_open = 0;
    std::uint8_t told = 0;
    std::uint8_t timed = 0;  // its TimedClasses class + 1; 0 = not asked for yet
};

class Pairs {
  public:
    // `health`: pairs are counted here, and by nobody else.
    Pairs(const PairsOptions& options, FactSink& sink, TapHealth& health,
          stats::Counters& counters);

    // A packet found at both taps.
    void passed(PairState& state, const Pair& pair, const Witnessed& of);
    // Each packet at its entry tap, copies left out, before it is known whether it left.
    void entered(PairState& state, Way way, const Packet& packet, const Witnessed& of) {
        order_.entered(state.order[index(way)], packet);
        order_.heard(state.order[index(back(way))], packet);
        if (state.fragments_open != 0) {
            fragments_.repeat(of.conversation, way, packet);
            fragments_.acknowledged(of.conversation, back(way), packet);
        }
    }
    // `owner`: of a first fragment; nullptr for one without ports.
    std::optional<FragmentedSegment> fragment(const Packet& packet, const FragmentIds& ids,
                                              const FragmentOwner* owner) {
        return fragments_.add(packet, ids, owner);
    }
    // To be asked before a packet at one tap alone is called missed, injected or lost.
    [[nodiscard]] bool claims_whole(const PairState& state, Way way, const Packet& left,
                                    const Witnessed& of) {
        return state.fragments_open != 0 && fragments_.joined(of.conversation, way, left);
    }
    [[nodiscard]] bool claims_split(const PairState& state, Way way, const Packet& entered,
                                    const Witnessed& of) {
        return state.fragments_open != 0 && fragments_.split(of.conversation, way, entered);
    }
    void ended(PairState& state, const Witnessed& of);
    void tick(Nanos now);
    void finish();

    [[nodiscard]] Passage& passage() { return passage_; }
    [[nodiscard]] const Passage& passage() const { return passage_; }
    [[nodiscard]] std::size_t memory_bytes() const;

  private:
    FactSink& sink_;
    TapHealth& health_;
    Passage passage_;
    Order order_;
    Fragments fragments_;
};

}  // namespace tw::taps
