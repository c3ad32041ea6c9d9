// SPDX-License-Identifier: BSD-3-Clause
// What speaks for and against a loss between the taps: per conversation, the bytes that entered and
// did not leave (or the other way round), what the receiver said of them and what the sender did
// then, until one row of the decision table (evidence_table.hpp) holds or nothing more can come.
// Times of two taps are weak evidence and decide nothing alone: sequence numbers and ACKs do.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/time.hpp"
#include "core/stats/counters.hpp"
#include "core/taps/conversation.hpp"
#include "core/taps/engine.hpp"
#include "core/taps/health.hpp"
#include "core/taps/passage.hpp"
#include "core/taps/side.hpp"
#include "core/taps/witness.hpp"

namespace tw::taps {

class Evidence {
  public:
    Evidence(const EngineOptions& options, FactSink& sink, Passage& passage, TapHealth& health,
             stats::Counters& counters);
    ~Evidence();
    Evidence(const Evidence&) = delete;
    Evidence& operator=(const Evidence&) = delete;

    // The slot holds a new conversation. since_previous: as in Circumstances.
    void begin(const Witnessed& of, Nanos since_previous);
    // Every packet, in order of arrival within its conversation: at its entry tap, at its exit tap.
    void entered(const Seen& seen);
    void left(const Seen& seen);
    // Right after the later of the two calls above.
    void paired(const Seen& entered, const Seen& left, KeyLevel level);
    // No twin came and none can come any more. left_alone also of a second copy of a packet whose
    // first one has its twin (Seen::copy).
    void entered_alone(const Seen& seen);
    void left_alone(const Seen& seen);
    // All fragments of it have come at that tap: what becomes of them, and of the segment, is told
    // elsewhere (fragments.hpp).
    void fragmented(const Seen& seen);
    // quote: as at the tap where the error was seen; quoted_way: of the packet it quotes.
    void icmp_error(const Witnessed& of, Way quoted_way, const Packet& quote);
    // How far each tap's clock is, and how long a packet waits for its twin now.
    void advance(const std::array<Nanos, kSides>& clocks, Nanos wait);
    // Concludes what is open for this conversation; then fills outcome, ending, established,
    // setup_delay, setup_server_delay, idle_passed, acknowledged_early, and of the ways: lost,
    // missed_at_exit, missed_at_entry, unproven, pure_acks_lost.
    void end(const Witnessed& of, Nanos now, Conversation& record);
    // The end of the capture: every conversation's end() follows.
    void finish();
    [[nodiscard]] std::size_t memory_bytes() const;

  private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace tw::taps
