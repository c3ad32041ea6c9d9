// SPDX-License-Identifier: BSD-3-Clause
// Where the workers' conversations that one tap alone has seen are introduced to each other: the
// same pairing as within one worker (core/taps/pairing), over a table of those introduced lately.
// Kept by worker 0; it sees a few early packets of each such conversation, never its traffic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/lazy_array.hpp"
#include "core/decode/decoded.hpp"
#include "core/stats/counters.hpp"
#include "core/taps/conversations.hpp"
#include "core/taps/engine.hpp"
#include "core/taps/hand_over.hpp"
#include "core/taps/pairing.hpp"

namespace tw::taps {

class PairingDesk {
  public:
    PairingDesk(const EngineOptions& options, stats::Counters& counters);

    struct Match {
        Place outside;  // as that tap sees it
        Place inside;
        Pairing how = Pairing::unpaired;
        bool aligned = false;
    };
    // Nothing: nobody yet. Those it may be all the same are doubted().
    [[nodiscard]] std::optional<Match> introduce(const Introduction& introduction);
    // After introduce(): the next conversation to be told that it may be another one.
    [[nodiscard]] std::optional<Place> next_doubted();
    [[nodiscard]] std::size_t memory_bytes() const;

  private:
    [[nodiscard]] std::uint32_t slot_of(const Introduction& introduction);
    [[nodiscard]] std::optional<Match> match(std::uint32_t slot, const Introduction& introduction,
                                             const NatPairing::Found& found);

    stats::Counters& counters_;
    Conversations conversations_;
    NatPairing pairing_;
    LazyArray<Place> places_;  // by slot
    NatPairing::Doubted doubted_;
    decode::Decoded found_;  // the introduced one, as the tables want it
    std::uint32_t hand_ = 0;
};

}  // namespace tw::taps
